"""Milestones as people write them, as they are printed, and what is refused."""

from __future__ import annotations

import pytest

from discovery.errors import MilestoneSyntaxError
from discovery.milestone import Condition, Milestone, PropertyTest


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("report_shared", Condition("report_shared")),
        ("report_shared >= 3", Condition("report_shared", 3)),
        ("report_shared >= 3 within 7d", Condition("report_shared", 3, 168)),
        ("report_shared >= 3 within 7d by 2 users", Condition("report_shared", 3, 168, 2)),
        ("report_shared within 72h", Condition("report_shared", 1, 72)),
        ("report_shared by 1 user", Condition("report_shared")),
        ('"Deal Created" within 3d', Condition("Deal Created", 1, 72)),
        (r'"say \"hi\" \\ bye"', Condition('say "hi" \\ bye')),
        ("report_shared>=3", Condition("report_shared", 3)),
        ("  report_shared\n WITHIN 7d BY 2 Users ", Condition("report_shared", 1, 168, 2)),
        ("$pageview-2/x.y:z within 1h", Condition("$pageview-2/x.y:z", 1, 1)),
        ('"and"', Condition("and")),
        ('"7d"', Condition("7d")),
        ("größe_geändert", Condition("größe_geändert")),
    ],
)
def test_a_condition_is_read(text: str, condition: Condition) -> None:
    assert Milestone.parse(text) == Milestone((condition,))


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("a within 48h", "a within 2d"),
        ("a within 36h", "a within 36h"),
        ("a >= 1 by 1 users", "a"),
        ("b and a", "a and b"),
        ("a and b and a", "a and b"),
        ("(a and b) and c", "a and b and c"),
        ("((a))", "a"),
        ("(a and b) within 7d", "a within 7d and b within 7d"),
        ("((a or b) and c) within 1d", "c within 1d and (a within 1d or b within 1d)"),
        ("b and (a within 7d)", "a within 7d and b"),
        ("a and (b within 7d)", "a and (b within 7d)"),
        ("(b within 7d) or a", "a or (b within 7d)"),
        ("(a or b) and (b or a)", "a or b"),
        ('"in" and x', '"in" and x'),
        ('a[ channel="email" ]>=3 within 7d', 'a[channel = "email"] >= 3 within 7d'),
        ('a[size >= 10, channel in ("b", "a", "b")]', 'a[channel in ("a", "b"), size >= 10]'),
        ('a[channel in ("b")]', 'a[channel = "b"]'),
        ("a[b = 1, b = 1.0, b = 1e0]", "a[b = 1]"),
        ("a[b < -0.50, c != -0]", "a[b < -0.5, c != 0]"),
        ("a[b >= 1e20]", "a[b >= 100000000000000000000]"),
        ('a[b = TRUE, c in (true, 1, "1")]', 'a[b = true, c in ("1", 1, true)]'),
        ("a[by_other != true] within 72h", "a[by_other = false] within 3d"),
        ('a["true" = true, "a b" = 1, p.$q-r/s = 2]', 'a["a b" = 1, "true" = true, p.$q-r/s = 2]'),
        (r'a[b = "say \"]\" , \\"]', r'a[b = "say \"]\" , \\"]'),
        ("(a[b = 1] and c) within 7d", "a[b = 1] within 7d and c within 7d"),
        ("c within 7d and a[b = 1]", "a[b = 1] and (c within 7d)"),
        ('"Deal Created" within 3d and email_synced', '"Deal Created" within 3d and email_synced'),
    ],
)
def test_what_is_printed_is_canonical(written: str, printed: str) -> None:
    milestone = Milestone.parse(written)
    assert str(milestone) == printed
    assert Milestone.parse(printed) == milestone


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("   ", "it is empty"),
        ("a and b within 7d", "could belong to the last part or to all"),
        ("a or b or c within 7d", "could belong to the last part or to all"),
        ("a and b or c", "mixed"),
        ("(a and b", "not closed"),
        ("a)", "not expected"),
        ("a b", "'b' at character 3"),
        ("a and", "it ends where"),
        ("and a", "'and' at character 1"),
        ("a >= 0", "at least must be at least 1"),
        ("a >= x", "a number was expected"),
        ("a within 0d", "window must be at least 1"),
        ("a within 7", "a window was expected"),
        ("a within 7w", "a window was expected"),
        ("a by 2", "followed by the word users"),
        ("a by 2 accounts", "followed by the word users"),
        ('""', "empty"),
        ('"never closed', "cannot read"),
        ("(a within 3d and b) within 7d", "'a' has a window of its own"),
        ("a[]", "where a name or string was expected"),
        ('a[plan = "pro"', "a square bracket is not closed"),
        ("a[plan]", "must be followed by one of = != < <= > >= in"),
        ("a[plan = pro]", "'pro' at character 10 is a text; write it as \"pro\""),
        ('a[plan >= "pro"]', "asks for an order, which only numbers have"),
        ("a[plan < true]", "asks for an order, which only numbers have"),
        ('a[plan = "b" and size = 3]', "joined by a comma"),
        ('a[plan = "b"][size = 3]', "one pair of square brackets"),
        ('a[plan in "b"]', "in must be followed by values in brackets"),
        ("a[plan in ()]", "where a string or number was expected"),
        ('a[plan = ("b", "c")]', "where a string or number was expected"),
        ('a[plan = ""]', "an empty text, which counts as missing"),
        ("a[size = 1e999]", "a number is too large"),
        ("a[by_other = 1]", "write by_other = true or by_other = false"),
        ("a[by_other in (true, false)]", "write by_other = true or by_other = false"),
        ("a[[b = 1]]", "where a name or string was expected"),
        ("a >= 2[b = 1]", "'[' at character 7 is not expected"),
        ("a < 3", "cannot read"),
        ("7d", "where a name or string was expected"),
        ("3 >= 2", "where a name or string was expected"),
    ],
)
def test_what_is_not_in_the_language_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(MilestoneSyntaxError, match=r"Write it like: report_shared >= 3 within 7d by 2 users") as error:
        Milestone.parse(text)
    assert said in str(error.value)
    assert repr(text) in str(error.value)


def test_family_and_conditions_are_in_canonical_order() -> None:
    milestone = Milestone.parse("zeta >= 2 and (beta or alpha) and zeta >= 5")
    assert milestone.family == "alpha + beta + zeta"
    assert milestone.events == ("alpha", "beta", "zeta")
    assert [str(condition) for condition in milestone.conditions][:2] == ["zeta >= 2", "zeta >= 5"]


@pytest.mark.parametrize(("hours", "days"), [(24, 1), (168, 7), (36, 1.5), (None, None)])
def test_window_in_days(hours: int | None, days: float | None) -> None:
    assert Condition("a", within_hours=hours).within_days == days


def test_a_milestone_of_nothing_is_refused() -> None:
    with pytest.raises(MilestoneSyntaxError, match="at least one condition"):
        Milestone(())


def test_a_milestone_without_its_windows_and_any_of_its_events():
    milestone = Milestone.parse("a >= 3 within 7d by 2 users and (b within 2h or c)")
    assert str(milestone.without_windows) == "a >= 3 by 2 users and (b or c)"
    assert str(milestone.any_event) == "a or b or c"
    assert Milestone.of("a").without_windows == Milestone.of("a").any_event == Milestone.of("a")


def test_tests_of_properties_belong_to_the_act_and_not_to_the_family():
    milestone = Milestone.parse('a[b = 1] >= 3 within 7d by 2 users and (a or "c d"[e = "f", g != true])')
    assert milestone.family == "a + c d"
    assert milestone.properties == ("b", "e", "g")
    assert [act.act_name for act in milestone.acts] == ["a", "a[b = 1]", '"c d"[e = "f", g != true]']
    assert str(milestone.without_windows) == 'a[b = 1] >= 3 by 2 users and ("c d"[e = "f", g != true] or a)'
    assert str(milestone.any_event) == '"c d"[e = "f", g != true] or a or a[b = 1]'


def test_values_that_python_takes_for_equal_are_different_tests():
    tests = {PropertyTest("a", "=", value) for value in (1, True, "1", 1.0, "true")}
    assert sorted(map(str, tests)) == ['a = "1"', 'a = "true"', "a = 1", "a = true"]
    assert len({Condition("x", where=(test,)) for test in tests}) == 4
    assert sorted(Condition("x", where=(test,)) for test in tests)[0].where == (PropertyTest("a", "=", "1"),)


def test_the_order_and_repeats_of_tests_are_irrelevant():
    one, two = PropertyTest("b", ">=", 2.50), PropertyTest("a", "in", ("y", "x", "y"))
    assert Condition("e", where=(one, two, one)) == Condition("e", where=(two, one))
    assert two.fields() == {"property": "a", "operator": "in", "value": ["x", "y"]}


@pytest.mark.parametrize(
    ("test", "said"),
    [
        (("", "=", 1), "needs the property's name"),
        (("a", "==", 1), "no operator"),
        (("a", "=", ("x", "y")), "does not fit its value"),
        (("a", "in", "x"), "does not fit its value"),
        (("a", "in", ()), "names no value"),
        (("a", "<", float("inf")), "too large"),
        (("a", "=", float("nan")), "too large"),
        (("a", "=", 10**400), "too large"),
    ],
)
def test_a_test_that_says_nothing_is_refused(test, said):
    with pytest.raises(MilestoneSyntaxError, match=said):
        PropertyTest(*test)


def test_whole_numbers_that_no_double_tells_apart_are_refused():
    for text in ("a[b = 9007199254740993]", "a[b != -9007199254740992]", "a[b in (1, 1e20)]"):
        with pytest.raises(MilestoneSyntaxError, match="Write it in quotes"):
            Milestone.parse(text)
    for text in ("a[b = 9007199254740991]", 'a[b = "9007199254740993"]', "a[b >= 9007199254740993]"):
        assert Milestone.parse(str(Milestone.parse(text))) == Milestone.parse(text)
