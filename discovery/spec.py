"""What is asked of a study: `StudySpec` and its sections, from TOML, keywords or `--set`.

The same names are used in all three. Everything is frozen and checked once, here; the rooms that
follow trust what they are given.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo

from discovery.errors import SpecError

Day = 86_400_000_000
"""One day in microseconds, the unit of every clock inside."""


_NO_ZONES = ("localtime", "posixrules", "Factory")
"""Names that `zoneinfo` may find on a machine, but that mean another zone elsewhere, or none."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class EventsSpec(_Section):
    """Where the events are and which column is which; an empty name is recognised from the data."""

    source: str = Field("", alias="from")
    format: Literal["auto", "table"] = "auto"
    account: str = ""
    user: str = ""
    event: str = ""
    time: str = ""
    timezone: str = "UTC"
    id: str = ""
    duplicates: Literal["by_id", "exact", "keep"] = "by_id"

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value in _NO_ZONES or value.startswith(("posix/", "right/")):
            raise ValueError(f"{value!r} is not the name of one time zone; write it as in UTC or Europe/Berlin")
        try:
            ZoneInfo(value)
        except Exception as error:
            raise ValueError(f"{value!r} is not a time zone name such as UTC or Europe/Berlin") from error
        return value


class AccountsSpec(_Section):
    """Where the accounts are and which column is which; an empty name is recognised from the data.

    `segments` are the traits known at signup that the estimates adjust for. `None` recognises those
    that are constant by nature (channel, country, industry); an empty list adjusts for none.
    """

    source: str = Field("", alias="from")
    account: str = ""
    signup: str = ""
    churned: str = ""
    converted: str = ""
    observed_until: str | date | datetime = ""
    segments: tuple[str, ...] | None = None
    seats: str = ""
    exclude: str = ""


class ProductSpec(_Section):
    """How the product is sold: which time to value practitioners expect of it; empty where nobody has said."""

    motion: Literal["", "plg", "sales", "enterprise"] = ""


class OutcomeSpec(_Section):
    """What staying means. An empty `kind` is inferred from the columns that exist, and reported.

    `active_days = (a, b)` is `signup + a x 24 h <= t < signup + b x 24 h`.
    """

    kind: Literal["", "retained", "active", "converted"] = ""
    by_day: int = Field(90, ge=1, le=3650)
    active_days: tuple[int, int] = (21, 28)
    activity: tuple[str, ...] = ()
    passive: tuple[str, ...] = ()

    @field_validator("active_days")
    @classmethod
    def _ordered(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not 0 <= value[0] < value[1]:
            raise ValueError("active_days must be two days, the first before the second, as in [21, 28]")
        return value


class KindsSpec(_Section):
    """What events are. The user's word is final; a name may stand in one list only."""

    setup: tuple[str, ...] = ()
    value: tuple[str, ...] = ()
    collaboration: tuple[str, ...] = ()
    vanity: tuple[str, ...] = ()
    risk: tuple[str, ...] = ()
    outcome_adjacent: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_kind_each(self) -> Self:
        seen: dict[str, str] = {}
        for kind, names in self:
            for name in names:
                if name in seen:
                    raise ValueError(f"event {name!r} is listed as both {seen[name]} and {kind}; keep one")
                seen[name] = kind
        return self

    def of(self, event: str) -> str | None:
        """Return the kind the user gave to `event`, or None."""
        return next((kind for kind, names in self if event in names), None)


class CandidatesSpec(_Section):
    """The grid that is searched: `event at least k times within d days by at least u users`.

    `conjunctions` is the largest number of conditions that are combined by `and`; 1 searches single ones only.
    """

    window_days: int = Field(14, ge=1, le=365)
    at_least: tuple[int, ...] = (1, 2, 3, 5, 10)
    within_days: tuple[int, ...] = (1, 3, 7, 14)
    min_users: tuple[int, ...] = (1, 2, 3)
    conjunctions: int = Field(2, ge=1, le=3)
    min_reach: float = Field(0.05, ge=0, lt=1)
    max_reach: float = Field(0.95, gt=0, le=1)

    @field_validator("at_least", "within_days", "min_users")
    @classmethod
    def _ascending(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or min(value) < 1:
            raise ValueError("must hold at least one whole number, none below 1")
        return tuple(sorted(set(value)))

    @model_validator(mode="after")
    def _inside_window(self) -> Self:
        late = [d for d in self.within_days if d > self.window_days]
        if late:
            raise ValueError(
                f"within_days {late} lie beyond window_days = {self.window_days}; lower them, or widen the window"
            )
        if self.min_reach >= self.max_reach:
            raise ValueError("min_reach must be below max_reach")
        return self


class InferenceSpec(_Section):
    """Error rates, the seed, the smallest difference that would matter, and the model that decides.

    `model` "cox" scores the whole follow-up of `retained` outcomes, "logistic" the stated day alone; "auto" takes
    the first where at least 100 departures are recorded.
    """

    alpha: float = Field(0.05, gt=0, lt=0.5)
    seed: int = Field(0, ge=0)
    minimum_effect: float = Field(0.03, gt=0, lt=1)
    model: Literal["auto", "cox", "logistic"] = "auto"


class LadderSpec(_Section):
    """How many rungs a ladder has, and how often a rung must precede the milestone to be required."""

    rungs: tuple[int, int] = (3, 5)
    necessity: float = Field(0.8, gt=0.5, le=1)

    @field_validator("rungs")
    @classmethod
    def _ordered(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not 1 <= value[0] <= value[1]:
            raise ValueError("rungs must be a smallest and a largest number, as in [3, 5]")
        return value


class AssignmentSpec(_Section):
    """One past randomised test: the account column with the variant, and who could be assigned.

    Accounts without a value were not in it. `start` and `end` (exclusive) limit it to accounts that signed up then;
    `shares` are the planned shares of the variants, equal unless given. An empty `control` is recognised by its name.
    """

    column: str = Field(min_length=1)
    control: str = ""
    start: date | None = None
    end: date | None = None
    shares: dict[str, float] = {}

    @model_validator(mode="before")
    @classmethod
    def _named_alone(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start and self.end and self.start >= self.end:
            raise ValueError(f"start {self.start} is not before end {self.end}")
        if any(not 0 < share < 1 for share in self.shares.values()):
            raise ValueError("shares must lie between 0 and 1, as in {control = 0.5, checklist = 0.5}")
        return self


class ExperimentSpec(_Section):
    """Past randomised tests, as account columns with the variant: evidence beyond correlation."""

    assignment: tuple[AssignmentSpec, ...] = ()

    @field_validator("assignment", mode="before")
    @classmethod
    def _one_alone(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str | Mapping) else value

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        columns = [(test.column, test.start, test.end) for test in self.assignment]
        repeated = sorted({column for column, start, end in columns if columns.count((column, start, end)) > 1})
        if repeated:
            raise ValueError(f"assignment lists {', '.join(repeated)} twice; keep one")
        return self


class StudySpec(_Section):
    """Everything a study is asked. Sections and names are those of `discover.toml`."""

    events: EventsSpec = EventsSpec()
    accounts: AccountsSpec = AccountsSpec()
    product: ProductSpec = ProductSpec()
    outcome: OutcomeSpec = OutcomeSpec()
    kinds: KindsSpec = KindsSpec()
    candidates: CandidatesSpec = CandidatesSpec()
    inference: InferenceSpec = InferenceSpec()
    experiment: ExperimentSpec = ExperimentSpec()
    ladder: LadderSpec = LadderSpec()

    @model_validator(mode="after")
    def _horizon_after_window(self) -> Self:
        window = self.candidates.window_days
        first_day = self.outcome.active_days[0] if self.outcome.kind == "active" else self.outcome.by_day
        if self.outcome.kind == "active" and first_day < window:
            raise ValueError(
                f"outcome.active_days starts on day {first_day}, inside the {window}-day observation window; "
                f"start it at {window} or later"
            )
        if self.outcome.kind != "active" and first_day <= window:
            raise ValueError(
                f"outcome.by_day = {first_day} is not after the {window}-day observation window; "
                "raise it, or shorten candidates.window_days"
            )
        return self

    def as_dict(self) -> dict[str, Any]:
        """Return the spec as plain values, with the names of the TOML file and no empty entries."""
        dumped = self.model_dump(by_alias=True, mode="json")
        return {section: {k: v for k, v in values.items() if v is not None} for section, values in dumped.items()}

    def sha256(self) -> str:
        """Return the digest of the canonical spec."""
        canonical = json.dumps(self.as_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def build_spec(values: Mapping[str, Any], *, origin: str = "the spec") -> StudySpec:
    """Check nested plain values and return the spec.

    Raises
    ------
    SpecError
        If a section or key is unknown, or a value has the wrong type or lies out of range. Every
        fault found is named, with the nearest known name for an unknown one.
    """
    try:
        return StudySpec.model_validate(dict(values))
    except ValidationError as error:
        faults = [_fault(e["loc"], e["msg"], e["type"], e.get("input")) for e in error.errors()]
        raise SpecError(f"{origin} is not valid: " + "; ".join(faults) + ".") from error


def load_spec(path: str | Path, settings: Iterable[str] = ()) -> StudySpec:
    """Read a TOML spec; `settings` are overrides written `section.key=value`.

    Relative paths in `from` are read from the folder of the spec.

    Raises
    ------
    SpecError
        If the file is missing, is not TOML, or does not validate.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SpecError(f"There is no spec at {path}. Check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"The spec {path} cannot be read ({error}).") from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path} is not valid TOML: {error}. Mend that line.") from error
    for section in ("events", "accounts"):
        source = values.get(section, {}).get("from") if isinstance(values.get(section), dict) else None
        if isinstance(source, str) and source and "://" not in source:
            values[section]["from"] = str(path.parent / source)
    return build_spec(override(values, settings), origin=str(path))


def override(values: Mapping[str, Any], settings: Iterable[str]) -> dict[str, Any]:
    """Return `values` with each `section.key=value` applied; a value is read as TOML, else as text."""
    merged = {k: dict(v) if isinstance(v, Mapping) else v for k, v in values.items()}
    for setting in settings:
        name, equals, text = setting.partition("=")
        section, dot, key = name.strip().partition(".")
        if not (equals and dot and section and key):
            raise SpecError(f"--set {setting!r} is not of the form section.key=value, as in outcome.by_day=60.")
        if "\n" in text.strip() or "\r" in text.strip():
            raise SpecError(f"--set {setting!r} holds several lines. Write the value on one line, one --set for each.")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text.strip()
        held = merged.setdefault(section, {})
        if not isinstance(held, dict):
            raise SpecError(f"{section!r} is a value in the spec, not a section, so {setting!r} cannot be set.")
        held[key] = value
    return merged


def _fault(location: tuple[int | str, ...], message: str, kind: str, value: object) -> str:
    name = ".".join(str(part) for part in location)
    if kind == "extra_forbidden":
        known = _known_names(location[:-1])
        near = difflib.get_close_matches(str(location[-1]), known, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else f" (known: {', '.join(known)})"
        return f"unknown key {name!r}{hint}"
    message = _list_wanted(location) if kind == "tuple_type" else message.removeprefix("Value error, ")
    shown = "" if isinstance(value, Mapping | BaseModel) else f" (given: {value!r})"
    return f"{name}: {message}{shown}" if name else message


def _list_wanted(location: tuple[int | str, ...]) -> str:
    *section, key = location
    field = _section_fields(tuple(section)).get(str(key))
    example = '["a", "b"]' if field is not None and "str" in str(field.annotation) else "[1, 2]"
    return f"should be a list, as in {example}"


def _known_names(section: tuple[int | str, ...]) -> list[str]:
    return [field.alias or name for name, field in _section_fields(section).items()]


def _section_fields(section: tuple[int | str, ...]) -> dict[str, FieldInfo]:
    model: type[BaseModel] = StudySpec
    for part in section:
        field = model.model_fields.get(str(part))
        if field is None or not isinstance(field.annotation, type):
            return {}
        model = field.annotation
    return dict(model.model_fields)
