"""What may be ranked is settled by support, by name, by timing and by the user; never by who stayed."""

import numpy as np
import pytest

from discovery.milestone import Condition
from discovery.ranking import eligible_candidates, is_trait, set_apart
from discovery.spec import build_spec

SPEC = build_spec(
    {"outcome": {"passive": ["merged"]}, "kinds": {"outcome_adjacent": ["asked"], "value": ["invoice_paid"]}}
)


@pytest.mark.parametrize(
    ("event", "status", "word"),
    [
        ("asked", "outcome_adjacent", "You named it"),
        ("merged", "passive", "You named it"),
        ("plan_upgraded", "outcome_adjacent", "“upgraded” (changing the plan)"),
        ("row", "volume_axis", "counts all activity"),
        ("exported", "outcome_adjacent", "88 % of the accounts that did it and then left"),
    ],
)
def test_what_is_set_apart_says_why(event, status, word):
    apart = set_apart(event, SPEC, axes=("row",), after_decision={"exported": 0.88})
    assert apart[0] == status
    assert word in apart[1]


@pytest.mark.parametrize("event", ["report_shared", "invoice_paid", ""])
def test_ordinary_use_and_what_the_user_calls_value_are_not(event):
    assert set_apart(event, SPEC) is None


def test_the_users_word_outweighs_name_timing_and_volume():
    assert set_apart("invoice_paid", SPEC, axes=("invoice_paid",), after_decision={"invoice_paid": 1.0}) is None


def test_a_name_and_a_passive_event_keep_their_own_reasons():
    """Passive is said before anything the name suggests."""
    spec = build_spec({"outcome": {"passive": ["invoice_paid"]}})
    assert set_apart("invoice_paid", spec)[0] == "passive"


def eligible(reached, n, *, base_rate=0.5, mature=None, at_least=1, apart=False, at_signup=False):
    mature = n if mature is None else mature
    met = round(reached * mature / n)
    return bool(
        eligible_candidates(
            (Condition("a", at_least, 336),),
            np.array([apart]),
            np.array([at_signup]),
            np.array([[met], [mature - met]]),
            base_rate,
            np.array([reached / n]),
            SPEC,
        )[0]
    )


@pytest.mark.parametrize(
    ("reached", "n", "base_rate", "expected"),
    [
        (50, 1000, 0.5, True),  # 5 % of all
        (49, 1000, 0.5, False),  # below 5 %, and below 50 accounts
        (50, 4000, 0.5, True),  # rare, but 50 accounts and enough of each outcome
        (50, 4000, 0.05, False),  # rare, with too few expected to stay among them
        (50, 4000, 0.95, False),  # or to leave
        (951, 1000, 0.5, False),  # nearly everyone, and fewer than 50 did not
        (3950, 4000, 0.5, True),
        (5, 100, 0.5, False),  # 5 % of all, and fewer than ten accounts
        (10, 100, 0.5, True),
    ],
)
def test_reach_and_support_decide(reached, n, base_rate, expected):
    assert eligible(reached, n, base_rate=base_rate) is expected


def test_a_side_with_few_known_outcomes_is_not_compared():
    assert eligible(100, 1000, mature=1000)
    assert not eligible(100, 1000, mature=90)


def test_what_is_set_apart_is_not_compared():
    assert not eligible(500, 1000, apart=True)


def test_at_signup_once_says_who_came_and_repeats_are_compared():
    assert not eligible(500, 1000, at_signup=True)
    assert eligible(500, 1000, at_signup=True, at_least=2)


@pytest.mark.parametrize(
    ("several", "same", "commonest", "trait"),
    [
        (200, 200, 120, True),
        (200, 190, 120, True),
        (200, 189, 120, False),  # too many have several values
        (200, 196, 194, False),  # a rare value: those that have it have the other one too
        (200, 198, 196, False),  # too few others to say
        (200, 199, 195, True),
        (19, 19, 10, False),  # too few accounts
        (200, 200, 200, False),  # one value everywhere is none
        (0, 0, 0, False),
    ],
)
def test_a_trait_is_the_same_within_accounts_and_differs_between_them(several, same, commonest, trait):
    assert is_trait(several, same, commonest) == trait
