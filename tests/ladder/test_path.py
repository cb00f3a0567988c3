"""The planted way is found, in order, whatever life does to it; and where there is none, none is."""

from __future__ import annotations

import numpy as np
import pytest

from discovery.spec import LadderSpec

from .paths import Walk, reasons, texts

CHAIN = ["connect", "import", "build"]


def assert_found_among_all(walk, path, top):
    """Assert that a path keeps its figures among the accounts that it was found in."""
    among = path.among(top, walk.signup, walk.days)
    for own, place in zip(among.places, path.places, strict=True):
        assert own.necessity == pytest.approx(place.necessity, rel=1e-12)
        np.testing.assert_array_equal(own.first_days, place.first_days)
        assert (own.milestone, own.since, own.telling, own.routes) == (
            place.milestone,
            place.since,
            place.telling,
            place.routes,
        )


def chain(seed, **settings):
    walk = Walk(seed=seed, **settings).crowd().popular("browse", 0.93, 0.2)
    for name in CHAIN:
        walk.step(name)
    return walk, walk.top()


@pytest.mark.parametrize("untracked", [0.0, 0.05, 0.1])
@pytest.mark.parametrize("seed", range(4))
def test_the_planted_chain_is_recovered_in_order(seed, untracked):
    walk, top = chain(seed, untracked=untracked)
    path = walk.path(top)
    assert texts(path) == CHAIN
    assert path.alike > 0.8
    assert all(place.necessity > 0.8 and place.steady.mean() > 0.9 for place in path.places)


@pytest.mark.parametrize("seed", range(3))
def test_a_step_that_some_skip_is_still_a_step(seed):
    walk = Walk(seed=seed).crowd().step("connect").step("import", skipped=0.12).step("build")
    assert texts(walk.path(walk.top())) == CHAIN


def test_a_step_that_a_third_skips_is_not_required():
    walk = Walk(seed=1).crowd().step("connect").step("import", skipped=0.35).step("build")
    assert texts(walk.path(walk.top())) == ["connect", "build"]


@pytest.mark.parametrize("ways", [("csv", "salesforce"), ("csv", "hubspot", "salesforce")])
@pytest.mark.parametrize("seed", range(3))
def test_ways_that_serve_alike_are_one_rung(seed, ways):
    walk = Walk(seed=seed).crowd().step("connect").step(*ways).step("build")
    top = walk.top()
    path = walk.path(top)
    assert texts(path) == ["connect", " or ".join(ways), "build"]
    assert [place.routes for place in path.places] == [(0,), (0,) * len(ways), (0,)]
    assert_found_among_all(walk, path, top)


@pytest.mark.parametrize("seed", range(4))
def test_a_second_way_taken_by_few_joins_a_step_that_is_required_by_itself(seed):
    walk = Walk(seed=seed, n=6000).crowd()
    goes_on = walk._drawn(0.75)
    walk.day = walk.day + walk.rng.exponential(1.0, walk.n)
    few = walk.rng.random(walk.n) < 0.15
    walk.days["csv"], walk.days["api"] = (np.where(goes_on & side, walk.day, np.inf) for side in (~few, few))
    walk.going = goes_on
    assert texts(walk.path(walk.top())) == ["api or csv"]


@pytest.mark.parametrize("seed", range(4))
def test_routes_are_paired_step_by_step_and_told_apart(seed):
    walk = Walk(seed=seed).crowd().routes(("connect_crm", "map_fields"), ("upload_csv", "map_columns"))
    path = walk.path(walk.top())
    assert texts(path) == ["connect_crm or upload_csv", "map_columns or map_fields"]
    route = {step.event: r for place in path.places for step, r in zip(place.steps, place.routes, strict=True)}
    assert route["connect_crm"] == route["map_fields"] != route["upload_csv"] == route["map_columns"]
    assert set(route.values()) == {1, 2}


@pytest.mark.parametrize("seed", range(12))
def test_where_nothing_is_required_there_is_no_step(seed):
    """Engagement moves everything together: popular things precede the milestone, and are not required."""
    walk = Walk(seed=seed).crowd(20)
    for number in range(6):
        walk.popular(f"habit_{number}", 0.9, 0.3)
    walk.day = walk.day + walk.rng.exponential(3.0, walk.n)
    path = walk.path(walk.top(0.3))
    assert texts(path) == []
    assert any("popular rather than required" in reason for reason in reasons(path).values())


def test_what_nearly_everyone_does_is_named_and_tells_nothing():
    walk, top = chain(0)
    walk.days["open"] = np.where(walk.rng.random(walk.n) < 0.99, 0.001, np.inf)
    path = walk.path(top)
    assert texts(path) == CHAIN
    assert reasons(path)["open"].startswith("99 % of all accounts do it".replace(" %", "\u202f%"))


def test_what_may_be_no_rung_is_left_out_with_its_reason():
    walk, top = chain(0)
    path = walk.path(top, left_out={"import": "You call it vanity."})
    assert texts(path) == ["connect", "build"]
    assert reasons(path)["import"] == "You call it vanity."


def test_of_two_names_for_one_act_one_is_kept():
    walk, top = chain(2)
    walk.days["connect_confirmed"] = np.where(walk._drawn(0.95), walk.days["connect"] + 10 / 86400, np.inf)
    path = walk.path(top)
    assert texts(path) == CHAIN
    assert reasons(path)["connect_confirmed"] == "It comes within minutes of connect."


def test_more_steps_than_fit_leave_out_those_that_tell_least():
    walk = Walk(seed=3).crowd()
    for name, share in (("one", 0.95), ("two", 0.7), ("three", 0.7), ("four", 0.7), ("five", 0.7)):
        walk.step(name, share=share)
    top = walk.top()
    path = walk.path(top, spec=LadderSpec(rungs=(3, 4)))
    assert texts(path) == ["three", "four", "five"]
    assert reasons(path)["two"].startswith("More steps are required than fit")


def test_what_follows_the_milestone_is_no_step_even_on_the_same_day():
    """In a log of dates most things share a day; the days on which they differ tell the order."""
    walk, top = chain(4)
    walk.days["celebrate"] = top + walk.rng.exponential(0.5, walk.n)
    dates = {name: np.floor(days) for name, days in walk.days.items()}
    walk.days = dates
    assert texts(walk.path(np.floor(top))) == CHAIN


def test_what_always_shares_the_day_is_not_taken_to_come_before():
    walk = Walk(seed=5).crowd()
    top = walk.top(0.5)
    walk.days["confetti"] = top.copy()
    assert texts(walk.path(top)) == []


def test_a_step_that_came_late_counts_for_those_who_came_later():
    walk = Walk(seed=6, n=5000).crowd().step("connect")
    half = walk.signup[walk.n // 2]
    before = walk.going.copy()
    walk.step("import")
    later = walk.signup >= half
    walk.days["import"] = np.where(later, walk.days["import"], np.inf)
    walk.going = np.where(later, walk.going, before)
    walk.step("build")
    top = walk.top()
    assert texts(walk.path(top)) == ["connect", "build"]
    path = walk.path(top, since={"import": int(half)})
    assert_found_among_all(walk, path, top)
    assert texts(path) == CHAIN
    assert [place.since for place in path.places] == [None, half, None]


def test_too_few_at_the_milestone_say_nothing():
    walk, top = chain(0)
    top[np.flatnonzero(np.isfinite(top))[29:]] = np.inf
    path = walk.path(top)
    assert (texts(path), path.left_out, path.alike) == ([], (), None)


def test_a_milestone_nobody_reaches_and_a_log_without_steps():
    walk, top = chain(0)
    assert texts(walk.path(np.full(walk.n, np.inf))) == []
    walk.days = {}
    assert texts(walk.path(top)) == []


def test_without_half_samples_stability_is_not_known():
    walk, top = chain(0)
    path = walk.path(top, halves=0)
    assert texts(path) == CHAIN
    assert path.alike is None


@pytest.mark.parametrize("seed", range(2))
def test_the_order_of_accounts_and_of_steps_is_of_no_account(seed):
    walk, top = chain(seed)
    path = walk.path(top)
    shuffled = np.random.default_rng(9).permutation(walk.n)
    walk.days = {name: walk.days[name][shuffled] for name in reversed(walk.days)}
    walk.signup = walk.signup[shuffled]
    again = walk.path(top[shuffled])
    assert texts(again) == texts(path)
    assert [p.necessity for p in again.places] == pytest.approx([p.necessity for p in path.places])
    assert again.left_out == path.left_out


@pytest.mark.parametrize("kinds", [8, 15, 30])
@pytest.mark.parametrize("seed", range(4))
def test_accounts_that_never_begin_make_nothing_required(seed, kinds):
    """Nearly half of the signups do nothing at all: whoever does one thing does all the others more often, too."""
    walk = Walk(seed=seed)
    for number in range(kinds):
        walk.popular(f"other_{number:02}", walk.rng.uniform(0.5, 0.95), walk.rng.uniform(0.2, 2))
    walk.day = walk.day + walk.rng.exponential(2.0, walk.n)
    walk.ghosts(0.4)
    assert texts(walk.path(walk.top(0.4))) == []


@pytest.mark.parametrize("seed", range(3))
def test_a_chain_is_found_among_them(seed):
    walk, _ = chain(seed)
    walk.ghosts(0.4)
    assert texts(walk.path(walk.top())) == CHAIN


@pytest.mark.parametrize("seed", range(3))
def test_what_everyone_does_once_there_is_no_step(seed):
    """Most do it early anyway, and the others do it right after the milestone."""
    walk, top = chain(seed)
    anyway = walk._drawn(0.82)
    early = np.where(anyway, walk.rng.exponential(0.3, walk.n), np.inf)
    walk.days["looked"] = np.minimum(early, top + walk.rng.exponential(0.05, walk.n))
    assert texts(walk.path(top)) == CHAIN


def test_the_screen_of_the_milestone_is_no_step():
    walk, top = chain(1)
    tries = np.where(np.isfinite(top), top - 20 / 86400, np.inf)
    walk.days["dialog_opened"] = tries
    path = walk.path(top)
    assert texts(path) == CHAIN
    assert reasons(path)["dialog_opened"] == "It comes within minutes of the milestone itself."


def test_what_follows_a_step_by_itself_does_not_take_its_place():
    walk, top = chain(2)
    for name in CHAIN:
        walk.days[f"{name}_job"] = walk.days[name] + walk.rng.uniform(15, 45, walk.n) / 1440
    path = walk.path(top)
    assert texts(path) == CHAIN
    assert reasons(path)["import_job"] == "Nearly all who did import did it, and hardly anybody else."


@pytest.mark.parametrize("seed", range(3))
def test_a_third_way_is_not_left_out_because_two_would_do(seed):
    walk = Walk(seed=seed).crowd()
    goes_on = walk._drawn(0.75)
    walk.day = walk.day + walk.rng.exponential(1.0, walk.n)
    way = walk.rng.choice(3, walk.n, p=[0.45, 0.35, 0.20])
    for number, name in enumerate(("api", "csv", "salesforce")):
        walk.days[name] = np.where(goes_on & (way == number), walk.day, np.inf)
    walk.going = goes_on
    assert texts(walk.path(walk.top())) == ["api or csv or salesforce"]


def test_with_few_at_the_milestone_and_many_events_nothing_steady_is_found():
    walk = Walk(seed=8).crowd(150)
    walk.day = walk.day + walk.rng.exponential(1.0, walk.n)
    path = walk.path(walk.top(0.05))
    assert texts(path) == []
    assert path.alike > 0.9


@pytest.mark.parametrize("seed", range(4))
def test_in_a_log_of_popular_things_a_chain_is_found_and_nothing_else(seed):
    """Two in five signups do nothing; the others do nearly everything, most of it before the milestone."""
    walk = Walk(seed=seed, n=4000)
    for number in range(6):
        walk.popular(f"popular_{number}", 0.9, 0.15)
    for number in range(4):
        walk.popular(f"other_{number}", 0.4, 3.0)
    for name in CHAIN:
        walk.step(name)
    top = walk.ghosts(0.4).top()
    assert texts(walk.path(top)) == CHAIN


def test_among_very_many_events_the_luckiest_is_no_rung():
    """Of 250 events before the milestone of ninety accounts, one stands out by three standard errors."""
    walk = Walk(seed=4, n=1500)
    for number in range(250):
        walk.popular(f"other_{number:03}", walk.rng.uniform(0.55, 0.95), walk.rng.uniform(0.02, 0.2))
    walk.day = walk.day + 1.0
    assert texts(walk.path(walk.top(0.06))) == []


def test_a_path_found_in_some_accounts_has_the_figures_of_others():
    walk, top = chain(3)
    path = walk.path(top)
    later = walk.rng.random(walk.n) < 0.3
    days = {name: np.where(later, np.inf, own) for name, own in walk.days.items()}
    among = path.among(top[::2], walk.signup[::2], {name: own[::2] for name, own in days.items()})
    assert texts(among) == CHAIN
    for place in among.places:
        reached = np.isfinite(top[::2])
        assert place.necessity == (place.first_days < top[::2])[reached].mean() < 0.8
        np.testing.assert_array_equal(place.first_days, days[place.steps[0].event][::2])
