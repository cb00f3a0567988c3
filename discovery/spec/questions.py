"""What is asked of the data: the outcome, the kinds of events, the candidates, the error rates, the ladders."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from discovery.spec.section import Section


class ProductSpec(Section):
    """How the product is sold: which time to value practitioners expect of it; empty where nobody has said."""

    motion: Literal["", "plg", "sales", "enterprise"] = ""


class OutcomeSpec(Section):
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


class KindsSpec(Section):
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


class CandidatesSpec(Section):
    """The grid that is searched: `event at least k times within d days by at least u users`.

    `conjunctions` is the largest number of conditions that are combined by `and`; 1 searches single ones only.
    `properties` are columns or paths of the events, or `by_other`, whose values are searched as conditions of every
    event that has them.
    """

    window_days: int = Field(14, ge=1, le=365)
    at_least: tuple[int, ...] = (1, 2, 3, 5, 10)
    within_days: tuple[int, ...] = (1, 3, 7, 14)
    min_users: tuple[int, ...] = (1, 2, 3)
    conjunctions: int = Field(2, ge=1, le=3)
    properties: tuple[str, ...] = ()
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


class InferenceSpec(Section):
    """Error rates, the seed, the smallest difference that would matter, and the model that decides.

    `model` "cox" scores the whole follow-up of `retained` outcomes, "logistic" the stated day alone; "auto" takes
    the first where at least 100 departures are recorded.
    """

    alpha: float = Field(0.05, gt=0, lt=0.5)
    seed: int = Field(0, ge=0)
    minimum_effect: float = Field(0.03, gt=0, lt=1)
    model: Literal["auto", "cox", "logistic"] = "auto"


class LadderSpec(Section):
    """How many rungs a ladder has, and how often a rung must precede the milestone to be required."""

    rungs: tuple[int, int] = (3, 5)
    necessity: float = Field(0.8, gt=0.5, le=1)

    @field_validator("rungs")
    @classmethod
    def _ordered(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not 1 <= value[0] <= value[1]:
            raise ValueError("rungs must be a smallest and a largest number, as in [3, 5]")
        return value


class AssignmentSpec(Section):
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


class ExperimentSpec(Section):
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
