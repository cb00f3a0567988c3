"""A conjunction is named where it says more than its parts together, and only there."""

import dataclasses

import numpy as np
import pytest

from discovery import estimate
from discovery.estimate import draw_halves, fit_null
from discovery.estimate.adjusted import score_all
from discovery.exposure import Flags, pair_flags
from discovery.milestone import Condition, Milestone
from discovery.spec import build_spec
from discovery.study import pairs
from discovery.study.search import gather

from .samples import SPEC, prepare


@pytest.fixture(scope="module")
def conjunction():
    return prepare("conjunction", 2500, 2)


@pytest.fixture(scope="module")
def evidence(conjunction):
    return gather(conjunction.sample, conjunction.spec)


def pairs_of(evidence):
    return [family for family in evidence.candidates.families if " + " in family]


def test_a_planted_pair_is_named_and_ranked_first(conjunction, evidence):
    (planted,) = conjunction.truth.planted
    assert Milestone.parse(planted).family in pairs_of(evidence)
    best = int(np.nanargmax(np.where(evidence.eligible, evidence.score, np.nan)))
    assert evidence.candidates.milestones[best].family == Milestone.parse(planted).family
    assert evidence.score[best] > evidence.bound[best]


def test_the_bound_of_pairs_is_that_of_a_wider_search(conjunction, evidence):
    singles = len(conjunction.sample.flags)
    assert (evidence.bound[:singles] == evidence.bound[0]).all()
    assert evidence.bound[singles] > evidence.bound[0]
    assert evidence.searched > singles


def test_what_is_named_stays_with_its_own_numbers(conjunction, evidence):
    """Flags, reach and every score of a named pair are those of the accounts that met both parts."""
    sample = conjunction.sample
    texts = [str(each) for each in evidence.candidates.milestones]
    for place in range(len(sample.flags), len(texts)):
        milestone = evidence.candidates.milestones[place]
        assert len(milestone.conditions) == 2
        both = np.ones(len(sample), dtype=bool)
        for condition in milestone.conditions:
            row = texts.index(str(Milestone((condition,))))
            both &= np.unpackbits(sample.flags.packed[row], count=len(sample)).astype(bool)
        assert evidence.candidates.reached[place] == both.sum()
        assert evidence.separation.reached_retained[place] == (both & sample.retained & sample.mature).sum()
        assert evidence.scores.score[place] == pytest.approx(evidence.score[place], abs=0.35)


def test_without_conjunctions_single_rules_have_the_whole_error_rate(conjunction, evidence):
    spec = conjunction.spec
    one = spec.model_copy(update={"candidates": spec.candidates.model_copy(update={"conjunctions": 1})})
    alone = gather(conjunction.sample, one)
    assert pairs_of(alone) == []
    assert len(alone.candidates) == len(conjunction.sample.flags)
    assert alone.bound[0] < evidence.bound[0]
    assert alone.searched == alone.eligible.sum()


@pytest.mark.parametrize("world", ["easy", "chain", "multi_user"])
@pytest.mark.parametrize("seed", range(2))
def test_a_planted_single_rule_is_not_turned_into_a_pair(world, seed):
    made = prepare(world, 1500, seed)
    found = gather(made.sample, made.spec)
    best = int(np.nanargmax(np.where(found.eligible, found.score, np.nan)))
    assert len(found.candidates.milestones[best].conditions) == 1
    assert len(pairs_of(found)) <= 1


@pytest.fixture
def few(monkeypatch):
    """Search on 1,200 accounts, and score few pairs on all."""
    monkeypatch.setattr(pairs, "SEARCHED_ON", 1200)
    monkeypatch.setattr(pairs, "SCORED", 100)


def searched(prepared):
    sample = prepared.sample
    rules = pair_flags(sample.flags, range(len(sample.events)), min_side=pairs.MIN_SIDE, max_phi=pairs.NEAR_PART)
    halves = draw_halves(sample.signup[sample.deciding[1]], 25, 0)
    return pairs._Search(sample=sample, rules=rules, halves=halves, spec=prepared.spec, share=0.2)


def test_beyond_some_accounts_the_best_pairs_are_scored_on_all_of_them(conjunction, monkeypatch):
    whole = searched(conjunction)
    score, best, bound = whole.score, whole.half_best, whole.bound
    monkeypatch.setattr(pairs, "SEARCHED_ON", 1200)
    monkeypatch.setattr(pairs, "SCORED", 100)
    part = searched(conjunction)
    assert len(part.seen.places) == 1200
    assert 100 <= len(part.scored) < len(part.usable) / 5
    assert set(part.rules.family_of[part.scored]).isdisjoint(
        part.rules.family_of[np.setdiff1d(part.usable, part.scored)]
    )
    np.testing.assert_allclose(part.score[part.scored], score[part.scored])
    assert np.isnan(np.delete(part.score, part.scored)).all()
    first = whole.usable[np.argsort(-score[whole.usable])[:40]]
    assert set(first) <= set(part.scored)
    left_over, information = part._nearly_known()
    nearly = left_over / np.sqrt(information)
    assert np.abs(nearly / score[part.usable] - 1)[np.abs(nearly) > 2].max() < 0.2
    assert np.mean(part.half_best == best) > 0.9
    assert abs(part.bound - bound) < 0.35


def test_beyond_some_accounts_a_planted_pair_is_named_by_the_same_numbers(conjunction, evidence, few):
    found = gather(conjunction.sample, conjunction.spec)
    assert pairs_of(found) == pairs_of(evidence)
    np.testing.assert_allclose(found.score, evidence.score)
    assert found.searched == evidence.searched
    assert found.bound[-1] != evidence.bound[-1]


ACTIVE = {"accounts": {"segments": ["plan"]}, "outcome": {"kind": "active", "active_days": [29, 90]}}


@pytest.mark.parametrize(
    ("world", "seed", "spec"),
    [("confounded_null", 0, SPEC), ("null", 0, SPEC), ("inertia_null", 300, ACTIVE), ("inertia_null", 301, ACTIVE)],
)
def test_nothing_is_named_where_nothing_acts(world, seed, spec):
    made = prepare(world, 1500, seed, spec)
    assert pairs_of(gather(made.sample, made.spec)) == []


@pytest.fixture(scope="module")
def three_together():
    """Accounts whose staying hangs on three behaviours together, and on no two of them."""
    made = prepare("null", 5000, 3)
    sample = made.sample
    wanted = ("data_imported within 14d", "comment_added within 14d", "task_completed within 14d")
    texts = [str(condition) for condition in sample.flags.conditions]
    flags = np.unpackbits(sample.flags.packed[[texts.index(text) for text in wanted]], axis=1, count=len(sample))
    chance = 0.45 + 0.45 * flags.all(axis=0)
    stays = np.random.default_rng(1).random(len(sample)) < chance
    return made, dataclasses.replace(sample, retained=stays & sample.mature, duration=None, departed=None), wanted


@pytest.mark.parametrize(("most", "found"), [(3, True), (2, False)])
def test_three_together_are_named_only_where_three_may_be_combined(three_together, most, found):
    made, sample, wanted = three_together
    spec = made.spec.model_copy(update={"candidates": made.spec.candidates.model_copy(update={"conjunctions": most})})
    evidence = gather(sample, spec)
    family = " + ".join(sorted(text.split()[0] for text in wanted))
    assert (family in evidence.candidates.families) is found
    assert all(name.count(" + ") < most for name in evidence.candidates.families)


def test_a_pair_of_which_the_accounts_that_are_seen_say_nothing_is_scored_on_all(monkeypatch):
    """One trait holds the pair, and none of the accounts that are searched on has it."""
    rng, n = np.random.default_rng(0), 9000
    trait = rng.random(n) < 0.1
    seen = np.sort(rng.permutation(np.flatnonzero(~trait))[:3000])
    did = np.array([rng.random(n) < 0.6 if event else (rng.random(n) < 0.7) & trait for event in range(8)])
    conditions = tuple(Condition(f"e{event}", 1, 336) for event in range(8))
    found = pair_flags(
        Flags(conditions=conditions, packed=np.packbits(did, axis=1), n_accounts=n, event_of=np.arange(8)),
        np.arange(8), min_side=30, base_k=(1,), base_d=(14,), max_phi=0.99,
    )  # fmt: skip
    design = np.column_stack([np.ones(n), trait])
    stayed = rng.random(n) < np.where(did[0] & did[1], 0.9, 0.4)
    sample = AllAccounts(fit_null(design, stayed))
    spec = build_spec({**SPEC, "candidates": {"min_reach": 0.01}})
    monkeypatch.setattr(pairs, "SEARCHED_ON", len(seen))
    monkeypatch.setattr(pairs, "SCORED", 3)
    monkeypatch.setattr(estimate, "evenly_spaced", lambda *_: seen)
    search = pairs._Search(sample=sample, rules=found, halves=np.zeros((n, 2), np.float32), spec=spec, share=1.0)
    every = sample.scores(sample.null, np.arange(n), found.packed(), tails=True).score
    best = int(np.argmax(every))
    assert str(found.milestone(best)).count("e0") == 1
    assert len(search.scored) < len(search.usable) == len(found)
    assert best in search.scored
    assert search.score[best] == pytest.approx(every[best])
    rest = [row for row in search.scored if 0 not in found.flags.event_of[found.parts[row]]]
    assert len(rest) == 3  # those that seem to score highest are not fewer for it


class AllAccounts:
    """A study's sample in which all accounts are mature."""

    def __init__(self, null):
        self.null = self.horizon_null = null
        self.rows = self.everyone = np.arange(len(null.residual))
        self.deciding = null, self.rows
        self.within = np.ones(len(self.rows), dtype=bool)
        self.outcome = "retained"

    def __len__(self):
        return len(self.rows)

    def scores(self, null, rows, packed, tails=False):
        return score_all(null, packed, len(self), rows, tails=tails)
