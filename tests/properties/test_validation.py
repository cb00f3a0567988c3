"""What must not matter to a verdict on a proposed milestone: names, order, company, latecomers, and the future."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import discovery
from discovery.estimate import holm
from discovery.milestone import Condition, Milestone
from discovery.results import as_json_values
from discovery.validation import Effect, decide

SPEC = {
    "accounts": {"segments": ["plan"]},
    "outcome": {"kind": "retained"},
    "candidates": {"at_least": [1, 3], "within_days": [7, 14], "min_users": [1], "conjunctions": 1},
}
TRUE, BUSY, EITHER = "report_shared >= 3 within 7d", "login >= 5", "data_imported or (tour_finished within 2d)"
DESCRIPTIVE = {"observable", "repeatable"}
FEW = settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # an example takes seconds, so none is shrunk
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def world():
    made = discovery.simulate_world("easy", accounts=500, seed=11)
    return made.events.to_pandas(), made.accounts.to_pandas()


@pytest.fixture(scope="module")
def answered(world):
    return discovery.Study(*world, SPEC).validate(TRUE, BUSY, EITHER, independent=True)


def validated(events, accounts, *milestones, **options):
    return discovery.Study(events, accounts, SPEC).validate(*milestones, **{"independent": True, **options})


def rounded(values):
    """Return values as they are written: nine significant digits, which the order of a sum does not reach."""
    return as_json_values(values)


def judged(proposal, *, leave_out=frozenset()):
    """Return all that is said of a proposal, but for some criteria and what stands on them."""
    kept = tuple(criterion for criterion in proposal.criteria if criterion.name not in leave_out)
    return dataclasses.replace(proposal, criteria=kept, repeat=None)


@FEW
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_rows_and_the_names_of_accounts_and_users_are_irrelevant(world, answered, seed):
    rng = np.random.default_rng(seed)
    events, accounts = (table.sample(frac=1, random_state=int(rng.integers(2**31))) for table in world)
    drawn = rng.permutation(10**6)[: len(accounts)]
    names = dict(zip(accounts["account_id"], [f"x{number}" for number in drawn], strict=True))
    events, accounts = (table.assign(account_id=table["account_id"].map(names)) for table in (events, accounts))
    again = validated(events.assign(user_id="u" + events["user_id"].astype(str)), accounts, TRUE, BUSY, EITHER)
    assert again.proposals == answered.proposals


@FEW
@given(
    stem=st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn")), min_size=1, max_size=12),
)
def test_the_name_of_an_event_changes_nothing_but_names(world, answered, stem):
    """Only an ordinary name: what a name says of its event (login, billing) is read on purpose."""
    events, accounts = world
    name = f"report {stem} zz"
    renamed = events.assign(event=events["event"].replace({"report_shared": name}))
    (proposal,) = validated(renamed, accounts, Milestone((Condition(name, 3, 7 * 24),))).proposals
    before = answered.proposals[0]
    assert (proposal.verdict, rounded(proposal.unwidened)) == (before.verdict, rounded(before.unwidened))
    assert rounded([(c.name, c.status, c.value) for c in proposal.criteria]) == rounded(
        [(c.name, c.status, c.value) for c in before.criteria]
    )
    assert rounded([proposal.reach, proposal.naive_difference]) == rounded([before.reach, before.naive_difference])


def test_accounts_too_young_to_be_judged_change_no_verdict(world, answered):
    events, accounts = world
    end = events["timestamp"].max()
    young = accounts.tail(80).copy()
    young["account_id"] = "young_" + young["account_id"]
    young["signup_at"] = end - pd.to_timedelta(np.linspace(1, 60, len(young)), unit="D")
    young["churned_at"] = pd.NaT
    did = pd.DataFrame(
        {
            "account_id": young["account_id"],
            "user_id": "young",
            "event": "help_opened",
            "timestamp": young["signup_at"] + pd.Timedelta(hours=5),
            "event_id": [f"young{place}" for place in range(len(young))],
        }
    )
    again = validated(pd.concat([events, did]), pd.concat([accounts, young]), TRUE, BUSY, EITHER)
    assert (again.judged, again.judged_through) == (answered.judged, answered.judged_through)
    for before, after in zip(answered.proposals, again.proposals, strict=True):
        assert (after.verdict, after.adjusted, after.reach) == (before.verdict, before.adjusted, before.reach)
        assert judged(after, leave_out={"observable"}).criteria == judged(before, leave_out={"observable"}).criteria


@pytest.mark.parametrize("options", [{"independent": True}, {"independent": False}])
def test_a_proposal_alone_and_beside_others_has_the_same_estimate(world, options):
    together = validated(*world, TRUE, EITHER, **options)
    turned = validated(*world, EITHER, TRUE, **options)
    assert tuple(reversed(turned.proposals)) == together.proposals
    for beside in together.proposals:
        (alone,) = validated(*world, beside.milestone, **options).proposals
        assert alone.unwidened == beside.unwidened
        assert alone.adjusted.estimate == beside.adjusted.estimate
        assert alone.criteria[1:] == beside.criteria[1:]
        assert alone.adjusted.ci_lower >= beside.adjusted.ci_lower
        assert alone.adjusted.ci_upper <= beside.adjusted.ci_upper


@FEW
@given(seed=st.integers(0, 2**32 - 1))
def test_events_after_the_landmark_change_nothing_but_descriptive_criteria(world, answered, seed):
    events, accounts = world
    rng = np.random.default_rng(seed)
    end = events["timestamp"].max()
    busy = accounts[accounts["signup_at"] < end - pd.Timedelta(days=31)].sample(
        frac=0.6, random_state=int(seed % 2**31)
    )
    later = pd.DataFrame(
        {
            "account_id": busy["account_id"],
            "user_id": "late",
            "event": rng.choice([*events["event"].unique(), "something_new"], len(busy)),
            "timestamp": busy["signup_at"] + pd.to_timedelta(rng.uniform(14.01, 30, len(busy)), unit="D"),
            "event_id": [f"late{place}" for place in range(len(busy))],
        }
    )
    again = validated(pd.concat([events, later]), accounts, TRUE, BUSY, EITHER)
    for before, after in zip(answered.proposals, again.proposals, strict=True):
        assert judged(after, leave_out=DESCRIPTIVE) == judged(before, leave_out=DESCRIPTIVE)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    effects=st.lists(
        st.tuples(st.floats(-0.6, 0.6), st.floats(0.005, 0.3)),
        min_size=1,
        max_size=7,
    ),
    bound=st.floats(2, 6),
    alpha=st.sampled_from([0.01, 0.05, 0.1]),
    origin=st.sampled_from(["searched", "independent", "registered"]),
)
def test_an_interval_that_decides_is_never_narrower_than_the_usual_one(effects, bound, alpha, origin):
    asked = [Effect(estimate=estimate, se=se, n=500, bound=bound, spread=se * 500**0.5) for estimate, se in effects]
    p = holm(np.array([effect.p_value for effect in asked]))
    for effect, decision, adjusted_p in zip(asked, decide(asked, origin, alpha), p, strict=True):
        wide, usual = decision.adjusted, decision.unwidened
        assert wide.ci_lower <= usual.ci_lower + 1e-12
        assert wide.ci_upper >= usual.ci_upper - 1e-12
        assert usual.ci_lower < effect.estimate < usual.ci_upper
        assert decision.p_value <= decision.p_adjusted <= 1
        if origin != "searched":
            assert (wide.ci_lower > 0) == (effect.estimate > 0 and adjusted_p <= alpha)
