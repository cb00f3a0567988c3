"""Until when accounts are followed: as late as half of them could be, said with figures."""

from __future__ import annotations

import pytest

from discovery.spec import build_spec
from discovery.suggest import Horizon, chosen_horizon, horizons_of, kind_choice, outcome_choice


def horizon(days, known, stayed=None, landmark=100) -> Horizon:
    return Horizon(days=days, landmark=landmark, known=known, stayed=known // 2 if stayed is None else stayed)


@pytest.mark.parametrize(
    ("known", "chosen"),
    [((60, 80, 100), 90), ((50, 80, 100), 90), ((49, 80, 100), 60), ((10, 20, 60), 30), ((0, 10, 40), 30)],
)
def test_the_longest_that_half_of_the_accounts_were_followed_to(known, chosen):
    found = [horizon(days, n) for days, n in zip((90, 60, 30), known, strict=True)]
    assert chosen_horizon("retained", found).days == chosen


def test_activity_is_read_in_week_four_unless_the_log_is_too_short():
    days = ((21, 28), (14, 21), (29, 60), (29, 90))
    assert chosen_horizon("active", [horizon(d, 90) for d in days]).days == (21, 28)
    short = [horizon(d, n) for d, n in zip(days, (30, 70, 0, 0), strict=True)]
    assert chosen_horizon("active", short).days == (14, 21)


def test_only_days_after_the_window_are_offered():
    spec = build_spec({"candidates": {"window_days": 30}})
    assert horizons_of("retained", spec, asked=False) == (90, 60)
    assert horizons_of("active", spec, asked=False) == ((21, 28),)  # what the spec says stands where nothing fits


def test_what_was_asked_for_is_looked_at_alone():
    spec = build_spec({"outcome": {"by_day": 45}})
    assert horizons_of("retained", spec, asked=True) == (45,)


def test_the_reason_gives_the_figures_of_every_choice():
    found = [horizon(90, 60, 45), horizon(60, 80, 72)]
    choice = outcome_choice("retained", found, found[0], asked=False)
    assert (choice.section, choice.key, choice.value, choice.options) == ("outcome", "by_day", 90, (90, 60))
    assert "60 to day 90 (75 % stayed), 80 to day 60 (90 % stayed)" in choice.reason


def test_an_outcome_that_tells_nobody_apart_is_said():
    found = horizon((21, 28), 100, 99)
    assert "Nearly all were active" in outcome_choice("active", [found], found, asked=False).reason


def test_a_short_log_is_said():
    found = horizon(30, 10)
    assert "Fewer than half" in outcome_choice("retained", [found], found, asked=False).reason


def test_the_kind_of_outcome_says_why():
    assert "when they left" in kind_choice("retained", ["retained", "active"], False).reason
    assert "last seen" in kind_choice("active", ["active"], True).reason
