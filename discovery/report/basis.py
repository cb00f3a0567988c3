"""What every result rests on, laid out: the account flow, the findings about the rows, and the columns."""

from __future__ import annotations

from dataclasses import dataclass

from discovery import plots
from discovery.plots.population import FlowRow, flow
from discovery.results import QualityFinding, RecognisedColumn, StudyResult, ValidationResult

_SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """The accounts, the findings worst first, and which columns were found."""

    flow: tuple[FlowRow, ...]
    flow_nobody: tuple[FlowRow, ...]
    flow_adds_up: bool
    flow_picture: str
    quality: tuple[QualityFinding, ...]
    columns: tuple[RecognisedColumn, ...]
    columns_not_found: tuple[RecognisedColumn, ...]


def basis_of(result: StudyResult | ValidationResult, *, figures: bool = True) -> Basis:
    """Lay out what `result` rests on."""
    steps = flow(result)
    return Basis(
        flow=tuple(row for row in steps if row.count or not row.falls_out),
        flow_nobody=tuple(row for row in steps if row.falls_out and not row.count),
        flow_adds_up=_adds_up(result),
        flow_picture=plots.svg(plots.account_flow(result)) if figures and result.population.accounts else "",
        quality=tuple(sorted(result.quality, key=lambda finding: _SEVERITIES.index(finding.severity))),
        columns=tuple(column for column in result.recognised if column.column is not None),
        columns_not_found=tuple(column for column in result.recognised if column.source == "not found"),
    )


def _adds_up(result: StudyResult | ValidationResult) -> bool:
    people = result.population
    parts = (people.excluded, people.unusable, people.before_log, people.not_observed_to_landmark)
    return people.accounts == sum(parts) + people.decided_before_landmark + people.landmark
