"""A result made by hand, held against a truth made by hand."""

from types import SimpleNamespace

import pytest

from benchmarks.accuracy.judge import Facts, Judged, failure, judge, place_of, same_rule
from discovery.results import Estimate, RankedFamily, Verdict

PLANTED = Facts(families=("report_shared",), rules=("report_shared >= 3 within 7d",), vanity=("login",))
KEY = ("easy", 1000, 7)


def estimate(value, lower=None, upper=None):
    return Estimate(estimate=value, ci_lower=lower, ci_upper=upper, scale="risk difference", n_accounts=100)


def ranked(rank, milestone, *, family=None, equivalent=(), adjusted=None):
    return RankedFamily(
        rank=rank, family=family or milestone.split()[0], milestone=milestone, conditions=(), status="unsupported",
        kind=None, reach=0.3, n_reached=30, retained_if_reached=0.7, retained_if_not=0.5, lift=1.4, phi=0.2,
        odds_ratio=2.0, adjusted=adjusted or estimate(0.1, 0.05, 0.15), naive_difference=estimate(0.2),
        hazard_ratio=None, adjusted_odds_ratio=None, score=4.0, p_adjusted=0.01, q_value=0.01, equivalent=equivalent,
    )  # fmt: skip


def verdict(status, milestone=None, persona=None):
    return Verdict(status=status, milestone=milestone, sentence="", persona=persona)


def answer(verdict_, ranking=(), personas=()):
    return SimpleNamespace(verdict=verdict_, ranking=ranking, personas=personas)


def judged(answer_, facts=PLANTED, **more):
    return judge(answer_, facts, KEY, version="v", seconds=1.5, **more)


def test_a_right_answer():
    rows = (ranked(2, "login"), ranked(1, "report_shared >= 3 within 7d"), ranked(None, "invoice_paid"))
    row = judged(answer(verdict("found", "report_shared >= 3 within 7d"), rows))
    assert (row.group, row.status, row.right, row.rank, row.exact, row.equivalent) == (
        "planted", "found", True, 1, True, True,
    )  # fmt: skip
    assert not row.vanity_first


def test_another_rule_of_the_right_family_is_a_hit_and_not_exact():
    row = judged(answer(verdict("lead", "report_shared >= 5"), (ranked(1, "report_shared >= 5"),)))
    assert (row.right, row.rank, row.exact, row.equivalent) == (True, 1, False, False)


def test_the_planted_rule_may_lie_in_the_equivalence_set():
    first = ranked(1, "report_shared >= 2 within 7d", equivalent=("report_shared >= 3 within 7d",))
    row = judged(answer(verdict("none"), (first,)))
    assert (row.right, row.exact, row.equivalent) == (None, False, True)


def test_a_twin_of_the_planted_rule_is_equivalent():
    twins = ("report_shared within 3d", "report_shared >= 3 within 7d")
    result = answer(verdict("none"), (ranked(1, twins[0]),))
    row = judged(result, same_accounts=lambda *asked: asked == twins)
    assert (row.exact, row.equivalent) == (False, True)
    assert judged(result, same_accounts=lambda *asked: False).equivalent is False


def test_vanity_on_top_and_the_planted_family_third():
    rows = (ranked(1, "login"), ranked(2, "search_performed"), ranked(3, "report_shared"))
    row = judged(answer(verdict("found", "login"), rows))
    assert (row.vanity_first, row.rank, row.right, row.exact) == (True, 3, False, False)


def test_an_unranked_planted_family_is_no_hit():
    assert judged(answer(verdict("none"), (ranked(1, "login"), ranked(None, "report_shared")))).rank is None


def test_a_conjunction_is_found_as_a_whole():
    facts = Facts(families=("a + b",), rules=("a within 7d and b within 7d",))
    whole = ranked(1, "b within 7d and a within 7d", family="a + b")
    row = judged(answer(verdict("found", "(a and b) within 7d"), (whole,)), facts)
    assert (row.right, row.rank, row.exact) == (True, 1, True)
    part = judged(answer(verdict("found", "a within 7d"), (ranked(1, "a within 7d"),)), facts)
    assert (part.right, part.rank, part.exact) == (False, None, False)


def test_without_a_planted_rule_exactness_is_not_asked():
    row = judged(answer(verdict("found", "a"), (ranked(1, "a"),)), Facts(families=("a",), rules=()))
    assert (row.right, row.exact, row.equivalent) == (True, None, None)


@pytest.mark.parametrize(
    ("facts", "group"),
    [
        (Facts(families=(), rules=()), "null"),
        (Facts(families=(), rules=(), decoys=("x",)), "hidden"),
        (Facts(families=("a",), rules=(), segment="plan=team"), "segment"),
    ],
)
def test_groups(facts, group):
    assert judged(answer(verdict("none")), facts).group == group


def test_whatever_is_found_where_nothing_is_planted_is_wrong():
    row = judged(answer(verdict("found", "x"), (ranked(1, "x"),)), Facts(families=(), rules=(), decoys=("x",)))
    assert (row.right, row.decoy_first) == (False, True)


def persona(name, status, milestone=None):
    return SimpleNamespace(persona=name, verdict=verdict(status, milestone))


@pytest.mark.parametrize(
    ("overall", "personas", "right", "status", "wrong"),
    [
        (verdict("none"), [persona("plan=team", "found", "a >= 2")], None, "found", 0),
        (verdict("none"), [persona("plan=team", "lead", "a")], None, "lead", 0),
        (verdict("none"), [persona("plan=free", "found", "a")], None, "missed", 1),
        (verdict("none"), [persona("plan=team", "found", "z")], None, "missed", 1),
        (verdict("found", "a"), [], True, "found", 0),
        (verdict("found", "a", persona="plan=team"), [], True, "found", 0),
        (verdict("found", "a", persona="plan=free"), [], False, "missed", 0),
    ],
)
def test_an_effect_in_one_segment(overall, personas, right, status, wrong):
    facts = Facts(families=("a",), rules=("a",), segment="plan=team")
    row = judged(answer(overall, personas=personas), facts)
    assert (row.right, row.segment_status, row.wrong_personas) == (right, status, wrong)


def test_intervals_are_held_against_both_truths():
    rows = [
        ranked(1, "report_shared", adjusted=estimate(0.2, 0.1, 0.3)),
        ranked(2, "login"),
        ranked(3, "x", adjusted=estimate(None)),
        ranked(11, "y"),
    ]
    truths = {"report_shared": (0.15, 0.35), "login": (0.0, 0.0)}
    row = judged(answer(verdict("none"), rows), true_difference=truths.__getitem__)
    assert [(i.rank, i.planted, i.estimate, i.lower, i.upper, i.overlap, i.average) for i in row.intervals] == [
        (1, True, 0.2, 0.1, 0.3, 0.15, 0.35),
        (2, False, 0.1, 0.05, 0.15, 0.0, 0.0),
    ]


def test_rules_that_ask_the_same():
    assert same_rule("a >= 2", "a >= 2 within 14d")
    assert same_rule("a and b", "(b and a) within 14d")
    assert not same_rule("a >= 2", "a >= 2 within 7d")
    assert same_rule("a >= 2 within 7d by 2 users", "a within 7d by 2 users")
    assert not same_rule("a >= 3 within 7d by 2 users", "a within 7d by 2 users")
    assert not same_rule("a and b", "a or b")


def test_places_count_from_one():
    assert place_of(["x", "a", "b"], ["b", "a"]) == 2
    assert place_of([], ["a"]) is None


def test_a_failed_run_is_no_success_of_any_kind():
    row = failure(KEY, "v", "ValueError: no")
    assert (row.group, row.status, row.failed) == ("failed", "failed", "ValueError: no")
    assert Judged.from_dict(row.as_dict()) == row
