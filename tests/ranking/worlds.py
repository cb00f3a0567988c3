"""Evidence made by hand: a few candidates with the numbers a test is about."""

import numpy as np
from scipy.stats import norm

from discovery.estimate import AdjustedScan, separate
from discovery.milestone import Condition
from discovery.ranking import Evidence
from discovery.results import OutcomeSummary, Population


def evidence(scores, *, reached=None, n=1000, base_rate=0.5, at_signup=(), status="ok", conditions=None):
    """Build evidence of candidates named `event` or `event k`, one score each, met by `reached` of n accounts."""
    if conditions is None:
        conditions = [Condition(name.split()[0], int([*name.split(), "1"][1]), 336) for name in scores]
    events = tuple(sorted({condition.event for condition in conditions}))
    reached = reached or [n // 2] * len(conditions)
    rng = np.random.default_rng(0)
    flags = np.zeros((len(conditions), n), dtype=bool)
    for row, count in zip(flags, reached, strict=True):
        row[rng.permutation(n)[:count]] = True
    retained = np.arange(n) < base_rate * n
    values = np.array(list(scores.values()), dtype=float)
    return Evidence(
        events=events,
        conditions=tuple(conditions),
        event_of=np.array([events.index(condition.event) for condition in conditions], dtype=np.intp),
        reached=flags.sum(axis=1),
        n_landmark=n,
        separation=separate(np.packbits(flags, axis=1), retained, np.ones(n, dtype=bool)),
        survival=None,
        adjusted=AdjustedScan(
            score=values,
            p_value=2 * norm.sf(np.abs(values)),
            difference=values / 50,
            difference_lower=values / 50 - 0.05,
            difference_upper=values / 50 + 0.05,
            status=np.full(len(conditions), status, dtype=object),
            n_accounts=n,
        ),
        has_traits=True,
        at_signup=frozenset(at_signup),
    )


def population(mature=1000, retained=500, landmark=None, **others):
    """Build an account flow of accounts that all reach the landmark."""
    landmark = mature if landmark is None else landmark
    counts = (
        dict.fromkeys(("excluded", "before_log", "not_observed_to_landmark", "decided_before_landmark"), 0) | others
    )
    return Population(
        accounts=landmark + sum(counts.values()),
        landmark=landmark,
        mature=mature,
        retained=retained,
        base_rate=retained / mature if mature else None,
        **counts,
    )


def summary(kind="retained"):
    """Build what staying means."""
    return OutcomeSummary(
        kind=kind,
        stayed="stayed",
        left="had left",
        inferred=False,
        by_day=90,
        active_days=None,
        window_days=14,
        has_departures=True,
    )
