"""What a validation answers: for each proposed milestone a verdict, its criteria, and what would prove it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from discovery.results.estimates import SCHEMA, Estimate, as_json_values
from discovery.results.experiments import ExperimentPlan
from discovery.results.quality import QualityFinding, RecognisedColumn
from discovery.results.rendering import renderer
from discovery.results.study import OutcomeSummary, Population, Provenance, SurvivalCurve

if TYPE_CHECKING:
    import pandas as pd

ProposalVerdict = Literal["holds", "does not hold", "not enough data"]
CriterionName = Literal[
    "predictive",
    "better than vanity",
    "adds beyond onboarding",
    "observable",
    "early",
    "narrow but reachable",
    "precedes separation",
    "stable",
    "specific threshold",
    "repeatable",
    "not the outcome in disguise",
    "confounding",
    "beaten by none",
    "experimental evidence",
]
CriterionStatus = Literal["pass", "warn", "fail"]
Origin = Literal["registered", "independent", "searched"]
DecidedBy = Literal["difference", "criterion", "experiment"]
PRODUCT_TRUTH = (
    "Would a reasonable customer who hit this moment and nothing else tell a friend that the product does what it says?"
)
"""The question no log can answer; the report puts it to the team."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One line of the scorecard.

    `value` is in `unit`: "points" (a difference between shares, 0.1 is ten points), "share", "days", "p", "ratio"
    (such as an E-value) or "count". Where a criterion could not be judged, `judged` is False, `status` "warn", `value`
    None, and the sentence says why. `decides` marks a failure that alone makes the verdict "does not hold".
    """

    name: CriterionName
    status: CriterionStatus
    sentence: str
    value: float | None = None
    unit: str = ""
    judged: bool = True
    decides: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortRow:
    """The proposal among accounts that signed up in one part of the log; dates are the first and last signup day."""

    first: str
    last: str
    n_accounts: int
    reach: float
    difference: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRow:
    """The proposal among the accounts of one segment value; `p_differs` is of the whole segment, Holm-corrected."""

    segment: str
    value: str
    n_accounts: int
    reach: float
    difference: Estimate
    p_differs: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A rule beside the proposal: another threshold of the same behaviour.

    `ahead` is how many standard errors its score lies above the proposal's; `alike` says that the data cannot tell
    the two apart.
    """

    milestone: str
    reach: float
    difference: Estimate
    ahead: float | None
    alike: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Competitor:
    """The best rule of another family, beside the proposal: `ahead` as in `Neighbour`."""

    family: str
    milestone: str
    reach: float
    difference: Estimate
    ahead: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnboardingGroup:
    """Accounts by how far they came: `retained` is their plain share, `adjusted` the difference to the first group."""

    label: str
    n_accounts: int
    retained: Estimate
    adjusted: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaching:
    """How soon accounts reach the proposal: `by_day` has (days, share of all accounts), quartiles of those that do."""

    by_day: tuple[tuple[float, float], ...]
    median_days: float | None
    quartile_days: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatUse:
    """What accounts did after reaching it: shares that did its events again on a later day; descriptive.

    The weeks begin a day after reaching it: `again` is within the four, `weekly` in each, among `n_accounts` that could
    be followed for 29 days.
    """

    n_accounts: int
    again: Estimate
    weekly: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """What these data could have shown about this proposal, with 80 % power at the level that decides.

    `minimum_detectable` is a difference in retention; `accounts_needed` (with a known outcome) would show one of
    `minimum_effect`; `accounts_missing` are still to come, some of them signed up already (`on_their_way`);
    `weeks` until they are all judged, at the observed signups. None where no number of accounts would do.
    """

    minimum_detectable: float | None
    accounts_needed: int | None
    accounts_missing: int | None
    on_their_way: int
    weeks: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedFamily:
    """A behaviour other than the proposal that differs between the arms of a past experiment."""

    milestone: str
    difference: Estimate
    material: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PastExperiment:
    """One past randomised test, read as an encouragement to reach the proposal.

    `first_stage` is the difference in reaching it, `intention_to_treat` that in staying, both between variant and
    control. `complier` is the effect among accounts that the variant moved, with an Anderson-Rubin interval: a bound
    that is None is open; `shape` says whether the set is an interval, has open ends, or is the whole line.
    `claims` says what may be claimed: the effect among those moved, the intention to treat alone, or nothing.
    """

    column: str
    control: str
    variant: str
    first_signup: str | None
    last_signup: str | None
    accounts: tuple[int, int]
    expected_share: float
    sample_ratio_p: float | None
    first_stage: Estimate | None
    first_stage_f: float | None
    intention_to_treat: Estimate | None
    complier: Estimate | None
    shape: Literal["interval", "half-line", "two rays", "line"] | None
    moved: tuple[MovedFamily, ...]
    claims: Literal["complier", "intention to treat", "nothing"]
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What differs from an earlier run: the earlier and the present value as people read them.

    Of a rule that the earlier run did not judge, the verdict `before` is "not judged"; a study's "found" is "holds".
    """

    what: Literal["verdict", "difference", "reach", "base rate", "accounts", "criterion"]
    before: str
    now: str
    sentence: str
    notable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderStep:
    """One rung of a proposed ladder, in these accounts; `before_milestone` is of those that reach the milestone."""

    milestone: str
    reach: float
    step_conversion: float | None
    before_milestone: float | None
    median_days: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One proposed milestone and what becomes of it.

    `decided_by` says what the verdict rests on: the interval of the adjusted "difference", a "criterion" that alone
    decides or leaves it open, or a past "experiment". `adjusted` is the difference with the interval that decides where
    the difference does. `coverage` is of its lower end, that of an interval so wide on both sides: wider than usual
    where it answers for several proposals, or for a search. The upper end answers for the number of proposals alone; of
    a single one it is the usual. `unwidened` is the same difference with the usual interval. Both rest on
    `n_accounts`; reach is among `n_described`. `better` is a rule that does better, if any; `alike` are those that
    cannot be told from this one. `composition` (activity outcomes) compares at the same number of actions, days and
    recency.
    """

    milestone: str
    verdict: ProposalVerdict
    sentence: str
    reasons: tuple[str, ...]
    decided_by: DecidedBy
    reach: float
    n_reached: int
    n_described: int
    n_accounts: int
    retained_if_reached: float | None
    retained_if_not: float | None
    naive_difference: Estimate
    adjusted: Estimate
    unwidened: Estimate
    coverage: float
    p_value: float | None
    p_adjusted: float | None
    criteria: tuple[Criterion, ...]
    better: str | None
    power: Power
    product_truth: str = PRODUCT_TRUTH
    latest: Estimate | None = None
    composition: Estimate | None = None
    alike: tuple[str, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    competitors: tuple[Competitor, ...] = ()
    cohorts: tuple[CohortRow, ...] = ()
    segments: tuple[SegmentRow, ...] = ()
    onboarding: tuple[OnboardingGroup, ...] = ()
    reaching: Reaching | None = None
    repeat: RepeatUse | None = None
    evidence: tuple[PastExperiment, ...] = ()
    experiment: ExperimentPlan | None = None
    curves: tuple[SurvivalCurve, ...] = ()
    ladder: tuple[LadderStep, ...] = ()
    since: str | None = None
    changes: tuple[Change, ...] = ()

    def criterion(self, name: CriterionName) -> Criterion | None:
        """Return one line of the scorecard, or None where it is not on it."""
        return next((criterion for criterion in self.criteria if criterion.name == name), None)

    def deciding_test(self) -> PastExperiment | None:
        """Return the past experiment whose effect decided the verdict, or None where none did."""
        line = self.criterion("experimental evidence")
        if self.decided_by != "experiment" or line is None or line.value is None:
            return None
        spoke = (test for test in self.evidence if test.claims == "complier" and test.complier is not None)
        return next((test for test in spoke if test.complier and test.complier.estimate == line.value), None)


@dataclass(frozen=True, kw_only=True)
class ValidationResult:
    """The answer to "is our first value moment real?", one proposal after the other as they were given.

    `origin` says what the search penalty is: "registered" (accounts that signed up from `registered` on decide),
    "independent" (the team says that the proposal did not come from these data) or "searched" (it may have: the
    interval answers for all `searched` rules). Accounts that signed up before `judged_through` are judged: whole weeks
    whose outcome is known, so that a verdict changes only when a new week has matured. `first` is the rule the search
    over the same accounts puts first, with `first_status`.
    """

    proposals: tuple[Proposal, ...]
    origin: Origin
    registered: str | None
    correction: str
    judged: int
    judged_through: str | None
    searched: int
    first: str | None
    first_status: str | None
    population: Population
    outcome: OutcomeSummary
    adjusted_for: tuple[str, ...]
    quality: tuple[QualityFinding, ...]
    recognised: tuple[RecognisedColumn, ...]
    settings: Mapping[str, Mapping[str, Any]]
    provenance: Provenance
    compared_with: str | None = None

    def report(self, path: str | PathLike[str]) -> Path:
        """Write the self-contained HTML report to `path` and return it."""
        return renderer().write(self, Path(path))

    def _repr_html_(self) -> str:
        return renderer().cards(self)

    def to_frame(self) -> pd.DataFrame:
        """Return the scorecard: one row per proposal and criterion."""
        import pandas as pd

        return pd.DataFrame(
            [
                {"milestone": proposal.milestone, "verdict": proposal.verdict, **dataclasses.asdict(criterion)}
                for proposal in self.proposals
                for criterion in proposal.criteria
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the content of `validation.json`: plain values, None for what is not known."""
        return {"schema": SCHEMA, **{f.name: as_json_values(getattr(self, f.name)) for f in dataclasses.fields(self)}}

    def to_json(self) -> str:
        """Return `validation.json` as text: floats carry nine significant digits, null stands for unknown."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
