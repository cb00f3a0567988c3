"""What the page of a validation shows beyond the result itself: words, order, counts and pictures.

Nothing statistical is computed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from discovery import plots, wording
from discovery.export.next_step import Said, data_would_show, next_step, raised, wants_accounts
from discovery.export.plan import kind_of_test
from discovery.report.basis import Basis, basis_of
from discovery.report.scorecard import ScoreLine, failed, in_short, score_line
from discovery.results import (
    Competitor,
    Neighbour,
    PastExperiment,
    Proposal,
    ProposalVerdict,
    SegmentRow,
    ValidationResult,
)

_PICTURED: Final = 5
_WHOLE: Final = 10
_ROWS: Final = 8
_PARTS: Final = 40
"""These keep the file small; everything is in `validation.json`."""
_COUNTED: Final[tuple[tuple[ProposalVerdict, bool, tuple[str, str]], ...]] = (
    ("holds", False, ("holds", "hold")),
    ("does not hold", False, ("does not hold", "do not hold")),
    ("not enough data", True, ("is contradicted by a test", "are contradicted by a test")),
    ("not enough data", False, ("lacks data", "lack data")),
)
"""A verdict, whether a past test left it open, and its words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnProposal:
    """A proposal beside its scorecard and its pictures; `whole` says that its details follow."""

    proposal: Proposal
    place: int
    whole: bool
    scorecard: tuple[ScoreLine, ...]
    in_short: str
    failed: tuple[str, ...]
    disqualified: tuple[str, ...]
    interval: str
    widened: bool
    next_step: tuple[Said, ...]
    data_would_show: str
    wants_accounts: bool
    deciding_test: PastExperiment | None
    raised: PastExperiment | None
    reference: str | None
    neighbours: tuple[Neighbour, ...]
    neighbours_unshown: int
    competitors: tuple[Competitor, ...]
    competitors_unshown: int
    segments: tuple[SegmentRow, ...]
    segments_unshown: int
    estimates_picture: str = ""
    onboarding_picture: str = ""
    reaching_picture: str = ""
    staying_picture: str = ""
    steadiness_picture: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationView:
    """A validation laid out for the page."""

    result: ValidationResult
    basis: Basis
    proposals: tuple[DrawnProposal, ...]
    counted: str
    by_experiment: bool
    test: str
    test_in_words: str
    comparison_picture: str
    level: str
    smallest_that_matters: str
    names_candidates: bool = False


def view_of_validation(result: ValidationResult, *, figures: bool = True) -> ValidationView:
    """Lay out `result`; `figures=False` leaves out all pictures."""
    inference = result.settings.get("inference", {})
    several = len(result.proposals) > 1
    return ValidationView(
        result=result,
        basis=basis_of(result, figures=figures),
        proposals=tuple(
            _drawn(proposal, place, result, figures=figures and place <= _PICTURED)
            for place, proposal in enumerate(result.proposals, start=1)
        ),
        counted=_counted(result.proposals),
        by_experiment=any(proposal.decided_by == "experiment" for proposal in result.proposals),
        test=kind_of_test(result),
        test_in_words=_test_in_words(result),
        comparison_picture=plots.svg(plots.comparison(result)) if figures and several else "",
        level=wording.percent(1 - inference.get("alpha", 0.05)),
        smallest_that_matters=wording.points(inference.get("minimum_effect"), plus=False),
    )


def _drawn(proposal: Proposal, place: int, result: ValidationResult, *, figures: bool) -> DrawnProposal:
    scorecard = tuple(map(score_line, proposal.criteria))
    widened = proposal.unwidened != proposal.adjusted and wording.known(proposal.unwidened.estimate)
    drawn = _pictures(proposal, place, result) if figures else {}
    inference = result.settings.get("inference", {})
    return DrawnProposal(
        proposal=proposal,
        place=place,
        whole=place <= _WHOLE,
        scorecard=scorecard,
        in_short=in_short(scorecard),
        failed=failed(scorecard),
        disqualified=tuple(line.name for line in scorecard if line.decides and line.name != "predictive"),
        interval=wording.interval_level(
            proposal.adjusted, proposal.unwidened, proposal.coverage, inference.get("alpha", 0.05)
        ),
        widened=widened,
        next_step=next_step(proposal, result.judged),
        data_would_show=data_would_show(proposal, inference.get("minimum_effect")),
        wants_accounts=wants_accounts(proposal),
        deciding_test=proposal.deciding_test(),
        raised=raised(proposal),
        reference=next((group.label for group in proposal.onboarding if group.adjusted is None), None),
        neighbours=_closest_first(proposal)[:_ROWS],
        neighbours_unshown=len(proposal.neighbours[_ROWS:]),
        competitors=proposal.competitors[:_ROWS],
        competitors_unshown=len(proposal.competitors[_ROWS:]),
        segments=proposal.segments[:_PARTS],
        segments_unshown=len(proposal.segments[_PARTS:]),
        **drawn,
    )


def _closest_first(proposal: Proposal) -> tuple[Neighbour, ...]:
    """Return the better rule first, then the others by how far they are ahead; those not compared come last."""

    def behind(other: Neighbour) -> tuple[bool, float]:
        unknown = other.ahead is None or not wording.known(other.ahead)
        return other.milestone != proposal.better, float("inf") if unknown else -(other.ahead or 0.0)

    return tuple(sorted(proposal.neighbours, key=behind))


def _pictures(proposal: Proposal, place: int, result: ValidationResult) -> dict[str, str]:
    """Return the pictures for which there is something to draw."""
    parts = [row.difference for row in proposal.cohorts] + [row.difference for row in proposal.segments]
    reached = proposal.reaching is not None and any(share for _, share in proposal.reaching.by_day)
    drawn = {
        "estimates_picture": wording.known(proposal.adjusted.estimate) and plots.estimates(proposal, result),
        "onboarding_picture": any(wording.known(group.retained.estimate) for group in proposal.onboarding)
        and plots.onboarding(proposal, result),
        "reaching_picture": reached and plots.reaching(proposal),
        "staying_picture": any(curve.days for curve in proposal.curves) and plots.staying(proposal, result),
        "steadiness_picture": any(wording.known(difference.estimate) for difference in parts)
        and plots.steadiness(proposal, result),
    }
    which = f"Proposal {place}. " if len(result.proposals) > 1 else ""
    return {name: plots.svg(figure, f"{which}{figure.get_label()}") for name, figure in drawn.items() if figure}


def _counted(proposals: Sequence[Proposal]) -> str:
    """Return how many proposals got which verdict: `1 holds, 2 do not hold`."""
    said = []
    for verdict, contradicted, words in _COUNTED:
        n = sum(p.verdict == verdict and _contradicted(p) == contradicted for p in proposals)
        if n:
            said.append(f"{wording.count(n)} {words[n > 1]}".replace(" ", "\u00a0"))
    return ", ".join(said)


def _contradicted(proposal: Proposal) -> bool:
    return proposal.verdict == "not enough data" and proposal.decided_by == "experiment"


def _test_in_words(result: ValidationResult) -> str:
    one = len(result.proposals) == 1
    it, was, its = ("The proposal", "was", "its") if one else ("The proposals", "were", "their")
    if result.origin == "registered":
        day = f"on {result.registered}" if result.registered else "beforehand"
        return (
            f"{it} {was} written down {day}, and only accounts that signed up since then decide. They cannot have "
            "suggested what they test, so there is no penalty for searching."
        )
    if result.origin == "independent":
        return (
            f"The team says that {it.lower()} did not come from these data, so there is no penalty for searching. If "
            f"these accounts did suggest {'it' if one else 'them'}, {its} interval{'' if one else 's'} should be wider."
        )
    return (
        f"Nobody said where {it.lower()} came from. These very accounts may have suggested {'it' if one else 'them'}, "
        f"so the lower end of {its} interval{'' if one else 's'} answers for a search over them."
    )
