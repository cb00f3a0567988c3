"""What was found about the data themselves: columns, findings of named rules, volume over time."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from discovery.results.estimates import SCHEMA, as_json_values
from discovery.results.rendering import renderer

if TYPE_CHECKING:
    from os import PathLike

    import pandas as pd

    from discovery.results.study import Provenance

Severity = Literal["info", "warning", "error"]
RuleState = Literal["passed", "info", "warning", "error", "not applicable"]
Subject = Literal["rows", "times", "identity", "accounts", "outcome", "tracking"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityFinding:
    """One data-quality finding. `share` is of the rows or accounts named in the message.

    `names_accounts` says that the examples are ids of accounts or users, which shared files leave out unless asked, and
    with them `paste`: lines for `discover.toml` that do what the remedy suggests, empty where there are none.
    """

    code: str
    severity: Severity
    message: str
    count: int
    share: float | None
    examples: tuple[str, ...]
    remedy: str
    names_accounts: bool = False
    paste: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognisedColumn:
    """Which column plays which role, and why. `column` None: none was found. `source` is the spec or the data."""

    table: Literal["events", "accounts"]
    role: str
    column: str | None
    source: Literal["spec", "recognised", "not found", "left out"]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChecked:
    """One named rule and how the data stand to it.

    `code` is that of its finding, where there is one; `question` what the rule asks, in a sentence. `reason` says why a
    rule does not apply.
    """

    code: str
    subject: Subject
    question: str
    state: RuleState
    count: int = 0
    share: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A stretch of the timeline without an event that was expected there.

    `kind` says where: before its first time (`launch`), after its last (`end`), or between (`gap`). Dates are ISO 8601,
    `start` included and `end` not.
    """

    kind: Literal["launch", "end", "gap"]
    start: str
    end: str
    expected: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeJump:
    """The week, by the ISO date of its first day, in which an event becomes `factor` times as frequent, and stays so.

    Below one it becomes less frequent; both are compared with what accounts do otherwise.
    """

    start: str
    factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSeries:
    """The volume of one event over time: rows in each period of the timeline, and how many accounts ever have it."""

    event: str
    rows: int
    accounts: int
    first: str
    last: str
    counts: tuple[int, ...]
    silences: tuple[Silence, ...] = ()
    jumps: tuple[VolumeJump, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The volume of the whole log and of its events. `starts` are the ISO dates at which the periods begin.

    `events` are those with silences or jumps, then the most frequent others, most rows first; `left_out` is how many
    more there are.
    """

    unit: Literal["day", "week", "month"]
    starts: tuple[str, ...]
    total: tuple[int, ...]
    active_accounts: tuple[int, ...]
    events: tuple[EventSeries, ...]
    silences: tuple[Silence, ...] = ()
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How the two sides meet. Shares are None where there is nothing to share."""

    accounts: int
    accounts_with_events: int
    accounts_with_early_events: int
    users: int | None
    users_per_account: float | None
    events_of_known_accounts: float | None
    events_with_user: float | None


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """The data-quality report: what `discover check` says and writes.

    `events_used` are those of the `events_rows` that count as events. `starts` and `ends` are the ISO dates of the
    log's first and last day, strays apart; `rules` are all that were asked, those that are passed or do not apply
    included.
    """

    quality: tuple[QualityFinding, ...]
    recognised: tuple[RecognisedColumn, ...]
    accounts: int
    events_rows: int
    events_used: int
    format: str = "table"
    starts: str | None = None
    ends: str | None = None
    rules: tuple[RuleChecked, ...] = ()
    timeline: Timeline | None = None
    coverage: Coverage | None = None
    settings: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    provenance: Provenance | None = None

    @property
    def has_errors(self) -> bool:
        """Whether any finding stops a run."""
        return any(finding.severity == "error" for finding in self.quality)

    def of(self, severity: Severity) -> tuple[QualityFinding, ...]:
        """Return the findings of one severity."""
        return tuple(finding for finding in self.quality if finding.severity == severity)

    @property
    def passed(self) -> int:
        """How many rules were asked and found nothing."""
        return sum(rule.state == "passed" for rule in self.rules)

    def report(self, path: str | PathLike[str]) -> Path:
        """Write the self-contained HTML report to `path` and return it."""
        return renderer().write(self, Path(path))

    def _repr_html_(self) -> str:
        return renderer().cards(self)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per finding."""
        import pandas as pd

        return pd.DataFrame([dataclasses.asdict(finding) for finding in self.quality])

    def to_json(self) -> str:
        """Return everything as JSON text: the content of `check.json`."""
        values = as_json_values({f.name: getattr(self, f.name) for f in dataclasses.fields(self)})
        return json.dumps({"schema": SCHEMA, **values}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
