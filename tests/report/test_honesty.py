"""What keeps a reader from being misled: for whom a finding holds, what is explained away, how sure it is."""

from __future__ import annotations

import dataclasses
import re

import pytest

from discovery import report
from discovery.errors import Caution
from discovery.plots import canvas, forest, shrinkage, svg
from discovery.report.checks import checks

from . import factory
from .test_report import Page

VERDICTS = sorted(factory.VERDICTS)


def page_of(result):
    return Page(report.render(result))


def asked(**changes):
    """Return the checks of a lead by their question, its family changed."""
    result = factory.telling("found")
    family = dataclasses.replace(result.ranking[0], **changes)
    return {check.question: check for check in checks(family, result)}


def test_a_finding_for_one_persona_says_so_wherever_the_verdict_is_read():
    result = factory.for_one_persona()
    html = report.render(result)
    page = Page(html)
    assert page.words("verdict").startswith("Found · for plan=team only")
    assert "supported for plan=team alone" in page.words("verdict")
    assert "+19.0 points [11.0, 27.0]" in page.words("key-title")
    assert "for plan=team only" in re.search(r"<title>(.*?)</title>", html)[1]
    assert "The verdict above is about plan=team only" in page.words("ranking")
    assert "for plan=team only" in " ".join(Page(report.render_cards(result)).sections[""].split())
    assert "only" not in page_of(factory.telling("found")).words("verdict").split("“")[0]


@pytest.mark.parametrize("verdict", VERDICTS)
def test_what_is_explained_away_stands_before_the_ranking_in_the_words_it_was_given(verdict):
    result = factory.telling(verdict)
    html = report.render(result)
    words = Page(html).words("explained")
    texts = [family.explained_away for family in result.ranking if family.explained_away]
    assert len(texts) == 3
    assert [text for text in texts if text not in words] == []
    assert html.index('id="explained"') < html.index('id="ranking"')
    assert "+22.0 [15.0, 29.0]" in words
    assert "+1.0 [−3.0, 5.0]" in words


def test_nothing_explained_away_and_no_personas_leave_no_sections():
    sections = page_of(factory.study("none")).sections
    assert not {"explained", "personas", "sure"} & set(sections)


def test_many_explained_away_are_folded_and_the_cut_is_said():
    families = tuple(factory.family(r, f"event_{r}", explained_away=f"reason number {r}.") for r in range(1, 41))
    page = page_of(factory.study("none", ranking=families))
    shown, folded = page.words("explained").split("Show the other 20")
    assert "reason number 5." in shown
    assert "reason number 6." in folded
    assert "15 more are in result.json" in folded
    assert "reason number 30." not in folded
    assert "reason number 30." in page.words("ranking")


def test_pictures_of_equal_numbers_share_no_id():
    result = factory.study()
    drawn = [svg(shrinkage(factory.family(1, name), result)) for name in ("a", "b")]
    first, second = (set(re.findall(r'\bid="([^"]+)"', picture)) for picture in drawn)
    assert first
    assert not first & second


def test_pictures_of_what_is_explained_away_share_their_scale():
    wide, narrow = (
        factory.family(1, "wide", naive_difference=factory.estimate(0.6)),
        factory.family(2, "narrow", naive_difference=factory.estimate(0.1)),
    )
    result = factory.study()
    limits = [shrinkage(family, result, (wide, narrow)).axes[0].get_xlim() for family in (wide, narrow)]
    assert limits[0] == limits[1]
    assert limits[0][1] > 67


@pytest.mark.parametrize("verdict", ["none", "insufficient"])
def test_no_row_is_examined_as_if_it_were_the_milestone(verdict):
    assert "sure" not in page_of(factory.telling(verdict)).sections


def test_every_check_is_a_line_with_its_number():
    words = page_of(factory.telling("found")).words("sure")
    for number in ("4.6", "82 %", "+10.5 points [3.5, 17.5]", "4.1", "+6.2 points [2.2, 10.2]", "2.2"):
        assert number in words.replace("\u202f", " ")
    for number in ("+8.1 points [−0.9, 17.1]", "64 %", "1.74", "8 %", "+5.5 points", "“company_size”"):
        assert number in words.replace("\u202f", " ")


def test_what_is_not_known_is_not_asked():
    gone = dict.fromkeys(factory.SURE)
    assert set(asked(**gone)) == {
        "Could a search this wide turn it up by chance?",
        "How large is it on accounts that did not choose the rule?",
    }
    assert asked(**gone, score=None, adjusted=factory.estimate(None)) == {}


@pytest.mark.parametrize(
    ("question", "changes", "speaks"),
    [
        ("Could a search", {"p_adjusted": 0.05}, "for it"),
        ("Could a search", {"p_adjusted": 0.051}, "against it"),
        ("Would other accounts", {"stability": 0.4}, "open"),
        ("How large", {"adjusted": factory.estimate(0.02)}, "open"),
        ("How large", {"adjusted": factory.estimate(-0.02)}, "against it"),
        ("Does it also hold", {"horizon_score": -0.3}, "against it"),
        ("Is it more than", {"composition": factory.estimate(0.01)}, "open"),
        ("Is it more than", {"composition": None}, "for it"),
        ("Is it more than", {"composition": None, "composition_score": -1.0}, "against it"),
        ("Does the threshold", {"threshold_score": -3.0}, "open"),
        ("Does it still hold", {"warnings": (Caution.FADES,)}, "against it"),
        ("Does it still hold", {"latest": factory.estimate(0.1)}, "for it"),
        ("Are there accounts", {"warnings": (Caution.POOR_OVERLAP,)}, "against it"),
        ("How strong", {}, None),
        ("And set beside", {"left_over": -0.001}, "against it"),
        ("And set beside", {"strongest_trait": None, "warnings": (Caution.NO_TRAITS,)}, "open"),
    ],
)
def test_a_number_speaks_as_it_reads(question, changes, speaks):
    found = [check for name, check in asked(**changes).items() if name.startswith(question)]
    assert [check.speaks for check in found] == [speaks]


def test_the_score_of_the_stated_day_is_a_check_only_where_another_score_decides():
    result = factory.telling("found", score_model="logistic")
    assert not [check for check in checks(result.ranking[0], result) if "alone" in check.question]


def test_rules_that_cannot_be_told_apart_stand_under_the_milestone():
    words = page_of(factory.telling("found")).words("verdict")
    assert "Cannot be told apart from: report_shared >= 2 within 7d by 2 users" in words
    assert "Cannot be told apart" not in page_of(factory.telling("none")).words("verdict")


def test_families_that_move_together_name_each_other_and_lone_ones_nobody():
    words = page_of(factory.telling("found")).words("ranking")
    assert "Moves together with report_exported : nearly the same accounts do both." in words
    assert "Moves together with report_shared :" in words
    lone = factory.study(ranking=(factory.family(1, "report_shared", cluster=4),))
    assert "Moves together" not in page_of(lone).words("ranking")


def test_harm_is_seen_without_unfolding_and_drawn():
    many = tuple(factory.family(rank, f"event_{rank}") for rank in range(1, 30))
    harm = factory.family(30, "ads_seen", status="harm", adjusted=factory.estimate(-0.13))
    result = factory.study("none", ranking=(*many, harm))
    html = report.render(result)
    at = html.index('<tr role="row" class="harm">')
    assert html.count('class="harm"') == 1
    assert html.rfind("<details", 0, at) <= html.rfind("</details>", 0, at)
    assert "associated with being retained less often" in Page(html).words("ranking")
    assert any("ads_seen" in text.get_text() for text in forest(result).axes[0].texts)
    only = Page(report.render(factory.study("none", ranking=(harm,)))).words("ranking")
    assert "ads_seen" in only
    assert "No rule could be compared" not in only


@pytest.mark.parametrize("status", ["volume_axis", "at_signup", "passive", "outcome_adjacent"])
def test_what_is_set_apart_says_why_even_where_no_reason_came_along(status):
    apart = factory.family(None, "x", status=status, reason=None)
    words = page_of(factory.study("none", ranking=(factory.family(1, "a"), apart))).words("ranking")
    said = words.split("Set apart")[1]
    assert status.replace("_", " ") in said
    assert "n/a" not in said


def test_personas_show_their_verdict_effect_and_whether_they_differ():
    words = page_of(factory.telling("none")).words("personas")
    rows = re.split(r"(?=plan=|channel=)", words)[1:]
    assert len(rows) == 4
    assert all(word in rows[0] for word in ("812", "found", "+19.0 [11.0, 27.0]", "+14.2", "differs (p = 0.012)"))
    assert all(word in rows[1] for word in ("1,204", "none supported", "differs"))
    assert all(word in rows[2] for word in ("insufficient", "not enough data", "not tested"))
    assert "no sign that it differs (p = 0.41)" in rows[3]


def test_a_conjunction_takes_a_line_for_each_part_and_a_long_event_name_only_one():
    parts = "Deal Created >= 3 within 14d and email_sync_enabled >= 3 within 14d and follow_up_sent >= 3 within 14d"
    lines = canvas.wrap(parts, 3.6)
    assert lines[0] == "Deal Created >= 3 within 14d"
    assert " ".join(lines) == parts
    assert all(canvas.width_of(line) <= 3.6 for line in lines)
    assert canvas.wrap("a and b", 3.6) == ["a and b"]
    assert len(canvas.wrap("this and " * 60, 3.6)) == 1


def test_hostile_names_stay_text_in_the_new_sections():
    name = factory.HOSTILE_NAMES[0]
    away = factory.family(2, name, explained_away=f"“{name}”: nothing is left.", cluster=1)
    first = factory.family(1, "report_shared", status="lead", cluster=1, strongest_trait=name, left_over=0.01)
    result = factory.study("lead", ranking=(first, away), personas=(factory.persona(name, "lead"),))
    page = page_of(dataclasses.replace(result, adjusted_for=(name,)))
    assert "script" not in page.tags
    assert all(name in page.words(section) for section in ("sure", "explained", "personas", "ranking"))
