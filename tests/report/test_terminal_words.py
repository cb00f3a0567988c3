"""What the terminal and `run.log` say agrees with the report: the verdict's reach, its reasons, both differences."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from discovery.cli.terminal import Console, finding_text, print_study

from . import factory


def said(result, capsys):
    print_study(Console(), result, Path("out"))
    return capsys.readouterr().out


def test_a_finding_for_one_persona_says_so(capsys):
    result = factory.for_one_persona()
    assert said(result, capsys).startswith("FOUND (for plan=team only): ")
    log = Console().log(result)
    assert "verdict  found for plan=team: " in log
    assert "because  Its adjusted score is 4.6" in log
    assert "persona  plan=solo: none: " in log


def test_both_differences_explanations_harms_and_personas_are_printed(capsys):
    text = said(factory.telling("found"), capsys)
    assert "  - Its adjusted score is 4.6" in text
    assert "4. dashboard_viewed >= 3 within 7d by 2 users: +1 points adjusted, +22 points plain (habit)" in text
    assert "-13 points adjusted, +2 points plain (harm)" in text
    assert text.count("Explained away:") == 1
    assert "being active at all accounts for it" in text
    assert "plan=solo (1,204 accounts): none\n" in text


@pytest.mark.parametrize(("verdict", "warned"), [("none", True), ("insufficient", True), ("lead", False)])
def test_the_top_row_of_nothing_is_not_offered(capsys, verdict, warned):
    assert ("No row is supported as a milestone" in said(factory.telling(verdict), capsys)) is warned


def test_aggregates_say_why_there_is_no_ladder(capsys):
    why = "Ladders ask when each event happened, and aggregates do not say; run on the events"
    assert why in said(factory.of_aggregates(), capsys)
    assert "Ladders ask" not in said(factory.telling("none"), capsys)


def test_more_explanations_than_fit_are_counted(capsys):
    families = tuple(factory.family(r, f"event_{r}", explained_away=f"reason {r}.") for r in range(1, 8))
    text = said(factory.study("none", ranking=families), capsys)
    assert "reason 3." in text
    assert "reason 4." not in text
    assert "and 4 more in the report" in text


def test_what_a_terminal_would_obey_is_shown_and_not_obeyed(capsys):
    Console().say("a \x1b]0;owned\x07name\u202e\n  and  a second line")
    assert capsys.readouterr().out == "a \ufffd]0;owned\ufffdname\ufffd\n  and  a second line\n"


def test_a_name_from_the_data_does_not_break_a_finding_into_lines():
    finding = factory.telling("none").quality[0]
    text = finding_text(dataclasses.replace(finding, message="one\ntwo", examples=("three\nfour",), remedy="five\nsix"))
    assert [line.strip() for line in text.splitlines()[1:4]] == ["one two", "For example: three four", "five six"]
