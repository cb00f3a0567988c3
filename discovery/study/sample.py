"""The accounts of one search: all at the landmark, or those of one persona."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from discovery import estimate
from discovery.estimate import Adjustment, Beside, Comparison, CoxNull, FlagSums, NullModel, Scores
from discovery.exposure import Flags
from discovery.milestone import Condition

Floats = NDArray[np.float64]

FEWEST_DEPARTURES = 100
"""With fewer departures at the landmark than this, the score rests on the stated day alone."""
COMPACT_BEYOND = estimate.ENOUGH_ACCOUNTS
"""Beyond this many accounts the flags of a search among some of them are copied: it costs no more than these do."""


@dataclass(frozen=True, kw_only=True)
class Inside:
    """The single rules' flags that one search goes over, of n accounts: all, or those of the search alone.

    `accounts` are their places in the sample; `deciding` are the places among the n of the deciding model's accounts,
    `mature` those of the mature ones.
    """

    packed: NDArray[np.uint8]
    n: int
    accounts: NDArray[np.intp]
    deciding: NDArray[np.intp]
    mature: NDArray[np.intp]

    def scores(
        self, packed: NDArray[np.uint8], sums: FlagSums, null: NullModel | CoxNull, *, tails: bool = False
    ) -> Scores:
        """Score packed flags of these accounts beside a null model, from their sums; for tails, the deciding one."""
        return estimate.score_all(null, packed, self.n, self.deciding, tails=tails, known=sums.scores)


@dataclass(frozen=True, kw_only=True)
class Sums:
    """What single rules and conjunctions sum up to beside each null model of one search."""

    deciding: FlagSums
    horizon: FlagSums
    composition: FlagSums
    activity: FlagSums

    def without_halves(self) -> Sums:
        """Return the same sums without the half-samples."""
        return Sums(
            deciding=self.deciding.without_halves(),
            horizon=self.horizon.without_halves(),
            composition=self.composition.without_halves(),
            activity=self.activity.without_halves(),
        )


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What is known of n landmark accounts; `within` says which of them the search is about.

    `counts` has how often each did each of `events`, `act_counts` each of `acts`: events with tests. What happens at
    signup is named in `at_signup`, events, and `acts_at_signup`.
    """

    events: tuple[str, ...]
    flags: Flags
    counts: sparse.csc_array[Any]
    adjustment: Adjustment
    signup: NDArray[np.int64]
    segments: Mapping[str, NDArray[np.object_]]
    mature: NDArray[np.bool_]
    retained: NDArray[np.bool_]
    duration: NDArray[np.int64] | None
    departed: NDArray[np.bool_] | None
    outcome: Literal["retained", "active", "converted"]
    kinds: Mapping[str, str | None]
    apart: Mapping[str, tuple[str, str]]
    at_signup: frozenset[str]
    at_signup_words: str
    within: NDArray[np.bool_]
    asked_model: Literal["auto", "cox", "logistic"] = "auto"
    acts: tuple[str, ...] = ()
    acts_at_signup: frozenset[str] = frozenset()
    act_counts: sparse.csc_array[Any] | None = None

    def __len__(self) -> int:
        return len(self.within)

    def among(self, accounts: NDArray[np.bool_]) -> Sample:
        """Return the same sample for the search among some accounts only."""
        return dataclasses.replace(self, within=self.within & accounts)

    def counts_of(self, condition: Condition) -> list[tuple[str, Floats]]:
        """Return how often each account did a condition's event, and how often with its tests met, by name."""
        found = [(condition.event, self.counts[:, [self.events.index(condition.event)]])]
        if condition.where and condition.act_name in self.acts and self.act_counts is not None:
            found.append((condition.act_name, self.act_counts[:, [self.acts.index(condition.act_name)]]))
        return [(name, column.toarray().ravel().astype(float)) for name, column in found]

    @property
    def whole(self) -> bool:
        """Whether the search is about all accounts."""
        return len(self.everyone) == len(self)

    @cached_property
    def rows(self) -> NDArray[np.intp]:
        """Mature accounts of the search."""
        return np.flatnonzero(self.mature & self.within)

    @cached_property
    def everyone(self) -> NDArray[np.intp]:
        """Accounts of the search."""
        return np.flatnonzero(self.within)

    @cached_property
    def comparison(self) -> Comparison:
        """What the deciding comparison holds equal: later activity is also compared at equal inertia."""
        return "both" if self.outcome == "active" else "activity"

    @cached_property
    def horizon_null(self) -> NullModel:
        """The null model of the outcome on its stated day."""
        return estimate.logistic_null(self.adjustment, self.rows, self.retained, self.comparison)

    @cached_property
    def activity_null(self) -> NullModel:
        """The null model that knows traits and general activity."""
        if self.comparison == "activity":
            return self.horizon_null
        return estimate.logistic_null(self.adjustment, self.rows, self.retained, "activity")

    @cached_property
    def composition_null(self) -> NullModel:
        """The null model of the composition test."""
        return estimate.logistic_null(self.adjustment, self.rows, self.retained, "composition")

    @cached_property
    def traits_null(self) -> NullModel:
        """The null model that knows traits alone."""
        return estimate.logistic_null(self.adjustment, self.rows, self.retained, "traits")

    @cached_property
    def model(self) -> Literal["cox", "logistic"]:
        """Which model decides: the whole follow-up where enough departures are recorded, unless asked otherwise."""
        if self.duration is None or self.departed is None or self.outcome != "retained":
            return "logistic"
        if self.asked_model != "auto":
            return self.asked_model
        return "cox" if int(self.departed[self.within].sum()) >= FEWEST_DEPARTURES else "logistic"

    @cached_property
    def deciding(self) -> tuple[NullModel | CoxNull, NDArray[np.intp]]:
        """The null model whose scores decide, and the accounts it rests on."""
        if self.model == "logistic" or self.duration is None or self.departed is None:
            return self.horizon_null, self.rows
        cox = estimate.cox_null(
            self.adjustment, self.everyone, self.duration.astype(float), self.departed, self.comparison
        )
        return cox, self.everyone

    @cached_property
    def inertia_chance(self) -> Floats:
        """Each mature account's chance of the outcome by inertia alone."""
        return estimate.inertia_chance(self.composition_null.design, self.retained[self.rows])

    def of_mature(self, halves: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the rows of half-samples of the deciding model's accounts that are mature."""
        kept: NDArray[np.float32] = halves[np.isin(self.deciding[1], self.rows, assume_unique=True)]
        return kept

    @property
    def adjusted_for(self) -> tuple[str, ...]:
        """What candidates are adjusted for, in words."""
        names = self.adjustment.static.names
        traits = tuple(dict.fromkeys(trait for name in names if (trait := estimate.trait_of(name)) is not None))
        date = ("signup date",) if any(name.startswith("signup date") for name in names) else ()
        activity = ("general activity",) if self.adjustment.activity.names else ()
        inertia = ("amount, days and recency of activity",) if self.comparison == "both" else ()
        return (*traits, *date, *activity, *inertia)

    @cached_property
    def trait_columns(self) -> dict[str, tuple[int, ...]]:
        """Return the columns of the comparison's design that belong to each trait known at signup."""
        columns: dict[str, tuple[int, ...]] = {}
        for place, name in enumerate(self.adjustment.design(self.rows, self.comparison).names):
            trait = estimate.trait_of(name)
            if trait is not None:
                columns[trait] = (*columns.get(trait, ()), place)
        return columns

    @property
    def no_use(self) -> list[str]:
        """Events that are no use of the product: what happens to an account, and what belongs to the decision."""
        return [event for event, (status, _) in self.apart.items() if status in ("outcome_adjacent", "passive")]

    def inside(self) -> Inside:
        """Return the flags of a search; beyond `COMPACT_BEYOND` accounts those of its own accounts alone."""
        flags, deciding = self.flags.packed, self.deciding[1]
        if len(self) <= COMPACT_BEYOND or self.whole:
            return Inside(packed=flags, n=len(self), accounts=np.arange(len(self)), deciding=deciding, mature=self.rows)
        return Inside(
            packed=estimate.flags_of(flags, self.everyone),
            n=len(self.everyone),
            accounts=self.everyone,
            deciding=np.searchsorted(self.everyone, deciding).astype(np.intp),
            mature=np.searchsorted(self.everyone, self.rows).astype(np.intp),
        )

    def sums(self, inside: Inside, packed: NDArray[np.uint8], halves: NDArray[np.float32] | None = None) -> Sums:
        """Sum up packed flags of the accounts of `inside` beside every null model, in one pass.

        With `halves` of the deciding model's accounts, the sums of half-samples as well.
        """
        decides, rows = self.deciding
        mature = np.isin(rows, self.rows, assume_unique=True)
        nulls = {id(null): null for null in (self.horizon_null, self.composition_null, self.activity_null)}
        asked = [Beside(null=decides, halves=halves, scores_only=decides is not self.horizon_null)]
        asked += [Beside(null=null, inside=mature) for number, null in nulls.items() if number != id(decides)]
        found = {id(sums.beside.null): sums for sums in estimate.flag_sums(packed, inside.n, asked, inside.deciding)}
        return Sums(
            deciding=found[id(decides)],
            horizon=found[id(self.horizon_null)],
            composition=found[id(self.composition_null)],
            activity=found[id(self.activity_null)],
        )

    def scores(
        self,
        null: NullModel | CoxNull,
        rows: NDArray[np.intp],
        packed: NDArray[np.uint8],
        *,
        tails: bool = False,
    ) -> Scores:
        """Score packed flags beside a null model."""
        return estimate.score_all(null, packed, len(self), rows, tails=tails)
