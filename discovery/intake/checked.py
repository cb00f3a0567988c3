"""What a check looks at, and how it writes down what it found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from discovery.engines.duckdb import DuckDBEngine
from discovery.intake.eventlog import EventLog
from discovery.intake.roster import Roster
from discovery.intake.sql import quoted
from discovery.results import QualityFinding, Severity
from discovery.spec import StudySpec

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Checked:
    """Both sides as read, the spec as resolved, and how the churn dates only repeat silence (empty: they do not)."""

    engine: DuckDBEngine
    events: EventLog
    roster: Roster
    spec: StudySpec
    silence: str
    account_losses: tuple[int, tuple[str, ...]]  # lines of the accounts that could not be read
    guessed_encoding: tuple[str, ...] = ()  # files that are not UTF-8 and were read as Latin-1

    def first(self, value: str, relation: str, where: str) -> tuple[str, ...]:
        """Return the first few different values of an expression, in their own order."""
        found = self.engine.rows(
            f"SELECT DISTINCT {value} AS v FROM {relation} WHERE ({where}) AND {value} IS NOT NULL "
            f"ORDER BY v LIMIT {SHOWN}"
        )
        return tuple(shortened(str(text)) for (text,) in found)

    @property
    def joined(self) -> str:
        """The usable events with their account's number and signup, both empty where the account is unknown."""
        return (
            f"(SELECT e.account_id, e.event, e.t, a.account, a.signup FROM {quoted(self.events.usable)} e "
            f"LEFT JOIN {quoted(self.roster.table)} a ON e.account_id = a.account_id)"
        )


def finding(
    code: str,
    severity: Severity,
    message: str,
    *,
    count: int,
    of: int,
    examples: Iterable[str],
    remedy: str,
    names_accounts: bool = False,
) -> QualityFinding:
    """Return a finding whose share is `count` of `of`."""
    return QualityFinding(
        code=code,
        severity=severity,
        message=message,
        count=int(count),
        share=count / of if of else None,
        examples=tuple(shortened(str(example)) for example in examples)[:SHOWN],
        remedy=remedy,
        names_accounts=names_accounts,
    )


def shortened(text: str, limit: int = 120) -> str:
    """Return text cut to a length that fits a line."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
