"""A proposed milestone validated: what was asked is checked, the answer written, and the exit code says it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from discovery.cli.scorecard import print_validation
from discovery.cli.terminal import Console, print_utf8, to_whoever_listens
from discovery.export import written_whole
from discovery.export.tables import write_validation
from discovery.results import ladder_reference

if TYPE_CHECKING:
    from discovery.results import ValidationResult
    from discovery.study import Study

HOLDS, DOES_NOT_HOLD, NOT_ENOUGH_DATA = 0, 1, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is proposed, where it came from, and what is to be said beside the verdict."""

    milestones: tuple[str, ...]
    ladder: str | None
    registered: date | None
    independent: bool
    compare: Path | None
    plan: bool


def validate_and_write(
    study: Study, asked: Asked, out: Path, reading: list[str], console: Console, *, show_accounts: bool
) -> ValidationResult:
    """Validate, and write the folder whole or not at all."""
    ladder = ladder_reference(asked.ladder)[0] if asked.ladder is not None else None
    reading = [*reading, *(str(path) for path in (asked.compare, ladder) if path)]
    with written_whole(out, reading) as folder:
        with console.working() as progress:
            result = study.validate(
                *asked.milestones,
                ladder=asked.ladder,
                registered=asked.registered,
                independent=asked.independent,
                compare=asked.compare,
                progress=progress,
                show_accounts=show_accounts,
            )
            progress("Writing the report")
            write_validation(result, folder, plan=asked.plan)
        (folder / "run.log").write_text(console.log(result), encoding="utf-8")
    return result


def print_answer(console: Console, result: ValidationResult, asked: Asked, out: Path, *, as_json: bool) -> None:
    """Print the JSON, and what people read; a reader that has gone away does not change the verdict."""

    def answer() -> None:
        if as_json:
            print_utf8(result.to_json())
        print_validation(console, result, out, plan=asked.plan)

    to_whoever_listens(answer)


def exit_code(result: ValidationResult) -> int:
    """Return 1 if any proposal does not hold, else 3 if any lacks data, else 0."""
    verdicts = {proposal.verdict for proposal in result.proposals}
    if "does not hold" in verdicts:
        return DOES_NOT_HOLD
    return NOT_ENOUGH_DATA if "not enough data" in verdicts else HOLDS
