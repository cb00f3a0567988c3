"""The bar says how far a stage is where that is known, and how long it will take once that can be told."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from discovery.cli import bar as bars
from discovery.cli.bar import bar, in_words, seconds_left
from discovery.cli.terminal import Console as Terminal

DRAWN = re.compile(r"[━╸╺]")


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Screen:
    """A terminal of which the last line is looked at."""

    def __init__(self) -> None:
        self.file = io.StringIO()
        self.console = Console(file=self.file, force_terminal=True, width=100, _environ={})

    @property
    def line(self) -> str:
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.file.getvalue())
        return [line for line in re.split(r"[\r\n]", plain) if line.strip()][-1]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    told = Clock()
    monkeypatch.setattr(bars, "time", told)
    return told


def shown(clock: Clock, *said: tuple[float, str, float | None]) -> str:
    """What stands on the screen after stages were said, each so many seconds after the one before."""
    screen = Screen()
    with bar(screen.console) as enter:
        for wait, stage, share in said:
            clock.now += wait
            enter(stage, share)
    return screen.line  # leaving draws once more, and then wipes


def test_a_stage_without_a_share_has_neither_bar_nor_time(clock: Clock) -> None:
    line = shown(clock, (0, "Reading", None), (60, "Reading", None))
    assert "Reading" in line
    assert not DRAWN.search(line)
    assert "left" not in line


def test_a_share_draws_the_bar_and_the_pace_tells_the_rest(clock: Clock) -> None:
    line = shown(clock, (0, "Counting", 0.0), (10, "Counting", 0.25))
    assert DRAWN.search(line)
    assert "about 30 s left" in line


def test_nothing_is_said_of_the_rest_before_it_can_be_known(clock: Clock) -> None:
    assert "left" not in shown(clock, (0, "Counting", 0.0))
    assert "left" not in shown(clock, (0, "Counting", 0.0), (0.5, "Counting", 0.5))
    assert "left" not in shown(clock, (0, "Counting", 0.0), (100, "Counting", 0.01))


def test_the_next_stage_begins_anew(clock: Clock) -> None:
    line = shown(clock, (0, "Counting", 0.0), (10, "Counting", 1.0), (5, "Comparing", None))
    assert "Comparing" in line
    assert not DRAWN.search(line)
    assert "left" not in line
    again = shown(clock, (0, "Counting", 0.0), (10, "Counting", 1.0), (100, "Comparing", 0.0), (4, "Comparing", 0.5))
    assert "about 4 s left" in again


def test_a_share_that_falls_back_takes_nothing_away(clock: Clock) -> None:
    assert "about 10 s left" in shown(clock, (0, "Counting", 0.0), (10, "Counting", 0.5), (0, "Counting", 0.1))
    assert "nearly done" in shown(clock, (0, "Counting", 0.0), (10, "Counting", 7.0))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "nearly done"),
        (0.4, "nearly done"),
        (1.2, "about 2 s left"),
        (41, "about 45 s left"),
        (58, "about 1 min left"),
        (61, "about 2 min left"),
        (3600, "about 60 min left"),
    ],
)
def test_times_to_come_are_rounded_up(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_seconds_left_go_with_the_pace() -> None:
    assert seconds_left(10, 0.5) == 10
    assert seconds_left(10, 1.0) == 0
    assert seconds_left(0.1, 0.5) is None


def test_without_a_terminal_stages_are_logged_and_nothing_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    with terminal.working() as enter:
        enter("Counting", 0.0)
        enter("Counting", 0.5)
        enter("Comparing")
    assert capsys.readouterr() == ("", "")
    assert [stage for _, stage in terminal._stages] == ["Counting", "Comparing"]
