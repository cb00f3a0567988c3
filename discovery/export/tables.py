"""The files beside a report: the result as JSON, its table as CSV, the spec as run, the plan of an experiment."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from discovery.export.plan import plan_as_markdown
from discovery.results import CheckResult, StudyResult, ValidationResult


def write_study(result: StudyResult, folder: Path) -> None:
    """Write every file of a study into `folder`, the report included."""
    (folder / "result.json").write_text(result.to_json(), encoding="utf-8")
    _write_csv(result.candidates.columns, folder / "candidates.csv")
    (folder / "discover.toml").write_text(spec_as_toml(result), encoding="utf-8")
    result.report(folder / "report.html")


def _write_csv(columns: Mapping[str, Sequence[Any]], path: Path) -> None:
    """Write columns of one length as pandas would, floats with nine digits and nothing for what is not known."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*(map(_cell, values) for values in columns.values()), strict=True))


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.9g}"
    return value


def write_validation(result: ValidationResult, folder: Path, *, plan: bool = False) -> None:
    """Write every file of a validation into `folder`, the report included; with `plan`, `plan.md` as well."""
    (folder / "validation.json").write_text(result.to_json(), encoding="utf-8")
    result.to_frame().to_csv(folder / "scorecard.csv", index=False, float_format="%.9g")
    (folder / "discover.toml").write_text(spec_as_toml(result), encoding="utf-8")
    if plan:
        plans = "\n".join(plan_as_markdown(proposal, result) for proposal in result.proposals)
        (folder / "plan.md").write_text(plans, encoding="utf-8")
    result.report(folder / "report.html")


def write_check(result: CheckResult, folder: Path) -> None:
    """Write both files of a check into `folder`, the report included."""
    (folder / "check.json").write_text(result.to_json(), encoding="utf-8")
    result.report(folder / "report.html")


def spec_as_toml(result: StudyResult | ValidationResult) -> str:
    """Return the spec as run, as a TOML file that `discover run` and `discover validate` take."""
    header = f"# The spec of this study, as run by discover {result.provenance.version}.\n"
    in_memory = [side for side in ("events", "accounts") if not result.settings.get(side, {}).get("from")]
    if in_memory:
        header += f"# Tables in memory were studied: give {' and '.join(f'{s}.from' for s in in_memory)} to run it.\n"
    return header + "\n" + tomli_w.dumps(_plain(result.settings))


def _plain(values: Any) -> Any:
    """Return lists for tuples and plain dicts for mappings, as TOML wants them, which has no word for None."""
    if hasattr(values, "items"):
        return {key: _plain(value) for key, value in values.items() if value is not None}
    if isinstance(values, list | tuple):
        return [_plain(value) for value in values]
    return values
