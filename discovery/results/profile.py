"""What a first look at the data says and suggests: the ground of a spec that is still to be written."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from discovery.results.estimates import SCHEMA, as_json_values
from discovery.results.quality import QualityFinding, RecognisedColumn

if TYPE_CHECKING:
    import pandas as pd

EventKind = Literal["setup", "value", "collaboration", "vanity", "risk", "outcome_adjacent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventProfile:
    """One event of the log.

    `share` is that of all rows; `accounts` and `rows_per_account` (the median of those that have it) are of the whole
    log. `reach` is the share of accounts, among those observed through their observation window, that did it within;
    `median_hours` the time from signup to their first; `users_per_account` the mean number of distinct users among
    accounts that have it; `at_signup` says that it comes with signing up. `kind` is suggested, None where nothing
    speaks for one, and `passive` says that it seems to happen to an account rather than being done by it; `reason` says
    from what. Only what is `sure` is written as a setting, the rest beside it, commented out.
    """

    event: str
    rows: int
    share: float
    accounts: int
    users: int | None
    reach: float
    median_hours: float | None
    users_per_account: float | None
    rows_per_account: float
    at_signup: bool
    kind: EventKind | None
    passive: bool
    sure: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyProfile:
    """One property of the events: what it holds, how often, and whether it would do as a condition."""

    name: str
    holds: Literal["text", "number", "yes or no"]
    filled: float
    distinct: int
    examples: tuple[str, ...]
    suggested: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasSuggestion:
    """Names that look like one event: the one to keep, its other spellings, and why they look alike.

    `rows` are those of the name, then of each spelling. `merge` "yes" is offered as a setting, "perhaps" commented out;
    "no" are names that look like one and are recorded together.
    """

    name: str
    spellings: tuple[str, ...]
    rows: tuple[int, ...]
    merge: Literal["yes", "perhaps", "no"]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One setting that `discover init` asks for, with its question, its suggested value, the others, and the reason.

    A `value` that is a list takes any of the `options`. With `rereads` another answer means reading the data again.
    """

    section: str
    key: str
    question: str
    value: Any
    options: tuple[Any, ...]
    reason: str
    rereads: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A first look at events and accounts.

    `settings` is the suggested spec as plain values, with the names of `discover.toml`; `choices` are the settings a
    person should look at. `starts` and `ends` are ISO 8601 times of the log, empty where it holds no usable event.
    `events_rows` are all rows that were read, `events_used` those that count as events. `with_outcome` are the accounts
    whose outcome is known under the suggested settings, `base_rate` the share of them that stayed, and `shortfall` why
    a run could not answer, empty where it could. `signup_from` says what signups are: of the "table" of accounts, a
    "column" of the events, the first "signup event", the "first event", or as the format of that name tells.
    """

    format: str
    format_reason: str
    events_rows: int
    events_used: int
    event_names: int
    accounts: int
    users: int | None
    starts: str
    ends: str
    landmark: int
    with_outcome: int
    base_rate: float | None
    shortfall: str
    accounts_derived: bool
    signup_from: str
    recognised: tuple[RecognisedColumn, ...]
    events: tuple[EventProfile, ...]
    properties: tuple[PropertyProfile, ...]
    aliases: tuple[AliasSuggestion, ...]
    choices: tuple[Choice, ...]
    settings: Mapping[str, Mapping[str, Any]]
    quality: tuple[QualityFinding, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per event, most rows first."""
        import pandas as pd

        return pd.DataFrame([dataclasses.asdict(event) for event in self.events])

    @property
    def has_errors(self) -> bool:
        """Whether any finding stops a run."""
        return any(finding.severity == "error" for finding in self.quality)

    def to_json(self) -> str:
        """Return the profile as JSON text."""
        values = as_json_values({f.name: getattr(self, f.name) for f in dataclasses.fields(self)})
        return json.dumps({"schema": SCHEMA, **values}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
