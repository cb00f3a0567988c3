"""The worksheet says what the data know with their numbers, and leaves the rest blank, in any Markdown reader."""

import dataclasses
import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from report import factory, validation_factory

from discovery import wording
from discovery.errors import Caution
from discovery.export.markdown import BLANK, as_markdown, escaped
from discovery.export.worksheet import worksheet
from discovery.milestone import Milestone
from discovery.results import (
    Ladder,
    Rule,
    as_json_values,
    read_ladder,
)

HOSTILE = [name for name in factory.HOSTILE_NAMES if name.strip()] + [
    "*bold* _it_ **b** __b__ ~~s~~ `code` ``` |cell| $x$",
    "[link](javascript:alert(1)) ![img](x) [a][b] https://evil.example/x &lt; &#60; \\*",
]


def quoted_milestone(name: str) -> str:
    return str(Milestone.of(name.replace("\x00", "\ufffd"), 3, 168, 2))


def hostile_everywhere(name: str) -> tuple:
    """Return a study and its ladder in which every text that comes from the user's data is `name`."""
    plain = factory.full_ladder()
    text = quoted_milestone(name)
    rungs = tuple(
        dataclasses.replace(
            rung,
            milestone=rung.milestone if rung.role in ("baseline", "habit") else text,
            rules=tuple(Rule(name=r.name, status=r.status, sentence=f"{name} {r.sentence}") for r in rung.rules),
            alternatives=tuple(dataclasses.replace(b, milestone=text) for b in rung.alternatives),
            errors_at_drop=tuple(dataclasses.replace(e, event=name) for e in rung.errors_at_drop),
        )
        for rung in plain.rungs
    )
    funnels = tuple(
        dataclasses.replace(
            f,
            segment=name,
            rows=tuple(dataclasses.replace(r, value=f"{i}{name}") for i, r in enumerate(f.rows)),
            differs_at=(text,) * bool(f.differs_at),
            sentence=name,
        )
        for f in plain.funnels
    )
    ladder = dataclasses.replace(
        plain, milestone=text, persona=f"plan={name}", rungs=rungs, funnels=funnels, sentence=name,
        stages=tuple(dataclasses.replace(s, sentence=name, advice=(name,)) for s in plain.stages),
        left_out=tuple(dataclasses.replace(o, milestone=text, reason=name) for o in plain.left_out),
    )  # fmt: skip
    person = factory.persona(
        f"plan={name}", "found", ranking=(factory.family(1, name, milestone=text, status="found"),)
    )
    return factory.telling(personas=(person,), adjusted_for=(name, "signup date")), ladder


def with_plan(**changes) -> Ladder:
    return factory.full_ladder(experiment=validation_factory.plan(**changes))


def cases() -> dict:
    full, lead = factory.telling(), factory.telling("lead")
    alone = factory.for_one_persona()
    active = dataclasses.replace(factory.OUTCOME, kind="active", stayed="did something on days 21 to 28", by_day=None)
    bare = Ladder(
        rank=2, milestone="a >= 2", persona=None, status="lead", sentence="", n_accounts=0, rungs=(factory.baseline(0),)
    )
    unknown = factory.study(
        ranking=(factory.unknown_family(1, "report_shared", milestone=factory.full_ladder().milestone),)
    )
    return {
        "full": (full, factory.full_ladder()),
        "plain": (lead, lead.ladders[0]),
        "persona": (alone, alone.ladders[0]),
        "active": (dataclasses.replace(full, outcome=active), factory.full_ladder()),
        "no rungs": (factory.bare(), bare),
        "plan": (full, with_plan()),
        "no sizes": (full, factory.full_ladder(experiment=validation_factory.IMPOSSIBLE)),
        "nothing known": (unknown, factory.full_ladder(stages=(), funnels=(), stability=None)),
        **{f"hostile {place}": hostile_everywhere(name) for place, name in enumerate(HOSTILE)},
    }


CASES = cases()
each_case = pytest.mark.parametrize(("result", "ladder"), CASES.values(), ids=CASES)


def row(sheet, title, label):
    """Return the text of the one row under a section whose title begins so."""
    found = [r.text for s in sheet.sections if s.title.startswith(title) for r in s.rows if r.label == label]
    assert len(found) == 1, (title, label, found)
    return found[0].replace("\u202f", " ")


@each_case
def test_blanks_are_the_teams_and_everything_else_is_said(result, ladder):
    sheet = worksheet(result, ladder)
    rows = [row for section in sheet.sections for row in section.rows]
    assert {row.kind for row in rows} == {"data", "team", "advice"}
    assert all(section.rows for section in sheet.sections)
    assert all((row.text == "") == (row.kind == "team") for row in rows)
    labels = {row.label for row in rows if row.kind == "team"}
    assert {"Job they hire the product for", "An account gets value when they", "Change"} <= labels
    assert {"Rollback criteria", "Target for the primary metric, and by when"} <= labels


@pytest.mark.parametrize(
    "name", ["full", "plain", "persona", "active", "no rungs", "plan", "no sizes", "nothing known"]
)
def test_no_number_that_is_not_known_is_shown_and_nothing_claims_an_effect(name):
    texts = "\n".join(f"{r.label}: {r.text}" for s in worksheet(*CASES[name]).sections for r in s.rows if r.text)
    assert not re.search(r"\bNone\b|\bnan\b|\binf\b|n/a| {2}|\.\.| [.,;:]|\[\]", texts)
    assert not re.search(r"\b(causes?|drives?|proves?|because of)\b", texts, re.IGNORECASE)


def test_the_first_value_moment_is_defined_and_its_evidence_has_interval_adjustment_and_accounts():
    sheet = worksheet(*CASES["full"])
    part = "First value moment"
    assert row(sheet, part, "First value moment, a candidate") == "report_shared >= 3 within 7d by 2 users"
    words = "“report_shared” at least 3 times within 7 days of signup by at least 2 users."
    assert row(sheet, part, "The value is visible as") == words
    assert "less than 168 hours after signup" in row(sheet, part, "Event definition")
    assert row(sheet, part, "Time window") == "Within 7 days of signup."
    difference = row(sheet, part, "Adjusted difference")
    assert difference.startswith("+10.5 points [3.5, 17.5]")
    assert "at equal plan, company_size and signup date" in difference
    assert "3,100 accounts" in difference
    assert "associated with staying" in row(sheet, part, "How to read it")


@pytest.mark.parametrize(
    ("text", "visible", "definition"),
    [
        ("a", "“a” at least once.", "1 or more events “a”, less than 336 hours after signup, the study's observation"),
        ("a or b", "“a” at least once or “b” at least once.", "Any one of these is enough: (1) 1 or more events “a”"),
        ("a within 7d and b >= 2 within 36h", "within 1.5 days of signup", "All of these are asked for: (1)"),
        ("a and (b or c) within 7d", "“a” at least once and (“b” at least once within", "any one of [1 or more events"),
    ],
)
def test_a_milestone_of_several_parts_is_spelled_out(text, visible, definition):
    result, ladder = factory.study(), factory.full_ladder(milestone=str(Milestone.parse(text)))
    sheet = worksheet(result, ladder)
    assert visible in row(sheet, "First value moment", "The value is visible as")
    assert definition in row(sheet, "First value moment", "Event definition")
    window = "the study's observation window" in row(sheet, "First value moment", "Time window")
    assert window == (not all(c.within_hours for c in Milestone.parse(text).conditions))


def test_the_window_of_a_conjunction_is_its_longest():
    ladder = factory.full_ladder(milestone="a within 3d and b within 7d")
    assert row(worksheet(factory.study(), ladder), "First value moment", "Time window") == "Within 7 days of signup."


def test_a_lead_is_not_called_found():
    assert row(worksheet(*CASES["plain"]), "First value moment", "Status").startswith("Found")
    result, ladder = CASES["plain"]
    said = row(worksheet(result, dataclasses.replace(ladder, status="lead")), "First value moment", "Status")
    assert said.startswith("A lead, not a finding")


def test_a_persona_is_named_and_its_own_difference_is_shown():
    sheet = worksheet(*CASES["persona"])
    assert sheet.title.endswith("for plan=team")
    assert "“plan=team”" in row(sheet, "Persona and job", "Persona")
    assert row(sheet, "First value moment", "Adjusted difference").startswith("+19.0 points")
    assert "new accounts with “plan=team”" in row(sheet, "Experiment plan", "Hypothesis")
    assert row(worksheet(*CASES["full"]), "Persona and job", "Persona").startswith("All accounts.")
    result, ladder = CASES["persona"]
    first = factory.persona("plan=solo", "found", ranking=(factory.family(1, "report_shared", adjusted=None),))
    behind = dataclasses.replace(result, personas=(first, *result.personas))
    assert row(worksheet(behind, ladder), "First value moment", "Adjusted difference").startswith("+19.0 points")


@pytest.mark.parametrize(
    ("kind", "might", "was"),
    [
        ("retained", "might stay", "that stayed"),
        ("active", "might be active later", "that were active later"),
        ("converted", "might convert", "that converted"),
    ],
)
def test_the_hypothesis_is_conditional_and_in_the_words_of_the_outcome(kind, might, was):
    outcome = dataclasses.replace(factory.OUTCOME, kind=kind)
    sheet = worksheet(factory.telling(outcome=outcome), factory.full_ladder())
    said = row(sheet, "Experiment plan", "Hypothesis")
    assert said.startswith("If more new accounts did “report_shared” at least 3 times")
    assert might in said
    assert f"the share {was} differs by +10.5 points [3.5, 17.5]" in said
    assert "for the experiment to show" in said
    assert was in row(sheet, "First value moment", "Adjusted difference")


def test_each_rung_has_its_section_with_the_numbers_of_its_friction():
    sheet = worksheet(*CASES["full"])
    titles = [s.title for s in sheet.sections if s.title.startswith(("Rung", "Team habit"))]
    assert [title.partition(":")[0] for title in titles] == [
        "Rung 1", "Rung 2", "Rung 3", "Rung 4, the milestone", "Team habit",
    ]  # fmt: skip
    matters = row(sheet, "Rung 2", "Why it matters")
    assert "93 % of the accounts at the milestone" in matters
    assert "by 52 % of those that did it and by 3 % of those that never did" in matters
    assert "1,702 of 3,100 accounts (55 %)" in matters
    assert "70 % of the accounts at “Salesforce Connected” or “csv_uploaded” go on to it" in matters
    assert "94 % [92 %, 96 %]" in row(sheet, "Rung 2", "Order and steadiness")
    friction = row(sheet, "Rung 2", "Common friction")
    assert "716 of the accounts" in friction
    assert "380 of the 3,100 accounts looked at met “sync_failed”: 31 % of those that stopped" in friction
    assert "0.45 times the rate without it [0.35, 0.55] (p < 0.001)" in friction
    assert "differs by “channel”, beyond noise: 64 % of “paid”, 85 % of “organic”" in row(
        sheet, "Rung 1", "Common friction"
    )
    assert "differs" not in friction
    assert "no effect of its own is shown" in row(sheet, "Rung 2", "Role")
    assert "overlaps the outcome" in row(sheet, "Team habit", "Role")
    assert "missed by the median" in row(sheet, "Rung 3", "Time")


def test_an_error_event_within_chance_is_not_called_friction():
    ladder = factory.full_ladder()
    quiet = tuple(
        dataclasses.replace(r, errors_at_drop=tuple(dataclasses.replace(e, p_adjusted=0.4) for e in r.errors_at_drop))
        for r in ladder.rungs
    )
    sheet = worksheet(factory.telling(), dataclasses.replace(ladder, rungs=quiet))
    assert "sync_failed" not in row(sheet, "Rung 2", "Common friction")


def test_a_rung_that_fails_a_rule_says_which():
    sheet = worksheet(*CASES["full"])
    assert row(sheet, "Rung 1", "Rule it fails") == "Reachable. Half of the accounts need 5 sessions or more."
    assert row(sheet, "Rung 1", "Rule it keeps only in part").startswith("Trackable. 12 %")
    assert row(sheet, "Rung 1", "Rule for the team to judge").startswith("Stands for value.")
    assert row(sheet, "Rung 1", "Rules it keeps") == "Specific and towards value."


def test_a_stage_shows_its_interval_and_says_the_benchmark_once():
    sheet = worksheet(*CASES["full"])
    title = "Setup, aha and habit"
    for label in ("Setup, within 3 days", "Aha, within 7 days", "Habit, within 30 days"):
        assert len(re.findall("benchmark is|Practitioners expect", row(sheet, title, label))) == 1
    assert "44 % [42 %, 46 %] of 3,100 signups" in row(sheet, title, "Setup, within 3 days")
    assert "expect 25 %, and see a problem below 20 %" in row(sheet, title, "Habit, within 30 days")


def test_advice_is_never_among_the_results():
    sheet = worksheet(*CASES["full"])
    given = [text for stage in factory.STAGES for text in stage.advice]
    rows = [r for s in sheet.sections for r in s.rows]
    assert [r.text for r in rows if r.label.startswith("To try")] == given
    assert all(r.kind == "advice" for r in rows if any(text in r.text for text in given))
    marked = [line for line in as_markdown(sheet).splitlines() if any(text in line for text in given)]
    assert len(marked) == len(given)
    assert all(line.startswith("- *Advice.* ") for line in marked)


def test_the_primary_metric_has_todays_value_of_all_signups_where_it_is_known():
    known = row(worksheet(*CASES["full"]), "Measurement plan", "Primary metric")
    assert known.endswith("Today: 33 % [31 %, 35 %] of 3,100 signups within 7 days.")
    slow = tuple(dataclasses.replace(stage, target_days=56.0) for stage in factory.STAGES)
    read = row(worksheet(factory.telling(), factory.full_ladder(stages=slow)), "Measurement plan", "Primary metric")
    assert read.endswith("within 14 days."), "no more than the observation window was read"
    unknown = row(worksheet(*CASES["nothing known"]), "Measurement plan", "Primary metric")
    assert "31 % of the 3,100 accounts that were still there after 14 days" in unknown
    assert "not known here" in unknown
    elsewhere = tuple(dataclasses.replace(stage, milestone="something_else") for stage in factory.STAGES)
    other = row(
        worksheet(factory.telling(), factory.full_ladder(stages=elsewhere)), "Measurement plan", "Primary metric"
    )
    assert "not known here" in other


def test_the_plan_names_the_weakest_step_and_the_segments_that_differ():
    sheet = worksheet(*CASES["full"])
    assert row(sheet, "Measurement plan", "Biggest loss").endswith(
        "to “teammate_invited”: 716 accounts (30 %) stop there."
    )
    segments = row(sheet, "Measurement plan", "Segments")
    assert segments.startswith("Read it by “channel” and “plan”. “channel” differs")
    assert "no promise of an effect" in row(sheet, "Experiment plan", "Before you fix the size")


@pytest.mark.parametrize(
    ("motion", "usual"), [("plg", "minutes to hours"), ("sales", "1 to 7 days"), ("enterprise", "2 to 8 weeks")]
)
def test_the_motion_chooses_the_benchmark_of_the_time_to_value(motion, usual):
    result, ladder = CASES["full"]
    sold = dataclasses.replace(result, settings={**result.settings, "product": {"motion": motion}})
    said = row(worksheet(sold, ladder), "Measurement plan", "Time to first value")
    assert usual in said
    assert ";" not in said
    assert ";" in row(worksheet(result, ladder), "Measurement plan", "Time to first value")
    assert "by the spec" in row(worksheet(sold, ladder), "Persona and job", "How it is sold")


def without_digits(sheet):
    return re.sub(r"\d[\d.,]*", "#", repr(sheet))


def test_a_result_read_back_gives_the_same_worksheet(tmp_path):
    result, ladder = CASES["full"]
    held = dataclasses.replace(result, ladders=(ladder,))
    (tmp_path / "result.json").write_text(held.to_json(), encoding="utf-8")
    again = worksheet(*read_ladder(f"{tmp_path / 'result.json'}#1"))
    assert without_digits(again) == without_digits(worksheet(held, ladder))  # files hold nine significant digits
    assert json.loads(json.dumps(as_json_values(again)))["sections"][0]["rows"][1]["kind"] == "team"


def test_warnings_stand_where_they_matter():
    sheet = worksheet(*CASES["full"])
    assert row(sheet, "Rung 3", "To keep in mind") == Caution.UNSTEADY_RUNG.sentence
    assert row(sheet, "The ladder as a whole", "To keep in mind") == Caution.LATER_COHORTS.sentence


READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.said: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.said.append(data)


def rendered(markdown: str) -> _Text:
    text = _Text()
    text.feed(READER.render(markdown))
    return text


@each_case
def test_markdown_keeps_its_shape_whatever_the_names(result, ladder):
    sheet = worksheet(result, ladder)
    markdown = as_markdown(sheet)
    page = rendered(markdown)
    rows = [r for s in sheet.sections for r in s.rows]
    assert set(page.tags) == {"h1", "p", "em", "h2", "ul", "li", "strong"}
    counts = {tag: page.tags.count(tag) for tag in set(page.tags)}
    assert (counts["h1"], counts["h2"], counts["ul"]) == (1, len(sheet.sections), len(sheet.sections))
    assert (counts["li"], counts["strong"]) == (len(rows), len(rows))
    assert counts["em"] == 1 + sum(r.kind == "advice" for r in rows)
    assert "".join(page.said).count(BLANK) == sum(r.kind == "team" for r in rows)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202a-\u202e]", markdown)
    assert "://" not in markdown


@given(st.text(alphabet=st.characters(blacklist_categories=("Cs",)), max_size=60))
@example("a_b __c__ d_ _e *f* **g** `h` ~~i~~ [j](k) ![l](m) <b> &amp; &x; | \\ $n$ http://o <p@q.r>")
@example("report_shared_twice")
@example("[a]: http://b 'c'")
def test_any_text_is_shown_as_it_is(text):
    page = rendered(f"- **label:** {escaped(text)} end")
    assert "".join(page.said).strip() == f"label: {wording.clean(text)} end"
    assert page.tags == ["ul", "li", "strong"]


def test_ordinary_names_stay_readable_in_the_raw_text():
    assert escaped("“report_shared” >= 3 [5.1, 19.4], p < 0.001 (R&D)") == (
        "“report_shared” >= 3 [5.1, 19.4], p < 0.001 (R&D)"
    )


def test_every_rung_is_defined_and_those_that_fall_short_are_told_apart():
    result = factory.telling()
    sheet = worksheet(result, factory.full_ladder())
    rungs = [section for section in sheet.sections if section.title.startswith("Rung ")]
    defined = [s for s in rungs if any(row.label == "Event definition" for row in s.rows)]
    assert [s.title for s in rungs if s not in defined] == ["Rung 3: “Deal Created”"]  # no milestone: unquoted
    for section in defined:
        said = {row.label: row.text for row in section.rows}
        hours = 168 if section is rungs[-1] else 336
        assert f"less than {hours} hours after signup" in said["Event definition"]
    friction = next(row.text for row in rungs[-1].rows if row.label == "Common friction")
    assert "Of these, 60 did it later, 140 did some of what it asks, and 43 nothing of it." in friction


def test_without_steps_nothing_is_said_of_their_steadiness():
    ladder = factory.full_ladder()
    bare = dataclasses.replace(ladder, rungs=(ladder.rungs[0], ladder.rungs[4]), sentence="It stands alone.")
    said = " ".join(row.text for section in worksheet(factory.telling(), bare).sections for row in section.rows)
    assert "random halves" not in said


def test_a_plan_fills_in_the_sizes_and_leaves_the_decision_to_the_team():
    sheet = worksheet(*CASES["plan"])
    part = "Experiment plan"
    sizes = row(sheet, part, "Number of accounts, and duration, computed")
    assert sizes.startswith("80 % power at a two-sided level of 5 %, where 49 % stay and 31 % reach it today, with 71 ")
    said = "If 10 points more accounts reach it and the effect among them is 12.0 points, the arms differ by 1.2 points"
    assert f"{said}: 27,222 accounts in each arm, more than 10 years." in sizes
    assert sizes.count("accounts in each arm") == len(CASES["plan"][1].experiment.rows)
    assert row(sheet, part, "Number of accounts, and duration") == ""
    assert row(sheet, part, "To see ten points more activation") == "356 accounts in each arm, 12 weeks."
    assert "+1.2 points [0.5, 1.9]" in row(sheet, part, "What could be gained, if causal")
    assert "47,366 users (some 11,552 accounts)" in row(sheet, part, "If users are counted, not accounts")
    assert row(sheet, part, "Guardrails, as a proposal") == (
        "Accounts that leave within 14 days. Support tickets per account."
    )


def test_a_plan_that_no_number_of_accounts_would_do_says_so():
    sizes = row(worksheet(*CASES["no sizes"]), "Experiment plan", "Number of accounts, and duration, computed")
    assert sizes.endswith("the arms differ by 0.1 points: no number of accounts shows that.")


def test_without_a_plan_the_worksheet_says_where_one_comes_from():
    said = row(worksheet(*CASES["full"]), "Experiment plan", "Before you fix the size")
    assert "discover validate with --plan" in said
