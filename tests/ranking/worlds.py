"""Evidence made by hand: a few candidates with the numbers a test is about, and everything else as a finding has it."""

import numpy as np
from scipy.stats import norm

from discovery.estimate import Differences, HeldOut, Robustness, Scores, separate
from discovery.milestone import Condition, Milestone
from discovery.ranking import Candidates, CloserLook, Evidence
from discovery.results import OutcomeSummary, Population

BOUND = 3.0


def rule(text):
    """Return the milestone named `event`, `event k`, or several of them joined by ` + `."""
    parts = [[*name.split(), "1"][:2] for name in text.split(" + ")]
    return Milestone(tuple(Condition(event, int(k), 336) for event, k in parts))


def held_out(estimate=0.10, half=0.05):
    """Return a difference on accounts that chose nothing."""
    return HeldOut(estimate=estimate, ci_lower=estimate - half, ci_upper=estimate + half, se=half / 1.96, same_sign=1.0)


def closer(threshold=5.0, kept=1.0, left=0.05, trait="plan", latest=(0.08, 0.01, 0.15, 250), overlap=0.9):
    """Return a closer look that finds nothing amiss."""
    robustness = Robustness(robustness_value=0.2, strongest=trait, left_over=left)
    return CloserLook(threshold_score=threshold, kept_share=kept, robustness=robustness, latest=latest, overlap=overlap)


def evidence(scores, *, rules=None, reached=None, n=1000, base_rate=0.5, apart=(), kinds=(), status="ok", **given):
    """Build evidence of candidates named as in `rule`, one score each, met by `reached` of n accounts.

    `apart` maps events to status and reason, `kinds` events to kinds; anything else given replaces the field of
    that name, and by default is such that a score beyond `BOUND` is a finding.
    """
    rules = [rule(name) for name in scores] if rules is None else rules
    families = tuple(sorted({each.family for each in rules}))
    family_of = np.array([families.index(each.family) for each in rules], dtype=np.intp)
    flags = np.zeros((len(rules), n), dtype=bool)
    rng = np.random.default_rng(0)
    for row, count in zip(flags, reached or [n // 2] * len(rules), strict=True):
        row[rng.permutation(n)[:count]] = True
    values = np.array(list(scores.values()), dtype=float)
    eligible = np.array([each.family not in dict(apart) for each in rules], dtype=bool)
    p = 2 * norm.sf(np.abs(values))
    points = Differences(
        estimate=values / 50, lower=values / 50 - 0.05, upper=values / 50 + 0.05, se=values * 0 + 0.025, n_accounts=n
    )
    fields = {
        "candidates": Candidates(
            families=families,
            milestones=tuple(rules),
            family_of=family_of,
            reached=flags.sum(axis=1),
            n_accounts=n,
        ),
        "kinds": dict.fromkeys(families) | dict(kinds),
        "outcome": "retained",
        "model": "cox",
        "separation": separate(np.packbits(flags, axis=1), np.arange(n) < base_rate * n, np.ones(n, dtype=bool)),
        "survival": None,
        "eligible": eligible,
        "searched": int(eligible.sum()),
        "scores": Scores(score=values, p_value=p, status=np.full(len(rules), status, dtype=object)),
        "score": values,
        "bound": np.full(len(rules), BOUND),
        "single_bound": 4.0,
        "pair_bound": 4.5,
        "p_adjusted": np.minimum(1, len(rules) * p),
        "horizon_score": np.abs(values),
        "composition_score": values,
        "activity_score": values,
        "composition": points,
        "differences": points,
        "held_out": {int(family): held_out() for family in np.unique(family_of)},
        "wins": np.ones(len(families)),
        "rule_wins": np.zeros(len(rules)),
        "cluster": np.arange(len(families), dtype=np.intp),
        "closer": {i: closer() for i in range(len(rules)) if values[i] > BOUND},
        "has_traits": True,
        "n_mature": n,
        "base_rate": base_rate,
        "apart": dict(apart),
    }
    return Evidence(**(fields | given))


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
