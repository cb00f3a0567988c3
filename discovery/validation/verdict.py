"""Whether a proposal holds: the interval that decides, the three verdicts and their words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from discovery import estimate, wording
from discovery.experiment import Says
from discovery.results import Criterion, DecidedBy, Estimate, Origin, Power, ProposalVerdict
from discovery.validation.case import Case
from discovery.validation.words import oftener

Floats = NDArray[np.float64]

POWER = 0.8
LATEST = 0.25
"""Share of the accounts, by signup, whose difference must not contradict the rest."""
FEWEST_LATEST = 100
FEWEST_ON_A_SIDE, FEWEST_DECIDING = 10, 100


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Effect:
    """The adjusted difference of one proposal over the accounts that decide.

    `bound` is the score a search over the same accounts reaches by chance; `spread` the standard error times the root
    of the accounts, from all judged ones where those that decide are too few; `inertia`, for `active` outcomes, the
    sizes of the proposal's score where nothing but inertia acts.
    """

    estimate: float
    se: float
    n: int
    bound: float
    spread: float
    inertia: Floats | None = None

    @property
    def known(self) -> bool:
        """Whether it could be estimated."""
        return bool(np.isfinite(self.estimate) and np.isfinite(self.se) and self.se > 0)

    @property
    def p_value(self) -> float:
        """Two-sided, of this proposal alone; 1 where nothing could be estimated."""
        if not self.known:
            return 1.0
        size = abs(self.estimate / self.se)
        p = 2 * float(ndtr(-size))
        return p if self.inertia is None else max(p, (1 + int((self.inertia >= size).sum())) / (1 + len(self.inertia)))

    def lower_reach(self, alpha: float) -> float:
        """Return how many standard errors below the estimate the interval of one proposal ends."""
        z = estimate.normal_quantile(alpha)
        return z if self.inertia is None else max(z, float(np.quantile(self.inertia, 1 - alpha)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The interval that decides, with its coverage, and what the correction makes of the p-value."""

    adjusted: Estimate
    unwidened: Estimate
    coverage: float
    p_value: float | None
    p_adjusted: float | None
    reach: float


def effect_of(case: Case, bound: float, inertia: Floats | None = None) -> Effect:
    """Estimate the adjusted difference over the accounts that decide."""
    flag = case.flag[:, case.decides]
    reached = int(flag.sum())
    few = min(reached, flag.shape[1] - reached) < FEWEST_ON_A_SIDE or flag.shape[1] < FEWEST_DECIDING
    if few or case.deciding is None or not case.deciding.converged:
        everybody = estimate.adjusted_difference(case.null, case.flag)
        spread = float(everybody.se[0]) * float(np.sqrt(everybody.n)) if case.null.converged else np.nan
        return Effect(estimate=np.nan, se=np.nan, n=flag.shape[1], bound=bound, spread=spread)
    fitted = estimate.adjusted_difference(case.deciding, flag)
    se = float(fitted.se[0])
    return Effect(
        estimate=float(fitted.estimate[0]),
        se=se,
        n=fitted.n,
        bound=bound,
        spread=se * float(np.sqrt(fitted.n)),
        inertia=inertia,
    )


def decide(effects: Sequence[Effect], origin: Origin, alpha: float) -> list[Decision]:
    """Return the interval that decides on each proposal.

    Where a search over the same accounts may have proposed it, the lower bound answers for the whole search: what was
    chosen for standing out is overstated, never understated. Otherwise the proposals answer for each other alone
    (Holm): those already shown leave more to the rest. The upper bounds always answer for the proposals alone
    (Bonferroni): what Holm's procedure leaves to the last would be too much for a second kind of error.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6, 65-70.
    """
    p = np.array([effect.p_value for effect in effects])
    upper = estimate.normal_quantile(alpha / max(1, len(effects)))
    if origin == "searched":
        lower = [max(effect.bound, effect.lower_reach(alpha)) for effect in effects]
        adjusted_p = [
            min(1.0, alpha * float(ndtr(-_size(e)) / ndtr(-reach))) for e, reach in zip(effects, lower, strict=True)
        ]
    else:
        levels = [float(level) for level in estimate.holm_levels(p, alpha)]
        lower = [effect.lower_reach(level) for effect, level in zip(effects, levels, strict=True)]
        adjusted_p = [float(value) for value in estimate.holm(p)]
    return [
        _decision(effect, below, upper, adjusted, alpha)
        for effect, below, adjusted in zip(effects, lower, adjusted_p, strict=True)
    ]


def _size(effect: Effect) -> float:
    return abs(effect.estimate / effect.se) if effect.known else 0.0


def _decision(effect: Effect, below: float, above: float, p_adjusted: float, alpha: float) -> Decision:
    return Decision(
        adjusted=_interval(effect, below, above),
        unwidened=_interval(effect, effect.lower_reach(alpha), estimate.normal_quantile(alpha)),
        coverage=1 - 2 * float(ndtr(-below)),
        p_value=effect.p_value if effect.known else None,
        p_adjusted=p_adjusted if effect.known else None,
        reach=below,
    )


def _interval(effect: Effect, below: float, above: float) -> Estimate:
    known = effect.known
    return Estimate(
        estimate=effect.estimate if known else None,
        ci_lower=effect.estimate - below * effect.se if known else None,
        ci_upper=effect.estimate + above * effect.se if known else None,
        scale="risk difference",
        estimand="overlap-weighted",
        n_accounts=effect.n,
        status="ok" if known else "too_few",
    )


def latest(case: Case) -> Estimate | None:
    """Estimate the difference among the latest quarter of the signups; None where they are too few."""
    if case.decides.sum() < FEWEST_LATEST:
        return None
    late = case.decides & (case.signup >= np.quantile(case.signup[case.decides], 1 - LATEST))
    sides = int(case.met[late].sum()), int((~case.met[late]).sum())
    if late.sum() < FEWEST_LATEST or min(sides) < FEWEST_ON_A_SIDE:
        return None
    return estimate.difference_among(case.null, case.flag, late, case.alpha)


def predictive(case: Case, decision: Decision, late: Estimate | None) -> Criterion:
    """Judge the adjusted difference, and whether it held up among the latest signups."""
    adjusted, least = decision.adjusted, case.minimum_effect
    if adjusted.estimate is None or adjusted.ci_lower is None or adjusted.ci_upper is None:
        return Criterion(
            name="predictive",
            status="warn",
            judged=False,
            sentence=_too_few(case),
        )
    said = f"At equal activity, {_more(case, adjusted)}"
    if adjusted.ci_upper < least:
        ending = f": less than the {wording.points(least, plus=False)} that would matter."
        if adjusted.ci_upper < 0:
            ending = ": it goes with the worse outcome."
        return Criterion(
            name="predictive",
            status="fail",
            value=adjusted.estimate,
            unit="points",
            decides=True,
            sentence=said + ending,
        )
    if not (adjusted.ci_lower > 0 and adjusted.estimate >= least):
        ending = ", which is not clear of 0." if adjusted.ci_lower <= 0 else ", which may be too little to matter."
        return Criterion(
            name="predictive", status="warn", value=adjusted.estimate, unit="points", sentence=said + ending
        )
    lost = late is not None and late.ci_upper is not None and late.ci_upper < adjusted.estimate
    return Criterion(
        name="predictive",
        status="warn" if lost else "pass",
        value=adjusted.estimate,
        unit="points",
        sentence=f"{said}{_among_latest(late, lost)}.",
    )


def _too_few(case: Case) -> str:
    met, n = case.met[case.decides], int(case.decides.sum())
    if not n:
        return "No account that signed up since the proposal was registered has a known outcome yet."
    reached = int(met.sum())
    return (
        f"Of {wording.count(n)} accounts that decide {wording.count(reached)} reached it and "
        f"{wording.count(n - reached)} did not: too few to estimate a difference; {FEWEST_ON_A_SIDE} are needed on "
        f"either side, and {FEWEST_DECIDING} in all."
    )


def _more(case: Case, adjusted: Estimate) -> str:
    return f"accounts that reached it {oftener(case.outcome, adjusted)}"


def _among_latest(late: Estimate | None, lost: bool) -> str:
    if late is None:
        return "; too few signed up lately to look at them alone"
    number, interval = wording.points_estimate(late)
    alone = "" if lost or (late.ci_lower or 0.0) > 0 else ", too few to say by themselves"
    return f"; {'only ' if lost else ''}{number} {interval} among the latest quarter of signups{alone}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What a verdict rests on beside the interval that decides; `better` is a rule that separates better, if any."""

    plain: Estimate
    better: str | None
    power: Power
    origin: Origin
    standing: Says


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """The verdict, its sentence, its reasons, and what decided it."""

    verdict: ProposalVerdict
    sentence: str
    reasons: tuple[str, ...]
    decided_by: DecidedBy = "difference"


def conclude(case: Case, decision: Decision, criteria: Sequence[Criterion], grounds: Grounds) -> Conclusion:
    """Return the verdict with its reasons.

    It holds if the lower bound lies above 0, the estimate is at least the smallest that matters and nothing
    disqualifies it; it does not if the upper bound lies below that, or something does. A past experiment that moved
    this behaviour alone outranks every comparison of accounts.
    """
    name, compared = f"“{case.milestone}”", _compared(decision, grounds.plain)
    outranked = _COMPARISONS if grounds.standing == "supports" else ()
    failed = [c for c in criteria if c.decides and c.status == "fail" and c.name not in outranked]
    if failed:
        return Conclusion(
            verdict="does not hold",
            sentence=f"{name} does not hold: {_begun_small(failed[0].sentence)}",
            reasons=(*(criterion.sentence for criterion in failed[1:]), *compared),
            decided_by=_DECIDES.get(failed[0].name, "criterion"),
        )
    tried = next((criterion.sentence for criterion in criteria if criterion.name == "experimental evidence"), "")
    if grounds.standing == "supports":
        alone = "" if _shows(case, decision) else ", although the comparison of accounts alone does not show it"
        sentence = f"{name} holds: a past experiment supports it{alone}."
        return Conclusion(verdict="holds", sentence=sentence, reasons=(tried, *compared), decided_by="experiment")
    doubt = _doubt(case, decision, criteria, grounds.standing, tried)
    if doubt:
        said, *why = doubt
        shown = _shows(case, decision)
        beside: DecidedBy = "experiment" if grounds.standing == "contradicts" else "criterion"
        return Conclusion(
            verdict="not enough data",
            sentence=f"These data cannot say whether {name} holds: {said}",
            reasons=(*why, *compared, *(() if shown else _missing(grounds, case.minimum_effect))),
            decided_by=beside if shown else "difference",
        )
    but = "" if grounds.better is None else f", but “{grounds.better}” separates better"
    sentence = f"{name} holds: at equal activity, {_more(case, decision.adjusted)}{but}."
    return Conclusion(verdict="holds", sentence=sentence, reasons=(*compared, _PROOF))


_PROOF = "This is an association in past accounts: an experiment is what would prove it."
_COMPARISONS = ("predictive", "better than vanity")
_DECIDES: Mapping[str, DecidedBy] = {"predictive": "difference", "experimental evidence": "experiment"}


def _shows(case: Case, decision: Decision) -> bool:
    adjusted = decision.adjusted
    clear = adjusted.ci_lower is not None and adjusted.ci_lower > 0
    return clear and adjusted.estimate is not None and adjusted.estimate >= case.minimum_effect


def _doubt(
    case: Case, decision: Decision, criteria: Sequence[Criterion], standing: Says, tried: str
) -> tuple[str, ...]:
    """Return why it is not shown to hold, with what stands behind that; nothing where it is."""
    adjusted, least = decision.adjusted, case.minimum_effect
    if adjusted.estimate is None or adjusted.ci_lower is None:
        return (_begun_small(_too_few(case)),)
    if not _shows(case, decision):
        number, interval = wording.points_estimate(adjusted)
        may = "may be nothing" if adjusted.ci_lower <= 0 else f"may be less than {wording.points(least, plus=False)}"
        return (f"the adjusted difference of {number} {interval} {may}.",)
    if standing == "contradicts":
        number, interval = wording.points_estimate(adjusted)
        test = next((c.value for c in criteria if c.name == "experimental evidence"), None)
        found = "" if test is None else f" ({wording.points(test)} among the accounts it moved)"
        return (
            f"comparable accounts differ by {number} {interval}, but a past experiment does not bear it out{found}.",
            tried,
        )
    beside = next((c for c in criteria if c.name == "better than vanity"), None)
    if case.outcome == "active" and beside is not None and beside.status != "pass":
        return ("it may be no more than being active at all.", beside.sentence)
    return ()


def _compared(decision: Decision, plain: Estimate) -> tuple[str, ...]:
    """Set the plain difference beside the adjusted one."""
    if plain.estimate is None or decision.adjusted.estimate is None:
        return ()
    before, after = wording.points_estimate(plain)[0], wording.points_estimate(decision.adjusted)[0]
    return (f"The plain difference is {before}, that among comparably active accounts {after}.",)


def _begun_small(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _missing(grounds: Grounds, least: float) -> tuple[str, ...]:
    """Say what would settle it: how many more accounts, when, and what spares the search penalty."""
    power, wanted, said = grounds.power, wording.points(least, plus=False), []
    if power.accounts_missing and power.weeks is not None:
        more = wording.count(power.accounts_missing)
        when = wording.lasting(max(1.0, power.weeks))
        said.append(
            f"To tell a difference of {wanted} from none, some {more} more accounts with a known outcome are missing: "
            f"{when} at today's signups."
        )
    if grounds.origin == "searched":
        said.append(
            "A proposal written down before the accounts sign up (--registered DATE), or one that did not come from "
            "these data (--independent), need not answer for a search, and needs fewer accounts."
        )
    return tuple(said)
