"""The same search inside each segment, the number of segments counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery import estimate, ranking
from discovery.estimate import unpack
from discovery.progress import Progress
from discovery.results import Estimate, OutcomeSummary, Persona, Population, RankedFamily
from discovery.spec import StudySpec
from discovery.study.measured import Tested
from discovery.study.sample import Sample
from discovery.study.search import gather, tested_alone

Floats = NDArray[np.float64]

FEWEST_ACCOUNTS = 200
FEWEST_OUTCOMES = 30
MOST_VALUES = 12
"""Values of one segment, the largest first, that are searched."""
SHOWN = 10
"""Families that a persona's ranking shows, beside those that stand out."""


@dataclass(frozen=True, kw_only=True)
class Members:
    """The accounts of one segment value, as a sample of their own."""

    segment: str
    sample: Sample


def search_personas(
    sample: Sample,
    spec: StudySpec,
    population: Population,
    summary: OutcomeSummary,
    progress: Progress,
) -> tuple[Persona, ...]:
    """Search every large enough segment value; one bound holds over all of them together."""
    members = _members(sample)
    if not members:
        return ()
    progress(f"Searching {len(members)} personas")
    tested = {name: tested_alone(value.sample, spec) for name, value in members.items()}
    maxima = _joint_maxima([t for t in tested.values() if len(t.maxima)])
    return tuple(_persona(name, members, spec, tested[name], maxima, population, summary) for name in members)


def _members(sample: Sample) -> dict[str, Members]:
    """Return the accounts of each segment value that is known and large enough, by persona."""
    found: dict[str, Members] = {}
    for segment, values in sample.segments.items():
        names, number, counts = _numbered(values)
        if len(names) < 2:
            continue
        for place in np.argsort(-counts, kind="stable")[:MOST_VALUES]:
            inside = number == place
            if _large_enough(sample, inside):
                found[f"{segment}={names[place]}"] = Members(segment=segment, sample=sample.among(inside))
    return found


def _numbered(values: NDArray[np.object_]) -> tuple[list[str], NDArray[np.intp], NDArray[np.int64]]:
    """Return the known values as text, sorted, which of them each account has (-1 where unknown), and how many do."""
    texts = {value: str(value) for value in dict.fromkeys(values.tolist()) if value is not None and value == value}
    names = sorted(set(texts.values()))
    places = {value: names.index(text) for value, text in texts.items()}
    number = np.fromiter((places.get(value, -1) for value in values.tolist()), dtype=np.intp, count=len(values))
    return names, number, np.bincount(number[number >= 0], minlength=len(names))


def _large_enough(sample: Sample, inside: NDArray[np.bool_]) -> bool:
    mature = inside & sample.mature
    stayed = int((mature & sample.retained).sum())
    return int(mature.sum()) >= FEWEST_ACCOUNTS and min(stayed, int(mature.sum()) - stayed) >= FEWEST_OUTCOMES


def _joint_maxima(tested: list[Tested]) -> Floats:
    """Return the largest score over all personas, ascending: their draws are independent but for shared accounts.

    The product of their distributions is an upper bound where they share accounts.
    """
    if not tested:
        return np.zeros(0)
    draws = len(tested[0].maxima)
    values = np.sort(np.concatenate([t.maxima for t in tested]))
    below = np.ones(len(values))
    for each in tested:
        below *= np.searchsorted(each.maxima, values, side="right") / len(each.maxima)
    places = (np.arange(draws) + 0.5) / draws
    return np.asarray(values[np.minimum(np.searchsorted(below, places), len(values) - 1)])


def _persona(
    name: str,
    members: Mapping[str, Members],
    spec: StudySpec,
    tested: Tested,
    maxima: Floats,
    population: Population,
    summary: OutcomeSummary,
) -> Persona:
    evidence = gather(members[name].sample, spec, maxima, tested)
    grading = ranking.grade(evidence, spec)
    verdict = ranking.decide(evidence, grading, population, summary, spec, name)
    families = ranking.describe_families(evidence, grading, {}, {}, summary)
    first = grading.families[0] if grading.families and grading.families[0].rank is not None else None
    p, shrunken = (None, None) if first is None else _beside_the_others(name, members, first.best, spec)
    return Persona(
        persona=name,
        accounts=evidence.candidates.n_accounts,
        verdict=verdict,
        ranking=_shown(families),
        heterogeneity_p=p,
        shrunken=shrunken,
    )


def _shown(families: tuple[RankedFamily, ...]) -> tuple[RankedFamily, ...]:
    return tuple(f for f in families if f.rank is not None and (f.rank <= SHOWN or f.status in ("found", "lead")))


def _beside_the_others(
    persona: str, members: Mapping[str, Members], candidate: int, spec: StudySpec
) -> tuple[float | None, Estimate | None]:
    """Compare a rule's difference between the values of the segment.

    Returns Cochran's p that it is the same for all, and the persona's own drawn towards their mean by as much as
    they agree.

    References
    ----------
    Cochran (1954), Biometrics 10; DerSimonian & Laird (1986), Controlled Clinical Trials 7; Morris (1983), JASA 78
    (empirical Bayes).
    """
    estimates: dict[str, tuple[float, float, int]] = {}
    for name, value in members.items():
        if value.segment != members[persona].segment:
            continue
        inside = value.sample
        flag = unpack(inside.flags.packed[candidate : candidate + 1], len(inside))
        effect = estimate.adjusted_difference(inside.horizon_null, flag[:, inside.rows], spec.inference.alpha)
        if effect.status[0] == "ok":
            estimates[name] = float(effect.estimate[0]), float(effect.se[0]), len(inside.rows)
    if persona not in estimates or len(estimates) < 2:
        return None, None
    theta, se = np.array([e[0] for e in estimates.values()]), np.array([e[1] for e in estimates.values()])
    p, between = estimate.heterogeneity(theta, se)
    here, own_se, accounts = estimates[persona]
    middle, half = _drawn_together(theta, se, between, here, own_se)
    half *= estimate.normal_quantile(spec.inference.alpha)
    return p, Estimate(
        estimate=middle,
        ci_lower=middle - half,
        ci_upper=middle + half,
        scale="risk difference",
        estimand="overlap-weighted, drawn towards all segments",
        n_accounts=accounts,
    )


def _drawn_together(theta: Floats, se: Floats, between: float, here: float, own_se: float) -> tuple[float, float]:
    """Return one difference drawn towards the mean of all, and its standard error."""
    weight = 1 / (se**2 + between)
    mean = float((weight * theta).sum() / weight.sum())
    share = between / (between + own_se**2)
    return mean + share * (here - mean), float(np.sqrt(share * own_se**2 + (1 - share) ** 2 / weight.sum()))
