"""The ladders in the report: what stands where, what is open and what is folded, and in which words."""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery import report
from discovery.errors import Caution
from discovery.report.ladders import rules_in_words, share_estimate
from discovery.report.pages import _environment
from discovery.results import DropEvent, Estimate, Rule

from . import factory

FULL = factory.full_ladder()
SIGNUP = factory.baseline()
FOLDED_PARTS = (
    "How long each rung takes",
    "What accounts do before the next rung",
    "Funnels by segment: channel differs beyond noise",
    "Why one step on the way is no rung",
    "Worksheet for the plan",
)


class Ladders(HTMLParser):
    """The text of the section: `open` is what is read without unfolding, `all` everything, `tags` in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open_parts: list[str] = []
        self.parts: list[str] = []
        self.tags: list[str] = []
        self._where: list[str] = []
        self.feed(re.search(r'<section id="ladders".*?</section>', html, re.DOTALL)[0])

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag in ("details", "summary", "svg"):
            self._where.append(tag)

    def handle_endtag(self, tag):
        if tag in ("details", "summary", "svg"):
            self._where.remove(tag)

    def handle_data(self, text):
        if "svg" in self._where:
            return
        self.parts.append(text)
        if self._where.count("details") <= self._where.count("summary"):
            self.open_parts.append(text)

    @property
    def open(self):
        return " ".join(" ".join(self.open_parts).split()).replace("\u202f", " ")

    @property
    def all(self):
        return " ".join(" ".join(self.parts).split()).replace("\u202f", " ")


@functools.cache
def shown(*ladders, names=factory.PLAIN_NAMES):
    plain = factory.study("found", names=names, ladders=ladders, curves=(), ranking=(factory.family(1, names[0]),))
    return Ladders(report.render(plain))


def rung_words(rung, before=SIGNUP, *, biggest=False, routed=()):
    """Return the text of one rung in the list."""
    macro = _environment().get_template("rung.html.j2").module.rung_item
    words = re.sub(r"<[^>]+>", " ", str(macro(rung, before, biggest, routed)))
    return " ".join(words.split()).replace("\u202f", " ")


def changed(place, **changes):
    """Return the full ladder with one rung changed."""
    rungs = list(FULL.rungs)
    rungs[place] = dataclasses.replace(rungs[place], **changes)
    return dataclasses.replace(FULL, rungs=tuple(rungs))


def test_a_ladder_opens_with_its_title_its_status_and_why_it_stands_there():
    words = shown(FULL, factory.branching_ladder(2, persona="plan=team")).open
    assert "Ladder 1: to report_shared >= 3 within 7d by 2 users found Its milestone is the one behaviour" in words
    assert "Ladder 2: to report_shared >= 3 within 7d by 2 users for plan=team only lead" in words


def test_only_the_first_ladder_is_open():
    page = shown(factory.ladder(("a", "b"), 1), factory.ladder(("c", "d"), 2, sentence="Second, because."))
    assert "required on the way Reach" in page.open
    assert "Second, because." not in page.open
    assert "Second, because." in page.all
    assert page.open.count("Ladder 2: to d >= 3") == 1


def test_ladders_stand_in_their_order():
    made = [factory.ladder(("a", "b"), rank, persona=who) for rank, who in ((1, "x"), (2, None), (3, "w"))]
    words = shown(*made).open
    assert [int(n) for n in re.findall(r"Ladder (\d): to", words)] == [1, 2, 3]


def test_at_most_five_ladders_are_shown_and_the_others_counted():
    made = [factory.ladder(("a", f"b{rank}"), rank) for rank in range(1, 8)]
    words = shown(*made).all
    assert "Ladder 5:" in words
    assert "Ladder 6:" not in words
    assert "2 more ladders are in result.json." in words
    assert "more ladder" not in shown(*made[:5]).all
    assert "One more ladder is in result.json." in shown(*made[:6]).all


def test_a_rung_says_its_numbers():
    words = rung_words(FULL.rungs[2], FULL.rungs[1], biggest=True)
    for said in (
        "teammate_invited required on the way",
        "Reach 1,702 of 3,100 accounts (55 %)",
        '70 % go on to it from csv_uploaded or "Salesforce Connected" ; 716 stop before it: the biggest drop',
        "Time median 24 hours from signup; the middle half: 12 hours to 2.5 days",
        "Target 3 days: the median is in time ; 71 % of those that did it were in time",
        "93 % of the accounts at the milestone did it first. 52 % of those that did it reach the milestone, 3 %",
        '94 % [92, 96] of the 3,100 accounts that did both, at different times, did csv_uploaded or "Salesforce',
        "a rung again in 98 % of random halves",
        "done in session 2 (median); 81 % within the first three",
        "41 accounts got further without it: skipped, or not tracked",
    ):
        assert said.replace("&#34;", '"') in words.replace("&#34;", '"')


def test_the_list_runs_from_signup_over_the_milestone_to_a_habit_that_is_only_described():
    words = shown(FULL).open
    order = [
        "signed up start 3,100 accounts",
        "Deal Created required",
        "2 users the milestone",
        "habit, described only",
    ]
    places = [words.index(part) for part in order]
    assert places == sorted(places)
    assert "Step 78 % go on to it from signup; 682 stop before it" in words
    assert words.count("the biggest drop") == 1


def test_a_missed_target_is_said():
    assert "7 days: the median is late" in rung_words(FULL.rungs[4])
    unknown = dataclasses.replace(FULL.rungs[4], target_met=None, in_target=None)
    assert "Target" not in rung_words(unknown)


OPTIONAL = (
    "step_conversion",
    "median_days",
    "quartile_days",
    "target_days",
    "in_target",
    "target_met",
    "necessity",
    "milestone_with",
    "milestone_without",
    "order",
    "stability",
    "sessions",
    "in_first_sessions",
)


@given(missing=st.sets(st.sampled_from(OPTIONAL)), place=st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_what_is_not_known_leaves_no_line(missing, place):
    words = rung_words(dataclasses.replace(FULL.rungs[place], **dict.fromkeys(missing)), FULL.rungs[place - 1])
    assert not re.search(r"\b(None|nan|n/a|undefined)\b", words)
    assert ("Stability" in words) == (FULL.rungs[place].stability is not None and "stability" not in missing)
    assert not re.search(
        r"\b(Time|Target|Needed|Order|Sessions|Step) (Time|Target|Needed|Order|Sessions|Step)\b", words
    )


def test_a_rung_that_fails_a_rule_says_which_before_anything_is_unfolded():
    page = shown(changed(2, rules=factory.RULES[:2]))
    words = page.open
    assert "Not every rule for rungs is kept." in words
    assert "Rungs 1 and 4 fail “reachable”. Why is said below" in words
    assert words.index("fail “reachable”") < words.index("The rungs")
    assert words.count("Fails “reachable”: Half of the accounts need 5 sessions or more.") == 2
    kept = dataclasses.replace(FULL, rungs=tuple(dataclasses.replace(rung, rules=()) for rung in FULL.rungs))
    assert not re.search(r"\bfails?\b", shown(kept).open, re.IGNORECASE)


def test_every_rule_is_a_word_and_a_sentence():
    words = rung_words(FULL.rungs[1])
    assert "Rules for a rung: 2 passed, 1 warning, 1 failed, 1 unknown" in words
    for rule in factory.RULES:
        assert f"{rule.status} {rule.name} : {rule.sentence}" in words


@pytest.mark.parametrize(
    ("statuses", "words"),
    [
        ("pass pass", "all 2 passed"),
        ("pass", "1 passed"),
        ("warn warn fail", "2 warnings, 1 failed"),
        ("unknown pass", "1 passed, 1 unknown"),
    ],
)
def test_rules_are_counted_in_words(statuses, words):
    rules = tuple(Rule(name="specific", status=status, sentence="") for status in statuses.split())
    assert rules_in_words(rules) == words


def test_what_goes_with_stopping_is_said_in_honest_words():
    words = shown(FULL).open
    assert (
        "What goes with stopping before this rung: After sync_failed , accounts go on at 0.45 times the rate "
        "[0.35, 0.55] of accounts as busy that have not met it (p < 0.001). 31 % of the accounts that stopped met it, "
        "12 % of those that went on. 380 of the 3,100 accounts looked at met it. Seen together with stopping. Whether "
        "it is why they stop, these data cannot say."
    ) in words


def test_a_ratio_that_could_not_be_fitted_is_not_shown_as_a_number():
    unknown = dataclasses.replace(factory.estimate(None), n_accounts=40)
    event = DropEvent(event="sync_failed", n_accounts=9, stopped=None, went_on=None, ratio=unknown, p_adjusted=1.0)
    words = rung_words(dataclasses.replace(FULL.rungs[2], errors_at_drop=(event,)))
    assert "sync_failed : the rates of going on with and without it could not be compared. 9 of the 40" in words
    assert "n/a" not in words


def test_a_ratio_from_an_empty_side_is_said_to_be_bias_reduced():
    (event,) = FULL.rungs[2].errors_at_drop
    separated = dataclasses.replace(event, ratio=factory.estimate(0.04, 0.03, status="separated"))
    rung = dataclasses.replace(FULL.rungs[2], errors_at_drop=(separated,))
    assert "at 0.04 times the rate [0.01, 0.07] bias-reduced of accounts" in rung_words(rung)
    assert "bias-reduced" not in rung_words(FULL.rungs[2])


def test_alternatives_are_branches_with_their_shares():
    words = rung_words(FULL.rungs[1]).replace("&#34;", '"')
    assert "Either serves: csv_uploaded 61 % of the accounts that did any of them (1,430); median 5 hours" in words
    assert "74 % of them go on to the next rung" in words
    assert "route" not in words


def test_routes_are_told_only_where_they_pass_several_rungs():
    words = shown(factory.branching_ladder(1)).open
    assert "Route 1: teammate_invited (rung 1) , then csv_uploaded (rung 2)" in words
    assert "Route 2: Deal Created (rung 1) , then dashboard_viewed (rung 2)" in words
    assert "; route 2" in words
    assert "oute" not in shown(FULL).open


def test_stages_stand_open_beside_their_benchmarks():
    words = shown(FULL).open
    assert "Setup problem csv_uploaded 44 % [42, 46] 44 % of signups are set up within 72 hours" in words
    assert "Aha below the benchmark" in words
    assert "Habit not known The log names no users" in words
    for stage in FULL.stages:
        assert stage.sentence in words


def test_advice_is_marked_as_advice_wherever_it_stands():
    page = shown(FULL)
    mark = "Advice from the literature, not a result of these data:"
    assert page.open.count(mark) == 1
    assert f"{mark} Ask for fewer required steps. Offer templates and sample data." in page.open
    folded = page.all.split("Worksheet for the plan")[1]
    marked = "Ask for fewer required steps. (advice from the literature, not a result of these data)"
    assert folded.count("Ask for fewer required steps.") == folded.count(marked) == 1
    without = tuple(dataclasses.replace(stage, advice=()) for stage in FULL.stages)
    assert mark not in shown(dataclasses.replace(FULL, stages=without)).all


def test_what_is_folded_has_a_summary_that_says_what_is_there():
    page = shown(FULL)
    for part in FOLDED_PARTS:
        assert part in page.open
    for part in ("Before rung 2 , teammate_invited", "By channel", "Rollback"):
        assert part not in page.open
        assert part in page.all


def test_a_plain_ladder_leaves_no_empty_parts():
    words = shown(factory.ladder(("a", "b", "c"), days=(), stability=None)).all
    before_worksheet = words.split("Worksheet for the plan")[0]
    for part in (
        *FOLDED_PARTS[:3],
        "no rung",
        "Funnels",
        "Setup, aha, habit",
        "Routes",
        "Either serves",
        "What goes with",
    ):
        assert part not in before_worksheet
    assert "Rules for a rung" not in before_worksheet


def test_funnels_that_differ_come_first_and_every_one_has_its_table():
    page = shown(dataclasses.replace(FULL, funnels=factory.FUNNELS[::-1]))
    words = page.all
    assert words.index("By channel The first step differs") < words.index("By plan No step differs")
    assert "By channel : accounts left on each rung" in words
    assert '1 csv_uploaded or "Salesforce Connected" 1,190 85 % [81, 89] 640 64 % [60, 68]' in words
    assert "p < 0.001 differs" in words
    assert "p = 0.40 differs" not in words
    same = shown(dataclasses.replace(FULL, funnels=factory.FUNNELS[1:])).open
    assert "Funnels by segment: no step differs beyond noise" in same


def test_further_ladders_keep_the_tables_and_draw_what_tells_most():
    page = shown(factory.ladder(("a", "b")), dataclasses.replace(FULL, rank=2))
    words = page.all.split("Ladder 2: to")[1]
    assert "Before rung 2 , teammate_invited" in words
    assert "Before rung 1" not in words
    assert "Drawn at the biggest drop; the other steps are in result.json." in words
    assert "By plan : accounts left on each rung" in words
    assert "Drawn at the biggest drop" not in shown(FULL).all
    assert page.tags.count("svg") == 2 + 4


def test_left_out_steps_have_their_reason():
    words = shown(FULL).all
    assert "dashboard_viewed : 97 % of the accounts at the milestone did it first. It only says that somebody" in words


def test_cautions_and_who_is_counted_are_said():
    words = shown(FULL).open
    assert "teammate_invited appeared in the log while the study ran. The rungs count only the 3,100 accounts" in words
    assert "signed up from 2025-03-01 on" in words
    assert str(Caution.UNSTEADY_RUNG.sentence) in words
    assert "accounts are counted" not in shown(factory.ladder(("a", "b"))).open
    silent = shown(dataclasses.replace(FULL, warnings=(), persona="plan=team")).open
    assert "accounts are counted, those with plan=team , those that signed up from 2025-03-01 on." in silent


def test_the_worksheet_has_blanks_for_the_team_and_says_how_to_write_it():
    html = report.render(factory.study("found", ladders=(FULL, dataclasses.replace(FULL, rank=2))))
    assert "discover export --worksheet --ladder result.json#1</code> writes it as Markdown." in html
    assert "discover export --worksheet --ladder result.json#2</code>" in html
    team = re.findall(r"<dt>([^<]*)</dt>\s*<dd class=\"team\">(.*?)</dd>", html)
    assert "Help to add here (prompt, template, sample data)" in {label for label, _ in team}
    assert {text for _, text in team} == {'<span class="blank">for the team to fill in</span>'}
    filled = re.findall(r'<dd class="data">(.*?)</dd>', html, re.DOTALL)
    assert filled
    assert all(text.strip() and "for the team" not in text for text in filled)


def test_hostile_names_stay_text_in_every_part():
    name = factory.HOSTILE_NAMES[0]
    funnel = dataclasses.replace(
        factory.FUNNELS[0],
        segment=name,
        sentence=f"{name} differs.",
        rows=(dataclasses.replace(factory.FUNNELS[0].rows[0], value=name), *factory.FUNNELS[0].rows[1:]),
    )
    made = factory.full_ladder(
        names=factory.HOSTILE_NAMES,
        persona=name,
        sentence=f"{name} is why.",
        funnels=(funnel,),
        stages=tuple(dataclasses.replace(stage, milestone=name, advice=(name,)) for stage in factory.STAGES),
    )
    page = shown(made, names=factory.HOSTILE_NAMES)
    assert not {"script", "img", "style", "iframe"} & set(page.tags)
    assert page.all.count(name) > 20
    assert "\u202e" not in page.all
    assert "\x1b" not in page.all


@pytest.mark.parametrize("status", ["found", "lead"])
def test_no_number_is_shown_as_none_or_nan_and_nothing_is_said_to_be_a_cause(status):
    words = Ladders(report.render(factory.telling(status))).all
    assert not re.search(r"\b(None|nan|inf|undefined)\b", words)
    assert not re.search(r"\b(caus(e|es|ed|ing|al)|driv(e|es|en|ing)|leads to)\b", words, re.IGNORECASE)


def test_ladders_compute_nothing_that_is_not_finite():
    broken = changed(2, reach=math.nan, median_days=math.nan, step_conversion=math.inf)
    assert not re.search(r"\b(nan|inf)\b", shown(broken).all)


@pytest.mark.parametrize(
    ("estimate", "texts"),
    [
        (None, ("n/a", "")),
        (factory.estimate(None), ("n/a", "")),
        (factory.estimate(0.94, 0.02), ("94\u202f%", "[92, 96]")),
        (factory.estimate(0.999, 0.0008), ("99.9\u202f%", "[99.8, > 99.9]")),
        (
            Estimate(estimate=0.5, ci_lower=None, ci_upper=0.6, scale="share", n_accounts=4),
            ("50\u202f%", ""),
        ),
    ],
)
def test_a_share_and_its_interval_are_two_texts(estimate, texts):
    assert share_estimate(estimate) == texts


def test_five_full_ladders_stay_a_file_that_can_be_mailed():
    made = tuple(factory.full_ladder(rank, persona=f"plan={rank}" if rank > 3 else None) for rank in range(1, 6))
    html = report.render(factory.study("found", ladders=made))
    assert len(html.encode()) < 800_000


def test_a_card_holds_the_first_ladder_with_its_status_and_its_picture_alone():
    html = report.render_cards(factory.telling("found"))
    assert "Ladder 1 · found" in html
    assert "Its milestone is the one behaviour that was found." in html
    assert html.count("<svg") == 1
    assert "Worksheet" not in html
