"""Whether the proposal's difference is the same over cohorts of signups and over segments."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from discovery import estimate, wording
from discovery.results import CohortRow, Criterion, CriterionStatus, Estimate, SegmentRow
from discovery.spec import Day
from discovery.validation.case import Bools, Case

COHORTS: Final = 4
FEWEST_ACCOUNTS: Final = 100
FEWEST_SIDE: Final = 10
"""Accounts with and without the milestone, and that stayed and that left, without which a part is not shown."""
MOST_VALUES: Final = 12
"""Values of one segment, the largest first, that are looked at."""
DIFFERS: Final = 0.01
"""p below which parts are said to differ; Cochran's is somewhat too small in parts of a hundred accounts."""
COHORT: Final = ""
"""What cohorts are compared under, beside the names of segments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The difference among some of the accounts; `value` is that of the segment, or the days of a cohort."""

    value: str
    accounts: Bools
    difference: float
    se: float


def stable(case: Case) -> tuple[Criterion, tuple[CohortRow, ...], tuple[SegmentRow, ...]]:
    """Judge whether the difference holds over cohorts and segments, each large enough part on its own.

    Returns
    -------
    Criterion
        Its value is the smallest p that cohorts, or the values of one segment (Holm over segments), have the same
        difference. Failed where a part is clearly below zero, given how many were looked at.
    tuple of CohortRow
        By signup, the oldest first; whole days. Fewer than four where these would be too small, none where two are.
    tuple of SegmentRow
        Values with at least 100 accounts and ten on either side, the largest twelve of a segment, known ones only.
    """
    shared = estimate.shared_fit(case.null, case.flag)
    compared = {name: parts for name in case.segments if (parts := _values(case, shared, name))}
    agreement = estimate.holm(np.array([_agreement(parts) for parts in compared.values()], dtype=float))
    p = dict(zip(compared, agreement.tolist(), strict=True))
    cohorts = _cohorts(case, shared)
    rows = tuple(_segment_row(case, name, part, p[name]) for name, parts in compared.items() for part in parts)
    criterion = _judged(case, {COHORT: cohorts} | compared, {COHORT: _agreement(cohorts)} | p)
    return criterion, tuple(_cohort_row(case, part) for part in cohorts), rows


def _part(case: Case, shared: estimate.Shared, value: str, accounts: Bools) -> Part | None:
    if not _large_enough(case, accounts):
        return None
    found = estimate.difference_within(shared, accounts)
    return None if found is None else Part(value=value, accounts=accounts, difference=found[0], se=found[1])


def _large_enough(case: Case, accounts: Bools) -> bool:
    n = int(accounts.sum())
    sides = [int((accounts & half).sum()) for half in (case.met, case.retained)]
    return n >= FEWEST_ACCOUNTS and all(FEWEST_SIDE <= side <= n - FEWEST_SIDE for side in sides)


def _cohorts(case: Case, shared: estimate.Shared) -> tuple[Part, ...]:
    """Return as many cohorts of about the same size as are all large enough, up to four."""
    day = case.signup // Day
    for cohorts in range(COHORTS, 1, -1) if len(day) else ():
        edges = np.quantile(day, np.arange(1, cohorts) / cohorts, method="higher")
        where = np.searchsorted(np.unique(edges), day, side="right")
        found = [_part(case, shared, _span(case, where == k), where == k) for k in range(cohorts)]
        parts = tuple(part for part in found if part is not None)
        if len(parts) == cohorts:
            return parts
    return ()


def _span(case: Case, accounts: Bools) -> str:
    return f"{_date(case, accounts, np.min)} to {_date(case, accounts, np.max)}" if accounts.any() else ""


def _date(case: Case, accounts: Bools, which: Callable[..., np.int64]) -> str:
    day = int(which(case.signup[accounts])) // Day
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).isoformat()


def _values(case: Case, shared: estimate.Shared, segment: str) -> tuple[Part, ...]:
    values = case.segments[segment]
    known = np.array([value is not None and value == value for value in values], dtype=bool)
    labels = np.array([str(value) for value in values], dtype=object)
    names, counts = np.unique(labels[known].astype(str), return_counts=True)
    found = (
        _part(case, shared, str(name), known & (labels == name))
        for name in names[np.argsort(-counts, kind="stable")][:MOST_VALUES]
    )
    return tuple(part for part in found if part is not None)


def _agreement(parts: tuple[Part, ...]) -> float:
    """Return Cochran's p that all parts have the same difference; NaN where there is nothing to compare."""
    if len(parts) < 2:
        return float("nan")
    return estimate.heterogeneity(np.array([p.difference for p in parts]), np.array([p.se for p in parts]))[0]


def _judged(case: Case, compared: Mapping[str, tuple[Part, ...]], p: Mapping[str, float]) -> Criterion:
    """Judge parts by what they divide, and the p that those of one division agree; NaN where there is none."""
    known = {name: value for name, value in p.items() if not np.isnan(value)}
    if not known:
        sentence = (
            f"Fewer than two cohorts or values of a segment have {FEWEST_ACCOUNTS} accounts with "
            f"{FEWEST_SIDE} that reached it, did not, stayed and left, too few to compare."
        )
        return Criterion(name="stable", status="warn", sentence=sentence, judged=False)
    status: CriterionStatus = "fail"
    sentence = _opposite(compared, case.alpha)
    if not sentence:
        status, sentence = "warn", _falls(compared[COHORT]) or _apart(compared, known)
    if not sentence:
        status, sentence = "pass", _alike(compared, known)
    return Criterion(name="stable", status=status, sentence=sentence, value=min(known.values()), unit="p")


def _opposite(compared: Mapping[str, tuple[Part, ...]], alpha: float) -> str:
    """Name the part that lies furthest below zero, if any does so beyond what looking at so many explains."""
    parts = [(name, part) for name, parts in compared.items() for part in parts]
    z = estimate.critical_z(alpha, len(parts))
    name, part = min(parts, key=lambda each: each[1].difference + z * each[1].se)
    upper = part.difference + z * part.se
    if upper >= 0:
        return ""
    difference, interval = wording.points_estimate(_estimate(part, z))
    return (
        f"{_whom(name, part)}, those that reached it stayed less often ({difference} {interval}, given that "
        f"{len(parts)} parts were looked at)."
    )


def _falls(cohorts: tuple[Part, ...]) -> str:
    """Say that the difference falls from cohort to cohort, where a straight line through them clearly does."""
    if len(cohorts) < 2:
        return ""
    theta, weight = np.array([c.difference for c in cohorts]), np.array([c.se for c in cohorts]) ** -2.0
    place = np.arange(len(cohorts)) - weight @ np.arange(len(cohorts)) / weight.sum()
    information = float(weight @ place**2)
    if float(weight @ (place * theta)) > -estimate.normal_quantile(DIFFERS) * np.sqrt(information):
        return ""
    first, last = wording.points(cohorts[0].difference), wording.points(cohorts[-1].difference)
    return f"The difference falls from cohort to cohort: {first} among the oldest signups, {last} among the latest."


def _apart(compared: Mapping[str, tuple[Part, ...]], p: Mapping[str, float]) -> str:
    name = min(p, key=lambda each: p[each])
    if p[name] >= DIFFERS:
        return ""
    ordered = sorted(compared[name], key=lambda part: part.difference)
    ends = ordered[0], ordered[-1]
    least, most = (f"{wording.points(part.difference)} ({wording.clean(part.value)})" for part in ends)
    over = "signup cohorts" if name == COHORT else f"the values of {wording.clean(name)}"
    return f"The difference is not the same over {over} ({wording.p_value(p[name])}): from {least} to {most}."


def _alike(compared: Mapping[str, tuple[Part, ...]], p: Mapping[str, float]) -> str:
    cohorts = [f"{len(compared[COHORT])} signup cohorts"] if COHORT in p else []
    named = [wording.clean(name) for name in p if name != COHORT]
    segments = [f"the values of {', '.join(named)}"] if named else []
    smallest = wording.p_value(min(p.values()))
    if len(p) > 1:
        smallest = f"smallest {smallest}{', corrected for several segments' if len(named) > 1 else ''}"
    return (
        f"The difference shows no clear sign of differing between {' and between '.join([*cohorts, *segments])} "
        f"({smallest}; below {DIFFERS:g} would be one)."
    )


def _whom(name: str, part: Part) -> str:
    if name == COHORT:
        return f"Among accounts that signed up {wording.clean(part.value)}"
    return f"Among accounts with {wording.clean(name)} = {wording.clean(part.value)}"


def _estimate(part: Part, z: float) -> Estimate:
    return Estimate(
        estimate=part.difference,
        ci_lower=part.difference - z * part.se,
        ci_upper=part.difference + z * part.se,
        scale="risk difference",
        n_accounts=int(part.accounts.sum()),
        estimand="overlap-weighted",
    )


def _cohort_row(case: Case, part: Part) -> CohortRow:
    return CohortRow(
        first=_date(case, part.accounts, np.min),
        last=_date(case, part.accounts, np.max),
        n_accounts=int(part.accounts.sum()),
        reach=float(case.met[part.accounts].mean()),
        difference=_estimate(part, estimate.normal_quantile(case.alpha)),
    )


def _segment_row(case: Case, segment: str, part: Part, p: float) -> SegmentRow:
    return SegmentRow(
        segment=segment,
        value=part.value,
        n_accounts=int(part.accounts.sum()),
        reach=float(case.met[part.accounts].mean()),
        difference=_estimate(part, estimate.normal_quantile(case.alpha)),
        p_differs=None if np.isnan(p) else p,
    )
