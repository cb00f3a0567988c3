"""What may not stand for a milestone, in every combination."""

from __future__ import annotations

import numpy as np
import pytest

from discovery.validation.disguise import not_the_outcome

from .cases import make_case

MET = np.arange(40) % 2 == 0
REASON = "You named it so."


def judged(milestone, **parts):
    return not_the_outcome(make_case(MET, MET, milestone=milestone, **parts))


def apart(status):
    return {"apart": {"bad": (status, REASON)}}


def test_ordinary_events_pass():
    found = judged("report_shared >= 3 within 7d and deal_created")
    assert (found.status, found.decides, found.value) == ("pass", False, None)


@pytest.mark.parametrize("status", ["outcome_adjacent", "passive"])
@pytest.mark.parametrize("milestone", ["bad", "bad >= 3", "bad and good", "bad or good", "(bad or good) and better"])
def test_one_bad_event_disqualifies_and_its_reason_is_told(milestone, status):
    found = judged(milestone, **apart(status))
    assert (found.status, found.decides) == ("fail", True)
    assert "“bad”" in found.sentence
    assert REASON in found.sentence


def test_what_all_activity_is_counted_by_is_a_doubt():
    found = judged("bad and good", **apart("volume_axis"))
    assert (found.status, found.decides) == ("warn", False)
    assert REASON in found.sentence


@pytest.mark.parametrize(
    ("milestone", "status"),
    [
        ("bad", "fail"),
        ("bad within 7d", "fail"),
        ("bad or good", "fail"),
        ("bad and good", "warn"),
        ("bad and worse", "fail"),
        ("(bad or good) and better", "warn"),
        ("(bad or good) and worse", "fail"),
        ("(bad and good) or better", "warn"),
        ("bad >= 2", "pass"),
        ("bad by 2 users", "pass"),
        ("good", "pass"),
    ],
)
def test_what_happens_at_signup_disqualifies_where_it_is_enough(milestone, status):
    found = judged(milestone, at_signup=frozenset({"bad", "worse"}))
    assert (found.status, found.decides) == (status, status == "fail")
    assert ("at signup" in found.sentence) == (status != "pass")


@pytest.mark.parametrize(("outcome", "status"), [("active", "warn"), ("retained", "fail"), ("converted", "fail")])
def test_what_the_outcome_is_read_from(outcome, status):
    found = judged("bad and good", defines_outcome=frozenset({"bad"}), outcome=outcome)
    assert (found.status, found.decides) == (status, status == "fail")
    assert "“bad”" in found.sentence
    assert judged("good", defines_outcome=frozenset({"bad"}), outcome=outcome).status == "pass"


def test_the_gravest_goes_first():
    found = judged("bad and worse", at_signup=frozenset({"worse"}), **apart("outcome_adjacent"))
    assert "decision to stay or go" in found.sentence
    found = judged("bad and worse", at_signup=frozenset({"bad", "worse"}), **apart("volume_axis"))
    assert found.status == "fail"


def test_an_event_may_be_called_anything():
    assert "“a\\b”" in judged('"a\\\\b"', at_signup=frozenset({"a\\b"})).sentence
    assert "\n" not in judged('"a\nb"', at_signup=frozenset({"a\nb"})).sentence


@pytest.mark.parametrize(
    ("milestone", "word"),
    [
        ('good[status = "cancelled"] >= 2', "cancelled"),
        ('good and other[subscription = "x"]', "subscription"),
        ('good[status in ("open", "renewed")]', "renewed"),
    ],
)
def test_a_property_that_speaks_of_the_decision_is_a_doubt_and_the_users_choice(milestone, word):
    found = judged(milestone)
    assert (found.status, found.decides) == ("warn", False)
    assert f"contains “{word}”" in found.sentence


def test_other_properties_and_who_did_it_are_no_doubt():
    assert judged('good[channel = "email", by_other = true, size >= 10]').status == "pass"


@pytest.mark.parametrize(
    ("milestone", "status"),
    [
        ('bad[source = "demo"]', "fail"),
        ('bad[source = "demo"] and good', "warn"),
        ('bad[source = "demo"] >= 2', "pass"),
        ('bad[source = "blank"]', "pass"),
        ('worse[source = "demo"]', "pass"),
        ("bad", "fail"),
    ],
)
def test_an_act_is_at_signup_where_its_own_rows_are(milestone, status):
    found = judged(milestone, at_signup=frozenset({"bad", 'bad[source = "demo"]'}))
    assert found.status == status
    assert ("source" in found.sentence) == (status != "pass" and milestone != "bad")


@pytest.mark.parametrize(
    ("milestone", "status"),
    [
        ('good[tier = "x"]', "fail"),
        ('better or good[size >= 3, tier = "x"] >= 3', "fail"),
        ('other[tier = "x"]', "pass"),
        ('good[size = "x"]', "pass"),
        ("good", "pass"),
    ],
)
def test_a_trait_of_the_account_is_no_behaviour(milestone, status):
    found = judged(milestone, same_within={("good", "tier"): 0.978})
    assert (found.status, found.decides) == (status, status == "fail")
    assert ("for 97 % of the accounts" in found.sentence) == (status == "fail")


def test_rows_around_the_decision_disqualify_an_act_and_not_its_event():
    known = {"apart": {'good[tier = "x"]': ("outcome_adjacent", REASON)}}
    assert judged('good[tier = "x"] >= 2', **known).status == "fail"
    assert judged("good", **known).status == "pass"
