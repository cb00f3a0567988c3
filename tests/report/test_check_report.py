"""The page of a check by its components: what stands where, what is hidden, and names that are hostile."""

from __future__ import annotations

import dataclasses

import pytest

from discovery import plots, report
from discovery.plots.timeline import silence_in_words
from discovery.results import (
    CheckResult,
    Coverage,
    EventSeries,
    QualityFinding,
    RecognisedColumn,
    RuleChecked,
    Silence,
    Timeline,
    VolumeJump,
)

from .test_report import Page

HOSTILE = '<script>alert(1)</script>"\u202e$x_1^2$'


def finding(code="duplicate_rows", severity="warning", **changed):
    plain = {
        "message": "12 events (2 %) are the same as another.",
        "count": 12,
        "share": 0.02,
        "examples": ("report_shared",),
        "remedy": "Name the column of the row's id in events.id.",
    }
    return QualityFinding(code=code, severity=severity, **plain | changed)


def rule(code, state, **changed):
    return RuleChecked(code=code, subject="rows", question=f"Is {code} well?", state=state, **changed)


def timeline(**changed):
    starts = tuple(f"2024-01-{day:02d}" for day in range(1, 21))
    counts = (0,) * 5 + (3,) * 5 + (0,) * 4 + (4,) * 6
    silences = (
        Silence(kind="launch", start="2024-01-01", end="2024-01-06", expected=15.0),
        Silence(kind="gap", start="2024-01-11", end="2024-01-15", expected=14.0),
    )
    series = EventSeries(
        event="report_shared",
        rows=39,
        accounts=9,
        first="2024-01-06",
        last="2024-01-20",
        counts=counts,
        silences=silences,
    )
    plain = {
        "unit": "day",
        "starts": starts,
        "total": (5,) * 20,
        "active_accounts": (2,) * 20,
        "events": (series,),
        "left_out": 3,
    }
    return Timeline(**plain | changed)


def checked(*findings, **changed):
    rules = (
        rule("duplicate_rows", "warning", count=12, share=0.02),
        rule("blank_rows", "passed"),
        rule("left_out", "not applicable", reason="the spec leaves nothing out"),
    )
    plain = {
        "recognised": (
            RecognisedColumn(
                table="events", role="account", column="org", source="recognised", reason="named like one"
            ),
            RecognisedColumn(table="events", role="user", column=None, source="not found", reason=""),
            RecognisedColumn(table="accounts", role="segment", column="plan", source="left out", reason="may change"),
        ),
        "accounts": 40,
        "events_rows": 1000,
        "events_used": 900,
        "starts": "2024-01-01",
        "ends": "2024-01-20",
        "rules": rules,
        "timeline": timeline(),
        "coverage": Coverage(
            accounts=40,
            accounts_with_events=30,
            accounts_with_early_events=20,
            users=None,
            users_per_account=None,
            events_of_known_accounts=0.5,
            events_with_user=None,
        ),
    }
    return CheckResult(quality=findings, **plain | changed)


def page(*findings, **changed):
    return Page(report.render(checked(*findings, **changed)))


def test_sections_stand_in_their_order():
    html = report.render(checked(finding()))
    places = [html.index(f'<section id="{name}"') for name in ("verdict", "findings", "timeline", "columns", "rules")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("severities", "words"),
    [
        ((), "Fine Nothing to mend; 1 rule passed."),
        (("info",), "Fine 1 thing to know; 1 rule passed."),
        (("warning", "warning", "info"), "Warnings 2 things to look into, 1 to know; 1 rule passed."),
        (("error", "warning"), "Errors 1 thing to mend before a run, 1 to look into; 1 rule passed."),
    ],
)
def test_the_verdict_counts_what_to_do(severities, words):
    assert page(*(finding(severity=severity) for severity in severities)).words("verdict").startswith(words)


def test_a_finding_says_rule_count_share_examples_remedy_and_lines_to_paste():
    said = page(finding(paste='[events.aliases]\nshared = ["Shared"]')).words("findings")
    for words in ("warning duplicate_rows 12 2", "report_shared", "Name the column", 'shared = ["Shared"]'):
        assert words in said


def test_hidden_ids_are_said_to_be_hidden():
    assert "--show-accounts" in page(finding(names_accounts=True, examples=())).words("findings")
    assert "--show-accounts" not in page(finding()).words("findings")


def test_rules_show_their_answer_and_why_they_do_not_apply():
    said = page().words("rules")
    assert "does not apply Is left_out well? left_out the spec leaves nothing out" in said
    assert said.index("warning Is duplicate_rows") < said.index("passed Is blank_rows") < said.index("does not apply")


def test_what_was_read_and_the_columns():
    whole = page()
    assert "30 75" in whole.words("read-title")
    assert "the events name no user" in whole.words("read-title")
    assert "One column is used. No column was found for: events. user" in whole.words("columns")
    assert "3 less frequent events are not drawn" in whole.words("timeline")


@pytest.mark.parametrize("result", [checked(timeline=None, coverage=None, starts=None, ends=None), checked(rules=())])
def test_parts_with_nothing_to_show_are_left_out(result):
    shown = Page(report.render(result))
    assert ("timeline" in shown.sections) is (result.timeline is not None)
    assert ("rules" in shown.sections) is bool(result.rules)


def test_hostile_names_are_text():
    series = dataclasses.replace(timeline().events[0], event=HOSTILE)
    column = RecognisedColumn(table="events", role="event", column=HOSTILE, source="spec", reason=HOSTILE)
    whole = page(
        finding(examples=(HOSTILE,), message=HOSTILE, paste=f'[a]\nb = "{HOSTILE}"'),
        timeline=timeline(events=(series,)),
        recognised=(column,),
    )
    assert "script" not in whole.tags
    assert not [value for name, value in whole.attributes if name.startswith("on")]
    html = report.render_cards(checked(finding(message=HOSTILE)))
    assert "<script" not in html


def test_the_page_asks_for_nothing_and_is_the_same_every_time():
    html = report.render(checked(finding()))
    assert html == report.render(checked(finding()))
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert "default-src 'none'" in html


def test_the_picture_says_in_words_what_it_shows():
    label = plots.event_volumes(timeline()).get_label()
    assert label == "Rows of each event over time: report_shared, 39, begins 2024-01-06; gap 2024-01-11 to 2024-01-14."
    assert "up to 5 a day" in plots.volume(timeline()).get_label()


@pytest.mark.parametrize(
    ("kind", "start", "end", "words"),
    [
        ("launch", "2024-01-01", "2024-02-01", "begins 2024-02-01"),
        ("end", "2024-03-01", "2024-04-01", "ends 2024-02-29"),
        ("gap", "2024-03-01", "2024-03-02", "gap 2024-03-01"),
        ("gap", "2024-03-01", "2024-03-04", "gap 2024-03-01 to 2024-03-03"),
    ],
)
def test_silences_in_words(kind, start, end, words):
    assert silence_in_words(Silence(kind=kind, start=start, end=end, expected=12.0)) == words


@pytest.mark.parametrize("unit", ["day", "week", "month"])
def test_a_timeline_without_rows_or_with_one_period_is_drawn(unit):
    one = timeline(unit=unit, starts=("2024-01-01",), total=(0,), active_accounts=(0,), events=())
    assert plots.volume(one).get_figheight() > 0
    assert "no events" in plots.event_volumes(one).get_label()


def test_the_cards_of_a_notebook():
    html = checked(finding())._repr_html_()
    assert "1 thing to look into" in html
    assert "duplicate_rows" in html


def test_the_picture_marks_jumps():
    series = dataclasses.replace(
        timeline().events[0], silences=(), jumps=(VolumeJump(start="2024-01-08", factor=0.125),)
    )
    assert "report_shared, 39, ÷ 8 from 2024-01-08." in plots.event_volumes(timeline(events=(series,))).get_label()


def test_a_column_that_is_worked_out_is_not_missing():
    signup = RecognisedColumn(table="accounts", role="signup", column=None, source="recognised", reason="first event")
    said = page(recognised=(signup,)).words("columns")
    assert "worked out accounts signup the data first event" in said
    assert "No column was found" not in said


def test_what_comes_next_where_a_run_could_not_answer():
    assert "would not say anything yet" in page(finding("too_few_accounts")).words("verdict")
    assert "900 of 1,000 rows" in page().words("read-title")
