"""What something unmeasured would have to be like to explain the proposal's difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from discovery import estimate, wording
from discovery.results import Criterion, CriterionStatus
from discovery.validation.case import Case, Floats

MOST_KEPT: Final = 2 / 3
"""Share of the difference that should be left once more is adjusted for than what was known at signup."""
ALL: Final = 0.95
LITTLE: Final = 0.01
"""Share of the remaining variance of the outcome below which a trait says little of who stays."""
_REMEDY: Final = "No log can rule it out."


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """How far the adjusted difference is exposed to what was not measured.

    Attributes
    ----------
    difference : float
        Adjusted, above 0.
    kept : float
        Share of the difference beside the traits alone that is left beside everything; above 1 where adjusting
        brings it out.
    e_value : float or None
    robustness_value : float
    strongest : str or None
        The known trait whose like, unmeasured, would take most away; None where none is known.
    left_over : float or None
        What would be left of the difference then.
    weak : bool
        Whether that trait is the only known one and says little of the outcome, so that its like is no measure.
    """

    difference: float
    kept: float
    e_value: float | None
    robustness_value: float
    strongest: str | None
    left_over: float | None
    weak: bool


def confounding(case: Case) -> Criterion:
    """Judge how strong something unmeasured would have to be to explain the difference; never decides.

    Returns
    -------
    Criterion
        Its value is the E-value, a ratio. Passed where something as strong as the strongest known trait would leave
        `minimum_effect`, and adjusting kept two thirds of the difference; failed where it would leave nothing. A
        single trait that explains less than a hundredth of the outcome is too weak a measure to pass by.
    """
    exposed = exposure_to_hidden(case)
    if exposed is None:
        sentence = "There is no adjusted difference above zero that something unmeasured would have to explain."
        return Criterion(name="confounding", status="warn", sentence=sentence, judged=False)
    return Criterion(
        name="confounding",
        status=_status(exposed, case.minimum_effect),
        sentence=_in_words(exposed),
        value=exposed.e_value,
        unit="ratio",
    )


def exposure_to_hidden(case: Case) -> Exposed | None:
    """Set the adjusted difference of all accounts beside the known traits; None where it is not above 0."""
    difference = _difference(case.null, case)
    if difference is None or difference <= 0:
        return None
    before = _difference(case.traits, case)
    found = estimate.robustness(
        case.null.design, case.trait_columns, case.met, case.retained, difference, less_noise=True
    )
    return Exposed(
        difference=difference,
        kept=difference / before if before is not None and before > 0 else 1.0,
        e_value=estimate.e_value(difference, float(case.retained.mean()), float(case.met.mean())),
        robustness_value=found.robustness_value,
        strongest=found.strongest,
        left_over=found.left_over,
        weak=len(case.trait_columns) == 1 and _explained(case) < LITTLE,
    )


def _explained(case: Case) -> float:
    """Return the share of the outcome's remaining variance that the traits explain, beyond as many of noise."""
    design, places = case.null.design, [place for group in case.trait_columns.values() for place in group]
    without, beside = _unexplained(case, np.delete(design, places, axis=1)), _unexplained(case, design)
    freedom = len(case) - int(design.shape[1])
    if without <= 0 or freedom <= 0:
        return 0.0
    return 1 - (freedom + len(places)) / freedom * beside / without


def _unexplained(case: Case, design: Floats) -> float:
    """Return the sum of squares that a design leaves of the outcome."""
    left = estimate.residualised(design, case.retained[None].astype(np.uint8))
    return float((left**2).sum())


def _difference(null: estimate.NullModel, case: Case) -> float | None:
    if not len(case) or not null.converged:
        return None
    value = float(estimate.adjusted_difference(null, case.flag, case.alpha).estimate[0])
    return value if np.isfinite(value) else None


def _status(exposed: Exposed, minimum_effect: float) -> CriterionStatus:
    if exposed.left_over is None:
        return "warn"
    if exposed.left_over <= 0:
        return "fail"
    enough = exposed.left_over >= minimum_effect and exposed.kept >= MOST_KEPT
    return "pass" if enough and not exposed.weak else "warn"


def _in_words(exposed: Exposed) -> str:
    explain = "Something unmeasured could explain it"
    if exposed.e_value is not None:
        explain = (
            "To explain it, something unmeasured would have to make both reaching it and staying "
            f"{wording.ratio(exposed.e_value)} times as likely"
        )
    kept = ""
    if exposed.kept < MOST_KEPT:
        kept = f", and adjusting for how busy accounts are takes away {wording.percent(1 - exposed.kept)} of it"
    left = _left_over(exposed)
    weak = ", but that is the only trait known at signup and says little of who stays" if exposed.weak else ""
    return f"{explain}; {left}{weak}{kept}. {_REMEDY}"


def _left_over(exposed: Exposed) -> str:
    if exposed.strongest is None or exposed.left_over is None:
        return "no trait of the account is known to compare that with"
    some, whole = (wording.points(value, plus=False) for value in (exposed.left_over, exposed.difference))
    left = "nothing of it"
    if exposed.left_over > ALL * exposed.difference or (exposed.left_over > 0 and some == whole):
        left = "nearly all of it"
    elif exposed.left_over > 0:
        left = f"{some} of {whole}"
    return f"something as strong as “{wording.clean(exposed.strongest)}” would leave {left}"
