"""Every milestone prints and parses back, however hostile its event names."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from discovery.errors import MilestoneSyntaxError
from discovery.milestone import Condition, Milestone, PropertyTest

HOSTILE = [
    *["and", "OR", "Within", "by", "users", "in", "7d", "72h", "3", "-7d", "٣d", "a and b", "a)", "(", "[", "=", ">="],
    *['"', '\\"', "\\", "\\\\", "a\nb", "\\\n", " ", "\u00a0", "\x1c", "a\x00b", "e\u0301", "\ud800"],
    *["<script>", "a'b", "';--", "{{x}}"],
]

plain_names = st.from_regex(r"[a-z_]{1,10}", fullmatch=True)
names = st.sampled_from(HOSTILE) | st.text(min_size=1, max_size=12) | plain_names
exact = st.integers(1 - 2**53, 2**53 - 1) | st.floats(-(2**53), 2**53, exclude_min=True, exclude_max=True)
values = st.text(min_size=1, max_size=8) | st.sampled_from(HOSTILE) | st.booleans() | exact
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**6), 10**6)
properties = names.filter(lambda name: name != "by_other")
tests = (
    st.builds(PropertyTest, properties, st.sampled_from(["=", "!="]), values)
    | st.builds(PropertyTest, properties, st.sampled_from(["<", "<=", ">", ">="]), numbers)
    | st.builds(PropertyTest, properties, st.just("in"), st.lists(values, min_size=1, max_size=4).map(tuple))
    | st.builds(PropertyTest, st.just("by_other"), st.sampled_from(["=", "!="]), st.booleans())
)
conditions = st.builds(
    Condition,
    names,
    at_least=st.integers(1, 10**6),
    within_hours=st.none() | st.integers(1, 24 * 365),
    min_users=st.integers(1, 50),
    where=st.just(()) | st.lists(tests, max_size=3).map(tuple),
)
milestones = st.recursive(
    st.builds(lambda condition: Milestone((condition,)), conditions),
    lambda inner: st.builds(
        lambda parts, joined: Milestone(tuple(parts), joined),
        st.lists(conditions | inner, min_size=1, max_size=4),
        st.sampled_from(["and", "or"]),
    ),
    max_leaves=8,
)


@given(milestones)
@example(Milestone.of("\\\n", 2, 36, 2))
@example(Milestone((Condition("b", within_hours=24), Condition("a")), "or"))
def test_printed_form_parses_back_to_an_equal_milestone(milestone: Milestone) -> None:
    parsed = Milestone.parse(str(milestone))
    assert parsed == milestone
    assert hash(parsed) == hash(milestone)
    assert str(parsed) == str(milestone)


@given(st.lists(conditions, min_size=1, max_size=5), st.sampled_from(["and", "or"]), st.randoms())
def test_order_repeats_and_nesting_of_the_same_word_are_irrelevant(
    parts: list[Condition], joined: str, shuffler: random.Random
) -> None:
    plain = Milestone(tuple(parts), joined)  # type: ignore[arg-type]
    mixed = [*parts, shuffler.choice(parts)]
    shuffler.shuffle(mixed)
    cut = shuffler.randint(0, len(mixed) - 1)
    nested = Milestone((*mixed[:cut], Milestone(tuple(mixed[cut:]), joined)), joined)  # type: ignore[arg-type]
    assert nested == plain
    assert str(nested) == str(plain)


@given(st.lists(conditions, min_size=1, max_size=3, unique=True), st.integers(1, 24 * 30))
def test_one_window_for_all_is_each_with_that_window(parts: list[Condition], hours: int) -> None:
    open_parts = [replace(p, within_hours=None) for p in parts]
    bracket = Milestone.parse(f"({Milestone(tuple(open_parts))}) within {hours}h")
    assert bracket == Milestone(tuple(replace(p, within_hours=hours) for p in parts))


@given(st.text(alphabet='ab37dh "\\()[]>=<!,.-truefalseandorwithinbyusers\n', max_size=40) | st.text(max_size=40))
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    try:
        milestone = Milestone.parse(text)
    except MilestoneSyntaxError:
        return
    assert Milestone.parse(str(milestone)) == milestone
