"""The page of a validation by its components: every verdict, every field, and numbers that are not there."""

from __future__ import annotations

import dataclasses
import functools
import math
import re

import pytest

import discovery
from discovery import report, wording
from discovery.report.pages import fill
from discovery.report.phrases import open_interval, sentences
from discovery.report.scorecard import MARKS, QUESTIONS, in_short, score_line
from discovery.report.validation import view_of_validation
from discovery.results import Criterion, Estimate

from . import factory
from . import validation_factory as made
from .test_report import MEGABYTE, Page

ALL = {
    "holds": made.single("holds"),
    "does not hold": made.single("does not hold"),
    "not enough data": made.single("not enough data"),
    "several": made.several(),
    "hostile": made.hostile(),
    "sparse": made.validation(made.sparse()),
    "two sparse": made.validation(made.sparse(), made.sparse("does not hold", "b")),
    "bare": made.bare(),
    "empty": made.validation(proposals=()),
}
EACH = pytest.mark.parametrize("name", sorted(ALL))
VOID = {"meta", "link", "br", "input", "img", "hr"}


@functools.cache
def page(name):
    """Return the page of a result above, written once."""
    return report.render(ALL[name])


def words(name, section):
    return plain(Page(page(name)).words(section))


def plain(text):
    return text.replace("\u202f", " ")


def words_of(result, section):
    """Return the words of a page without pictures, which take time."""
    html = fill("validation.html.j2", view_of_validation(result, figures=False))
    return plain(Page(html).words(section))


def of_one(section, **changes):
    return words_of(made.validation(made.proposal(**changes)), section)


def test_sections_stand_in_the_order_in_which_they_are_asked():
    parts = ("scorecard", "decided", "power", "rivals", "onboarding", "times", "parts", "evidence", "plan", "truth")
    parts += ("changes", "ladder")
    order = ["verdict", "comparison"]
    order += [f"{part}-{place}" for place in (1, 2, 3) for part in parts if (part, place) != ("power", 1)]
    order += ["test", "accounts", "quality", "settings", "method"]
    places = [page("several").index(f'<section id="{section}"') for section in order]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (
            "holds",
            (
                "✓ HOLDS",
                "Put the question no log answers",
                "then run the experiment",
                "look first at what failed: stable",
            ),
        ),
        (
            "does not hold",
            (
                "✗ DOES NOT HOLD",
                "Do not build onboarding around it",
                "It fails what alone decides: better than vanity",
                "Better: report_shared >= 3 within 7d by 2 users",
            ),
        ),
        (
            "not enough data",
            (
                "? NOT ENOUGH DATA",
                "Neither build on it nor drop it. About 2,326 more accounts",
                "come back in 18 weeks",
            ),
        ),
    ],
)
def test_each_verdict_says_its_word_its_number_and_what_to_do_next(verdict, said):
    text = words(verdict, "verdict")
    proposal = ALL[verdict].proposals[0]
    for part in (*said, *proposal.reasons):
        assert part.lower() in text.lower()
    assert proposal.sentence.replace("“", "").replace("”", "") in re.sub(r"“ (.*?) ”", r"\1", text)
    assert "(98.3 % interval)" in text
    assert "31 % of accounts reach it" in text
    assert "rules of a search; 2,874 accounts with a known outcome, signed up before 2024-12-20" in text


def test_a_past_experiment_that_decided_is_named_and_no_waiting_advised():
    assert "A past experiment decided" in of_one("decided-1", decided_by="experiment")
    assert "Adjusted difference, decides" not in of_one("decided-1", decided_by="experiment")
    assert "Go by the adjusted difference" not in of_one("decided-1", decided_by="experiment")
    unsettled = made.validation(made.proposal("not enough data", decided_by="experiment"), made.proposal())
    said = words_of(unsettled, "verdict")
    assert said.startswith("2 proposed first value moments: 1 holds, 1 is contradicted by a test")
    assert "Do not build on it until a larger test says otherwise" in said
    assert "more accounts with a known outcome would tell" not in said
    assert (
        words_of(unsettled, "power-1")
        == "What these data could show What is missing is not accounts but a larger test."
    )
    assert "All but what a past experiment decided is an association" in words_of(unsettled, "test")
    assert "Everything here is an association" in of_one("test")


def decided_by_a_test(lower=0.05, whole=0.02, verdict="holds", **changes):
    """Return a proposal on which a past test decided: a clear effect where `whole` is above 0.03."""
    test = made.experiment(
        complier=factory.estimate(0.15, 0.15 - lower), intention_to_treat=factory.estimate(whole, 0.03)
    )
    line = made.criterion("experimental evidence", "pass", "It speaks.", 0.15, "points")
    values = {"evidence": (made.EXPERIMENTS[2], test), "criteria": (line,), "decided_by": "experiment"}
    return made.proposal(verdict, **(values | changes))


def test_the_effect_among_those_a_test_moved_comes_first_where_it_decided():
    result = made.validation(decided_by_a_test(), made.proposal())
    text = words_of(result, "decided-1")
    assert text.index("Among accounts the test moved, decides +15.0 points [5.0, 25.0]") < text.index(
        "Adjusted difference"
    )
    assert "a past test: +15.0 [5.0, 25.0]" in words_of(result, "comparison")
    assert "Among accounts the test moved: +15.0 points [5.0, 25.0]" in words_of(result, "verdict")
    assert "Among accounts the test moved" in plain(Page(report.render_cards(result)).sections[""])
    assert decided_by_a_test(decided_by="difference").deciding_test() is None
    assert decided_by_a_test(criteria=()).deciding_test() is None


def test_what_a_clear_test_raised_is_offered_to_all_with_a_holdout():
    clear = words_of(made.validation(decided_by_a_test(whole=0.06)), "verdict")
    for part in ("+6.0 points [3.0, 9.0] as assigned: offer it to everybody", "holdout of 10 %", "more with checklist"):
        assert part in clear
    assert "experiment before" not in clear
    assert "holdout" not in words_of(made.validation(decided_by_a_test()), "verdict")
    assert "holdout" not in words_of(made.validation(decided_by_a_test(verdict="does not hold", whole=0.06)), "verdict")


def test_the_levels_of_both_ends_are_said_where_they_differ():
    ends = {"adjusted": made.proposal().adjusted, "unwidened": made.proposal().adjusted}
    wide = dataclasses.replace(ends["adjusted"], ci_lower=-0.015)
    text = of_one("decided-1", **(ends | {"adjusted": wide}), coverage=0.99985)
    assert "[−1.5, 19.0] lower end 99.98 %, upper end 95 %" in text
    assert plain(wording.level(0.9975)) == "99.75 %"
    assert plain(wording.level(0.99)) == "99 %"
    assert plain(wording.level(0.95)) == "95 %"
    assert plain(wording.level(0.999951)) == "over 99.99 %"


def test_no_experiment_is_planned_for_what_a_criterion_rules_out():
    ruled_out = made.proposal("does not hold")
    text = words("does not hold", "plan-1")
    line = next(line for line in ruled_out.criteria if line.decides)
    assert text == f"The next experiment No experiment is planned: {line.sentence}"


def test_where_hardly_anybody_does_not_reach_it_no_accounts_are_asked_for():
    text = of_one("power-1", verdict="not enough data", reach=0.97)
    assert text == (
        "What these data could show Hardly anybody does not reach it (3 %): no amount of data of this kind will help."
    )
    assert "would tell" not in of_one("verdict", verdict="not enough data", reach=0.97, experiment=None).replace(
        "of this kind would tell", ""
    )


def test_the_title_and_the_top_count_the_verdicts_of_several():
    assert plain(words("several", "verdict")).startswith(
        "3 proposed first value moments: 1 holds, 1 does not hold, 1 lacks data"
    )
    title = re.search("<title>(.*?)</title>", page("several"))[1]
    assert " ".join(title.split()) == "3 proposed first value moments: 1 holds, 1 does not hold, 1 lacks data"
    one = re.search("<title>(.*?)</title>", page("does not hold"))[1]
    assert one == f"First value moment: does not hold ({made.MILESTONE})"


@pytest.mark.parametrize(
    ("changes", "brief", "long"),
    [
        (
            {"origin": "registered", "registered": "2024-09-01"},
            "registered on 2024-09-01",
            "was written down on 2024-09-01, and only accounts that signed up since then decide",
        ),
        ({"origin": "registered"}, "registered beforehand", "was written down beforehand"),
        (
            {"origin": "independent"},
            "independent of these data, says the team",
            "The team says that the proposal did not come from these data, so there is no penalty",
        ),
        (
            {"origin": "searched"},
            "may come from these data, so it answers for all 1,204 rules of a search",
            "so the lower end of its interval answers for a search over them. Only accounts that sign up after",
        ),
    ],
)
def test_the_kind_of_test_is_said_in_short_and_at_length(changes, brief, long):
    result = made.single("holds", correction="Holm over 1 proposal", **changes)
    assert f"Kind of test: {brief}" in words_of(result, "verdict")
    said = words_of(result, "test")
    assert long in said
    assert ("--registered" in said) == (changes["origin"] == "searched")
    assert brief in plain(Page(report.render_cards(result)).sections[""])
    for part in (
        "Holm over 1 proposal",
        "2,874 with a known outcome, signed up before 2024-12-20",
        "plan, company_size, signup date",
        "puts report_shared >= 3 within 7d by 2 users first and says of it: found",
        "was still a customer 90 days after signup",
        "the difference is at least 3 points",
    ):
        assert re.sub(r"\W+", " ", part) in re.sub(r"\W+", " ", said)


def test_the_comparison_has_a_row_and_a_mark_for_each_proposal():
    text = words("several", "comparison")
    for part in (
        "✓ HOLDS",
        "✗ DOES NOT HOLD",
        "? NOT ENOUGH DATA",
        "+12.0 [5.0, 19.0]",
        "+0.4 [−1.6, 2.4]",
        "none known",
    ):
        assert part in text
    assert "failed: predictive, better than vanity, stable and beaten by none" in text
    assert "p = 0.001" in text
    assert "comparison" not in Page(page("holds")).sections


@pytest.mark.parametrize("criterion", made.CRITERIA, ids=lambda criterion: criterion.name)
def test_every_criterion_is_a_line_with_its_question_mark_number_and_sentence(criterion):
    text = words("holds", "scorecard-1")
    standing = criterion.status if criterion.judged else "not judged"
    line = text[text.index(f"{criterion.name.capitalize()} {QUESTIONS[criterion.name]}") :]
    assert f"{MARKS[standing]} {standing}" in line[:200]
    assert plain(criterion.sentence) in line
    number = {
        "predictive": "+12.0 points adjusted difference",
        "early": "4.2 days median time",
        "stable": "p = 0.004 smallest p",
        "specific threshold": "3 just as good",
        "beaten by none": "0 score higher",
        "confounding": "1.74 E-value",
        "observable": "100 % weeks without a gap",
    }.get(criterion.name, "")
    assert number in line


def test_failures_stand_out_and_those_that_decide_are_named():
    html = page("does not hold")
    assert html.count('class="line-fail"') == 4
    assert html.count('<span class="decides">decides</span>') == 1
    assert "5 passes, 4 warnings, 4 failures, 1 not judged" in words("does not hold", "scorecard-1").lower()
    assert "Failed: predictive, better than vanity, stable and beaten by none" in words("does not hold", "scorecard-1")
    assert "A criterion rules it out, whatever the difference: better than vanity" in words(
        "does not hold", "decided-1"
    )
    assert "so the interval of the adjusted difference decided" in words("holds", "decided-1")
    assert 'class="decides"' not in page("holds")


def test_a_failure_to_predict_is_the_interval_deciding():
    line = dataclasses.replace(made.CRITERIA[0], status="fail", decides=True)
    assert "so the interval of the adjusted difference decided" in of_one("decided-1", criteria=(line,))


def test_the_deciding_interval_says_its_coverage_where_it_has_one():
    for origin in ("registered", "independent"):
        assert "[5.0, 19.0] (98.3 % interval)" in words_of(made.single("holds", origin=origin), "verdict")
    usual = made.proposal(unwidened=made.proposal().adjusted, coverage=0.95)
    text = words_of(made.validation(usual), "verdict")
    assert "(95 % interval)" in text
    assert "not widened" not in words_of(made.validation(usual), "decided-1")


def test_what_was_not_judged_is_neither_counted_as_a_warning_nor_given_a_number():
    line = score_line(dataclasses.replace(made.CRITERIA[0], judged=False, status="warn"))
    assert (line.standing, line.number, line.meant, line.decides) == ("not judged", "", "", False)
    assert in_short([line, line]) == "2 not judged"
    assert in_short([]) == ""


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("points", 0.12, "+12.0 points"),
        ("points", -0.004, "−0.4 points"),
        ("share", 0.5, "50 %"),
        ("days", 0.25, "6 hours"),
        ("p", 0.0001, "p < 0.001"),
        ("ratio", 1.74, "1.74"),
        ("count", 1204, "1,204"),
        ("something new", 1.25, "1.2"),
        ("points", None, ""),
        ("points", math.nan, ""),
        ("ratio", math.inf, ""),
    ],
)
def test_numbers_are_written_in_their_unit(unit, value, text):
    line = score_line(Criterion(name="predictive", status="pass", sentence="s", value=value, unit=unit))
    assert plain(line.number) == text


@pytest.mark.parametrize(
    ("section", "parts"),
    [
        (
            "decided-1",
            (
                "Adjusted difference, decides +12.0 points [5.0, 19.0] 98.3 % interval, 2,874 accounts; p < 0.001, "
                "corrected p = 0.001",
                "The same, not widened +12.0 points [7.1, 16.9] with the usual 95 % interval",
                "At equal activity +7.0 points [2.0, 12.0]",
                "Latest quarter of signups +9.0 points [−2.0, 20.0]",
                "Plain difference +30.0 points [25.0, 35.0] not adjusted for anything: 70 % retained if reached, "
                "40 % if not",
                "Reach 31 % 961 of 3,100 accounts",
            ),
        ),
        (
            "rivals-1",
            (
                "None is known to do better. These data cannot tell it from deal_created within 5d",
                "42 % −0.6 +10.0 [3.0, 17.0] just as good",
                "9 % −2.9 +2.0 [−5.0, 9.0] worse",
                "not compared",
                "teammate_invited >= 2 44 % −2.8 +2.0 [−5.0, 9.0]",
            ),
        ),
        (
            "onboarding-1",
            (
                "compared with “ never began setup ”",
                "never began setup 612 31 % [28, 34] –",
                "finished setup, no milestone 571 41 % [38, 44] +3.0 [−2.0, 8.0]",
            ),
        ),
        (
            "times-1",
            (
                "half do so within 4.2 days of signup; the middle half between 22 hours and 6.1 days",
                "Of 790 accounts that reached it and could be followed for 28 days, 41 % [38, 44] did it again",
                "week by week 36 %, 28 %, 22 %, 19 %",
                "within 3 days",
                "did not reach it",
            ),
        ),
        (
            "parts-1",
            (
                "signed up 2024-01-01 to 2024-03-31 702 27 % +14.0 [5.0, 23.0]",
                "plan = solo 800 30 % −8.0 [−15.0, −1.0] p = 0.003",
                "test of a difference between values: p = 0.80",
            ),
        ),
        (
            "evidence-1",
            (
                "checklist_test : checklist against control",
                "512 control, 498 variant, signed up 2024-02-01 to 2024-05-31",
                "50 % should be in the variant; p = 0.66",
                "+14.0 points [9.0, 19.0] more of the variant reach it (F = 31.4; below 10 is weak)",
                "Retained, as assigned +2.1 points [−0.9, 5.1]",
                "Retained, among those moved +15.0 points [−4.0, 34.0]",
                "+40.0 points, at least −10.0",
                "help_opened +9.0 points [5.0, 13.0] material",
                "through this milestone and in no other way",
                "the effect of the variant as a whole, not of the milestone",
                "p < 0.001: the arms are not as large as they should be",
                "What may be claimed: nothing",
            ),
        ),
        (
            "plan-1",
            (
                "Help a random half of the new accounts",
                "each arm needs 27,222 accounts : more than 10 years at 71 signups a week",
                "80 % power, two-sided 5 %",
                "5 points and all of the effect is real 0.60",
                "10 points and half of the effect is real 0.60",
                "20 points and all of the effect is real 2.40",
                "more than 10 years: not feasible",
                "+1.2 points [0.5, 1.9] in the share retained, if causal",
                "31 % reach it; 49 % are retained",
                "356 per arm 12 weeks",
                "47,366 users per arm 11,552 accounts",
                "4.1 users each, ICC 0.21), so it takes 1.7 times as many",
                "Share of accounts retained at day 90",
                "Median days to the milestone.",
                "Support tickets per account.",
                "It is a success if The interval of the difference lies above 0.",
                "Roll back if The variant retains 2 points less",
            ),
        ),
        ("truth-1", ("Would a reasonable customer", "This is for the team to answer", "Our answer")),
        (
            "changes-1",
            (
                "Compared with validation of 2024-11-20 09:30 UTC",
                "Verdict notable not enough data holds The verdict was",
                "Reach notable 24 % 31 % 7 points more accounts reach it.",
                "Difference +9.0 points [−1.0, 19.0] +12.0 points [5.0, 19.0]",
            ),
        ),
        ("ladder-1", ("csv_uploaded 61 % 61 % 94 % 10 hours", "within 7d 31 % 51 % n/a 4.2 days")),
        ("scorecard-1", ("Only accounts that signed up since 2024-02-01 are compared",)),
        ("accounts", ("4,210", "Outcome known")),
        ("quality", ("unknown_accounts", "One column is used")),
        ("settings", ("[inference] alpha 0.05", "Rules searched 1,204")),
        ("method", ("Where a proposal comes from.", "Holm (1979)")),
    ],
)
def test_every_field_is_shown_where_it_belongs(section, parts):
    text = words("holds", section).replace(" ,", ",").replace(" .", ".").replace(" ;", ";")
    assert [part for part in parts if part not in text] == []


def test_a_better_rule_is_said_wherever_it_matters():
    better = made.neighbours()[2].milestone
    text = of_one("rivals-1", better=better)
    assert text.startswith(f"Is there a better rule? {better} does better.")
    assert "+13.0 [6.0, 20.0] better" in text
    rival = made.competitors()[1].milestone
    assert f"{rival} better" in of_one("rivals-1", better=rival)


def test_what_is_missing_is_said_unless_the_proposal_holds():
    text = words("not enough data", "power-1")
    assert "would notice a difference of 4 points" in text
    assert "To show 3 points takes about 5,200 accounts with a known outcome; 2,874 are there" in text
    assert "Smallest difference to be seen 4.1 points" in text
    assert "2,326 are missing; 812 have signed up already and wait for their outcome" in text
    assert "At the present rate of signups that is 18 weeks from now." in text
    assert "Accounts missing 2,326 812 on their way Time until then 18 weeks" in text
    assert "power-1" not in Page(page("holds")).sections
    assert "missing" not in words("does not hold", "power-1")
    far = dataclasses.replace(made.POWER, weeks=731.0, on_their_way=0)
    text = words_of(made.validation(made.proposal("not enough data", power=far)), "verdict")
    assert "would tell, which takes more than 10 years at the present rate of signups" in text
    never = dataclasses.replace(far, weeks=None)
    result = made.validation(made.proposal("not enough data", power=never))
    assert "cannot be told from the signups so far" in words_of(result, "power-1")
    assert "would tell." in words_of(result, "verdict")


def test_the_closest_thresholds_come_first_and_those_not_compared_last():
    text = words("holds", "rivals-1")
    assert re.findall(r"within (\d+)d \d+ %", text.split("Ahead by", 1)[1])[:4] == ["5", "10", "14", "1"]
    assert text.index("not compared") > text.index("worse")
    assert re.findall(r"within (\d+)d \d+ %", of_one("rivals-1", better=made.neighbours()[0].milestone))[0] == "14"


def test_what_is_not_there_leaves_no_section_and_no_link():
    sections = set(Page(page("bare")).sections)
    gone = {"rivals", "onboarding", "times", "parts", "evidence", "plan", "changes", "ladder"}
    assert not {f"{part}-1" for part in gone} & sections
    assert {"scorecard-1", "decided-1", "power-1", "truth-1", "accounts", "quality", "settings"} <= sections
    assert "svg" not in Page(page("bare")).tags


@EACH
def test_ids_are_unique_and_links_lead_somewhere(name):
    opened = Page(page(name))
    ids = [value for key, value in opened.attributes if key == "id"]
    assert len(ids) == len(set(ids))
    targets = {value for key, value in opened.attributes if key == "href" and value.startswith("#")}
    assert targets <= {f"#{value}" for value in ids}
    named = {word for key, value in opened.attributes if key == "aria-labelledby" for word in value.split()}
    assert named <= set(ids)


@EACH
def test_every_tag_that_is_opened_is_closed(name):
    class Nesting(Page):
        def __init__(self, html):
            self.open, self.wrong = [], []
            super().__init__(html)

        def handle_starttag(self, tag, attrs):
            super().handle_starttag(tag, attrs)
            if tag not in VOID:
                self.open.append(tag)

        def handle_startendtag(self, tag, attrs):
            pass

        def handle_endtag(self, tag):
            if not self.open or self.open.pop() != tag:
                self.wrong.append((tag, self.getpos()))

    for html in (page(name), report.render_cards(ALL[name])):
        nesting = Nesting(html)
        assert nesting.wrong == []
        assert nesting.open == []


@EACH
def test_nothing_unknown_is_shown_as_none_or_nan(name):
    for html in (page(name), report.render_cards(ALL[name])):
        for section, text in Page(html).sections.items():
            shown = text.replace("None is", "").replace("None of", "") if section != "settings" else ""
            assert not re.search(r"\b(None|nan|NaN|inf|undefined|Undefined)\b", shown), section


@EACH
def test_words_of_cause_are_never_used_but_in_the_label_of_the_gain(name):
    text = (page(name) + report.render_cards(ALL[name])).replace("if causal: only if", "")
    assert not re.search(r"\b(caus(e|es|ed|ing|al)|driv(e|es|en|ing)|leads to)\b", text, re.IGNORECASE)


def test_hostile_names_stay_text():
    opened = Page(page("hostile"))
    assert not {"script", "img", "iframe", "object"} & set(opened.tags)
    assert not [name for name, _ in opened.attributes if name.startswith("on")]
    for section in ("verdict", "comparison", "scorecard-1", "evidence-1", "changes-1", "ladder-1", "plan-1"):
        assert "<script>alert(1)</script>" in opened.words(section), section
    cards = Page(report.render_cards(ALL["hostile"]))
    assert not {"script", "img"} & set(cards.tags)


@EACH
def test_the_policy_forbids_everything_and_nothing_refers_outward(name):
    html = page(name)
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in html
    targets = [value for key, value in Page(html).attributes if key in ("href", "src", "xlink:href", "action")]
    assert [target for target in targets if not target.startswith(("#", "data:,"))] == []
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)


def test_the_same_result_gives_the_same_text():
    assert report.render(made.several()) == page("several")


def test_many_proposals_with_long_names_stay_small_and_the_cut_is_said():
    names = tuple(f"{place}_" + "very_long_event_name/" * 40 for place in range(40))
    result = made.several(names)
    html = report.render(result)
    assert len(html.encode()) < MEGABYTE
    assert 'id="scorecard-10"' in html
    assert 'id="scorecard-11"' not in html
    assert Page(html).words("comparison").count("39_very_long") >= 1
    assert "Details follow of the first 10; those of the other 30 are in validation.json." in html
    assert len(report.render_cards(result).encode()) < 100_000


def test_long_lists_are_cut_and_the_cut_is_said():
    result = made.validation(
        made.proposal(
            neighbours=made.neighbours() * 8,
            competitors=made.competitors() * 8,
            segments=made.segments() * 30,
            alike=tuple(f"rule_{place}" for place in range(20)),
        )
    )
    html = report.render(result)
    for cut in ("32 more are in validation.json", "80 more are in validation.json", "and 14 more"):
        assert cut in html
    assert len(html.encode()) < 400_000


def test_cards_hold_each_verdict_and_its_scorecard_in_short():
    html = report.render_cards(ALL["several"])
    card = Page(html)
    text = plain(" ".join(card.sections[""].split()))
    assert html.startswith('<div class="discovery-cards">')
    assert "html" not in card.tags
    assert "svg" not in card.tags
    for part in (
        "3 proposals: 1 holds",
        "✓ HOLDS",
        "✗ DOES NOT HOLD",
        "✗ stable (fail)",
        "✓ predictive",
        "! early (warn)",
    ):
        assert part in text
    assert "– experimental evidence (not judged)" in text
    assert "8 passes, 4 warnings, 1 failure, 1 not judged" in text.lower()
    style = re.search(r"<style>(.*?)</style>", html, re.S)[1]
    assert all(line.startswith(".discovery-cards") for line in style.split("\n") if line)


def test_a_result_renders_itself(tmp_path):
    assert discovery.__version__
    result = ALL["holds"]
    assert result.report(tmp_path / "report.html").read_text(encoding="utf-8") == page("holds")
    assert result._repr_html_() == report.render_cards(result)


@pytest.mark.parametrize(
    ("shape", "bounds", "text"),
    [
        ("interval", (-0.04, 0.34), "+15.0 points [−4.0, 34.0]"),
        ("half-line", (0.02, None), "+15.0 points, at least 2.0"),
        ("half-line", (None, 0.2), "+15.0 points, at most 20.0"),
        (
            "two rays",
            (None, None),
            "cannot be told: too few accounts were moved to rule out large effects of either sign",
        ),
        ("line", (None, None), "cannot be told: no effect of any size can be ruled out"),
        (None, (None, None), "+15.0 points"),
    ],
)
def test_open_intervals_are_said_in_words(shape, bounds, text):
    lower, upper = bounds
    effect = Estimate(estimate=0.15, ci_lower=lower, ci_upper=upper, scale="risk difference", n_accounts=9)
    assert open_interval(effect, shape) == text
    assert open_interval(factory.estimate(None), shape) == "n/a"
    assert open_interval(dataclasses.replace(effect, estimate=-0.15), None) == "−15.0 points" or shape in (
        "interval",
        "half-line",
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "n/a"),
        (math.inf, "n/a"),
        (0.0, "0 weeks"),
        (0.4, "under 1 week"),
        (1.2, "1 week"),
        (17.6, "18 weeks"),
        (104.0, "2 years"),
        (130.0, "2.5 years"),
        (780.0, "more than 10 years"),
    ],
)
def test_weeks_are_years_where_there_are_many(value, text):
    assert wording.lasting(value) == text


def test_sentences_come_apart_and_names_do_not():
    assert sentences("One “a. B” is left. Two (x. y) stay. 10 % is 3.") == [
        "One “a. B” is left.",
        "Two (x. y) stay. 10 % is 3.",
    ]
    assert sentences("") == []
