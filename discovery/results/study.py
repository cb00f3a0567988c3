"""What a study answers: verdict, population, ranking, personas, ladders, and what produced them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from discovery.errors import Caution
from discovery.results.estimates import SCHEMA, Estimate, as_json_values
from discovery.results.ladders import Ladder
from discovery.results.quality import QualityFinding, RecognisedColumn
from discovery.results.rendering import renderer

if TYPE_CHECKING:
    import pandas as pd


VerdictStatus = Literal["found", "lead", "none", "insufficient"]
FamilyStatus = Literal[
    "found", "lead", "habit", "harm", "unsupported", "outcome_adjacent", "at_signup", "passive", "volume_axis"
]
UNRANKED: tuple[FamilyStatus, ...] = ("outcome_adjacent", "at_signup", "passive", "volume_axis")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the study says, in one word and one sentence."""

    status: VerdictStatus
    milestone: str | None
    sentence: str
    reasons: tuple[str, ...] = ()
    persona: str | None = None
    minimum_detectable: float | None = None
    accounts_needed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """The account flow, in which every account is counted once.

    Each is `excluded`, `unusable`, `before_log`, `decided_before_landmark`, `not_observed_to_landmark`, or at
    the `landmark`; `mature` and `retained` are parts of the last.
    """

    accounts: int
    excluded: int
    before_log: int
    not_observed_to_landmark: int
    decided_before_landmark: int
    landmark: int
    mature: int
    retained: int
    base_rate: float | None
    unusable: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeSummary:
    """What staying meant in this study, in words that follow "an account ..."."""

    kind: Literal["retained", "active", "converted"]
    stayed: str
    left: str
    inferred: bool
    by_day: int | None
    active_days: tuple[int, int] | None
    window_days: int
    has_departures: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedFamily:
    """One event family, represented by its best candidate.

    `reach` and `n_reached` are among all landmark accounts; retention and everything estimated from it, among
    the mature ones. `adjusted` rests on accounts that took no part in choosing the rule; `composition` compares
    at the same number of actions, on as many days, as recently; `latest` is the adjusted difference among the
    latest quarter of signups.

    Scores are signed z values: `score` decides and is beside everything measured; chance alone keeps the largest
    score of the whole search below `bound`; `horizon_score` is the one of
    the stated day alone, `composition_score` that of the composition test, and `threshold_score` says whether the
    rule separates beyond a smooth function of its own event's count. `overlap` is the share of accounts that could
    have gone either way. `left_over` is what would remain of the difference if something as strong as
    `strongest_trait` had not been measured.
    """

    rank: int | None
    family: str
    milestone: str
    conditions: tuple[Mapping[str, Any], ...]
    status: FamilyStatus
    kind: str | None
    reach: float
    n_reached: int
    retained_if_reached: float | None
    retained_if_not: float | None
    lift: float | None
    phi: float | None
    odds_ratio: float | None
    adjusted: Estimate
    naive_difference: Estimate
    hazard_ratio: Estimate | None
    adjusted_odds_ratio: Estimate | None
    score: float | None
    p_adjusted: float | None
    q_value: float | None
    proportional_hazards_p: float | None = None
    second_opinion_rank: int | None = None
    stability: float | None = None
    equivalent: tuple[str, ...] = ()
    cluster: int | None = None
    median_days_to_reach: float | None = None
    bound: float | None = None
    horizon_score: float | None = None
    composition: Estimate | None = None
    composition_score: float | None = None
    threshold_score: float | None = None
    latest: Estimate | None = None
    overlap: float | None = None
    e_value: float | None = None
    robustness_value: float | None = None
    strongest_trait: str | None = None
    left_over: float | None = None
    explained_away: str | None = None
    reason: str | None = None
    warnings: tuple[Caution, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """The same search among the accounts of one segment value, the number of segments counted.

    `heterogeneity_p` is Cochran's test that the adjusted difference of the persona's first rule is the same for
    every value of the segment; `shrunken` is that difference drawn towards the mean of all values, as far as they
    agree.
    """

    persona: str
    accounts: int
    verdict: Verdict
    ranking: tuple[RankedFamily, ...]
    heterogeneity_p: float | None = None
    shrunken: Estimate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivalCurve:
    """A Kaplan-Meier curve from the landmark, with pointwise intervals and at-risk counts on a few days."""

    label: str
    days: tuple[float, ...]
    survival: tuple[float, ...]
    ci_lower: tuple[float, ...]
    ci_upper: tuple[float, ...]
    at_risk_days: tuple[float, ...]
    at_risk: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondOpinion:
    """One family in the order in which an L1-penalised logistic path admits them."""

    rank: int
    family: str
    milestone: str
    sign: Literal["+", "-"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedProperty:
    """One property of events that was searched as a condition: the tested events, and what was left out and why."""

    name: str
    conditions: tuple[str, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateTable:
    """Every candidate that was searched, column by column; one value per candidate in each column."""

    columns: Mapping[str, Sequence[Any]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def to_frame(self) -> pd.DataFrame:
        """Return one row per candidate, in the order of the search."""
        import pandas as pd

        return pd.DataFrame(dict(self.columns))


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What produced the result. Nothing else in the result changes between identical runs."""

    version: str
    spec_sha256: str
    input_sha256: str
    seed: int
    seconds: float
    events_rows: int
    created_at: str


_NO_TIMES = (
    "Ladders ask when each event happened, and aggregates do not say; run on the events, or on those of a sample of "
    "accounts."
)


@dataclass(frozen=True, kw_only=True)
class StudyResult:
    """The whole answer of a study."""

    verdict: Verdict
    population: Population
    outcome: OutcomeSummary
    ranking: tuple[RankedFamily, ...]
    ladders: tuple[Ladder, ...]
    quality: tuple[QualityFinding, ...]
    recognised: tuple[RecognisedColumn, ...]
    second_opinion: tuple[SecondOpinion, ...]
    curves: tuple[SurvivalCurve, ...]
    searched: int
    settings: Mapping[str, Mapping[str, Any]]
    provenance: Provenance
    candidates: CandidateTable = field(repr=False)
    personas: tuple[Persona, ...] = ()
    score_model: Literal["cox", "logistic"] = "logistic"
    adjusted_for: tuple[str, ...] = ()
    opened: tuple[OpenedProperty, ...] = ()

    @property
    def ladders_left_out(self) -> str:
        """Why no ladder was asked for; empty where one was."""
        return _NO_TIMES if any(finding.code == "aggregates_only" for finding in self.quality) else ""

    def report(self, path: str | PathLike[str]) -> Path:
        """Write the self-contained HTML report to `path` and return it."""
        return renderer().write(self, Path(path))

    def _repr_html_(self) -> str:
        return renderer().cards(self)

    def to_frame(self) -> pd.DataFrame:
        """Return the ranking, one row per family, estimates spread over `_estimate`, `_ci_lower`, `_ci_upper`."""
        import pandas as pd

        return pd.DataFrame([_flat(family) for family in self.ranking])

    def to_dict(self) -> dict[str, Any]:
        """Return the content of `result.json`: plain values, None for what is not known."""
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "candidates"}
        return {"schema": SCHEMA, **as_json_values(plain)}

    def to_json(self) -> str:
        """Return `result.json` as text: floats carry nine significant digits, null stands for unknown."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _flat(family: RankedFamily) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for f in dataclasses.fields(family):
        value = getattr(family, f.name)
        if isinstance(value, Estimate):
            row[f"{f.name}_estimate"] = value.estimate
            row[f"{f.name}_ci_lower"] = value.ci_lower
            row[f"{f.name}_ci_upper"] = value.ci_upper
        elif f.name not in ("conditions", "equivalent"):
            row[f.name] = value
    return row
