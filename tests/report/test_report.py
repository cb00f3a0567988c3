"""The page by its components: what stands where, for every verdict and for numbers that are not there."""

from __future__ import annotations

import dataclasses
import math
import re
import time
from html.parser import HTMLParser

import pytest

from discovery import report
from discovery.errors import Caution, OutputError

from . import factory

MEGABYTE = 1_000_000


class Page(HTMLParser):
    """Text by section id, and the tags and attributes that a page must not hold."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.sections: dict[str, str] = {}
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self._section = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "section":
            self._section = dict(attrs).get("id") or dict(attrs).get("aria-labelledby")

    def handle_data(self, text):
        self.sections[self._section] = f"{self.sections.get(self._section, '')} {text}"

    def words(self, section):
        return " ".join(self.sections[section].split())


def page_of(*args, **kwargs):
    return Page(report.render(factory.study(*args, **kwargs)))


def test_sections_stand_in_their_order():
    html = report.render(factory.telling())
    order = [
        "verdict",
        "sure",
        "explained",
        "personas",
        "accounts",
        "ladders",
        "ranking",
        "curves",
        "quality",
        "settings",
        "method",
    ]
    places = [html.index(f'<section id="{section}"') for section in order]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("found", "beyond chance, beyond how active they were, and by enough to matter"),
        ("lead", "where a hidden trait misleads, none does. What to do next"),
        ("none", "The top row of the ranking is not a milestone"),
        ("insufficient", "It does not say that there is no such moment"),
    ],
)
def test_each_verdict_says_what_its_word_means(verdict, words):
    said = page_of(verdict).words("verdict")
    assert words in said
    assert factory.VERDICTS[verdict].sentence in re.sub(r"“ (.*?) ”", r"“\1”", said)
    assert factory.VERDICTS[verdict].reasons[0] in said


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("found", "Then test it: help a random half of the new accounts to get there"),
        ("lead", "compare how many are retained. Test it before onboarding is built around it."),
        ("none", "To see a difference of 3 points, the smallest that matters by the spec, takes about 9,800 accounts"),
        ("insufficient", "Look at where accounts fell out ( Accounts ) and at what the checks found ( Data quality )"),
    ],
)
def test_each_verdict_says_what_to_do_next(verdict, words):
    assert words in page_of(verdict).words("verdict")


def test_a_study_without_a_supported_row_says_so_and_what_it_could_have_seen():
    page = page_of("none")
    assert "There is no ladder, because no milestone is supported" in page.words("ladders")
    assert "four studies in five would notice a difference of 5 points between accounts" in page.words("verdict")
    assert "Smallest difference to be seen 5 points" in page.words("key-title")
    for verdict in ("none", "insufficient"):
        words = page_of(verdict).words("ranking")
        assert words.index("No row below is supported as a milestone, the first one neither.") < words.index("Rank ")
    assert "No row below is supported" not in page_of("lead").words("ranking")


def test_aggregates_hold_no_ladder_whatever_the_verdict():
    page = Page(report.render(factory.of_aggregates()))
    assert page.words("ladders") == (
        "Candidate ladders Ladders ask when each event happened, and aggregates do not say; run on the events, or on "
        "those of a sample of accounts."
    )


def test_insufficient_data_leave_no_empty_sections():
    page = Page(report.render(factory.bare()))
    assert page.words("ranking") == "Ranking No rule could be compared, so there is no ranking."
    assert not {"ladders", "curves"} & set(page.sections)
    assert "svg" not in page.tags
    targets = {value for name, value in page.attributes if name == "href" and value.startswith("#")}
    assert targets <= {f"#{value}" for name, value in page.attributes if name == "id"}


def test_a_ladder_without_required_steps_says_so():
    steps = factory.study().ladders[0]
    bare = dataclasses.replace(steps, rungs=(steps.rungs[0], steps.rungs[-1]), warnings=(Caution.FEW_RUNGS,))
    settings = {"ladder": {"necessity": 0.8}}
    words = page_of(ladders=(bare,), settings=settings).words("ladders").split("Worksheet for the plan")[0]
    assert "No rung stands between signup and the milestone." in words
    assert "No step was done first by 80\u202f% of the accounts that get there." in re.sub(r" (?=%)", "\u202f", words)
    assert str(Caution.FEW_RUNGS.sentence) not in words
    assert "No step is required" not in page_of().words("ladders")


def test_key_numbers_of_a_lead():
    words = page_of("lead").words("key-title")
    for number in (
        "+10.5 points [3.5, 17.5]",
        "+30.0 points [25.0, 35.0]",
        "70 %",
        "if not: 40 %",
        "2.4 days",
        "1,204",
    ):
        assert number in words


def test_intervals_are_named_by_the_level_they_were_made_at():
    assert "its 95 % interval" in page_of().words("reading-title")
    strict = {"inference": {"alpha": 0.1}}
    assert "its 90 % interval" in page_of(settings=strict).words("reading-title")
    assert "with 90 % bands" in page_of(settings=strict).words("curves")


def test_account_flow_counts_everybody():
    words = page_of().words("accounts")
    for count in ("4,210", "−38", "−7", "−310", "−122", "−633", "3,100", "−226", "2,874", "1,412", "49 %"):
        assert count in words
    assert "do not add up" not in words
    wrong = dataclasses.replace(factory.POPULATION, excluded=39)
    assert "do not add up" in page_of(population=wrong).words("accounts")


def test_steps_at_which_nobody_fell_out_share_one_line():
    people = dataclasses.replace(factory.POPULATION, excluded=0, unusable=0, accounts=4165)
    words = page_of(population=people).words("accounts")
    assert "Nobody fell out as: excluded; no usable signup time 0" in words
    assert "internal or test accounts" not in words
    assert "Nobody fell out" not in page_of().words("accounts")


def test_cautions_are_sentences_and_those_of_every_row_are_said_once():
    families = tuple(
        factory.family(rank, f"event_{rank}", warnings=(Caution.HIDDEN_TRAIT, *more))
        for rank, more in ((1, ()), (2, (Caution.RARE_FLAG,)))
    )
    html = report.render(factory.study("none", ranking=families))
    words = Page(html).words("ranking")
    assert words.count(str(Caution.HIDDEN_TRAIT.sentence)) == 1
    assert f"Holds for every row {Caution.HIDDEN_TRAIT.sentence}" in words
    assert f"a {Caution.RARE_FLAG.sentence}" in words
    assert html.count('href="#note-a"') == 1
    assert "rare_flag" not in html


@pytest.mark.parametrize("caution", [c for c in Caution if c is not Caution.FEW_RUNGS])
def test_every_caution_of_the_milestone_is_said_where_its_checks_are(caution):
    named = factory.family(1, "report_shared", status="lead", warnings=(caution,))
    assert caution.sentence in page_of("lead", ranking=(named,)).words("sure")


def test_unranked_families_stand_apart_with_their_reason():
    words = page_of().words("ranking")
    ranked, apart = words.split("Set apart")
    assert "subscription_upgraded" not in ranked
    assert "subscription_upgraded is outcome_adjacent." in apart


def test_the_hazard_column_is_there_only_with_hazards():
    without = tuple(factory.family(1, "a", hazard_ratio=None) for _ in range(1))
    assert "Hazard ratio" in page_of().words("ranking")
    assert "Hazard ratio" not in page_of("none", ranking=without).words("ranking")


def test_quality_findings_come_worst_first():
    words = page_of().words("quality")
    assert words.index("unknown_accounts") < words.index("events_before_signup") < words.index("duplicates_kept")


def test_examples_that_would_name_accounts_are_said_to_be_hidden():
    finding = factory.study().quality[1]
    hidden = dataclasses.replace(finding, examples=(), names_accounts=True)
    assert "Run again with --show-accounts to see which." in page_of(quality=(hidden,)).words("quality")
    assert "For example: a19 , report_shared" in page_of(quality=(finding,)).words("quality")
    assert "--show-accounts" not in page_of().words("quality")


def test_columns_left_out_or_not_found_are_said_openly():
    words = page_of().words("quality")
    assert "1 columns are used." not in words
    assert "One column is used. No column was found for: accounts. seats ." in words


def test_the_first_rows_are_open_and_the_others_folded():
    words = page_of(names=tuple(f"event_{i}" for i in range(20))).words("ranking")
    shown, folded = words.split("Show the other 13 families")
    assert "event_7 " in shown
    assert "event_8 " not in shown
    assert "event_8 " in folded


def test_words_are_explained_where_they_stand():
    words = page_of("none").words("ranking")
    meanings = words.split("What the words mean")[1].split("Set apart")[0]
    assert "unsupported Does not stand out" in meanings
    assert "lead Stands out" not in meanings
    assert "lead Stands out, but not every check is passed" in page_of("lead").words("ranking")
    assert "less than 3 points (inference.minimum_effect in the spec)" in words
    assert "(phi, −1 to 1)" in words
    assert "It does not account for the search" in meanings


def test_settings_read_like_toml():
    words = page_of().words("settings")
    assert "[inference] alpha 0.05" in words
    assert "active_days [21, 28]" in words
    assert 'kind "retained"' in words


@pytest.mark.parametrize("verdict", sorted(factory.VERDICTS))
@pytest.mark.parametrize("build", [factory.study, factory.telling, factory.bare])
def test_nothing_unknown_is_shown_as_none_or_nan(verdict, build):
    sections = Page(report.render(build(verdict))).sections
    shown = " ".join(text for section, text in sections.items() if section != "verdict").replace("None of 1,204", "")
    assert not re.search(r"\b(None|nan|NaN|inf|undefined)\b", shown)


def test_numbers_that_are_not_finite_are_not_available():
    broken = factory.unknown_family(1, "a", score=math.nan, p_adjusted=math.inf, retained_if_reached=math.nan)
    words = page_of("none", ranking=(broken,)).words("ranking")
    assert not re.search(r"\bnan\b|\binf\b|\bNone\b", words)


def test_hostile_names_stay_text():
    page = page_of(names=factory.HOSTILE_NAMES)
    assert not {"script", "img", "iframe", "object", "link\x00"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert "<script>alert(1)</script>" in page.words("ranking")
    assert "{{ 7 * 7 }}" in page.words("ranking")


def test_the_policy_forbids_everything_and_nothing_refers_outward():
    html = report.render(factory.study(names=factory.HOSTILE_NAMES))
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in html
    targets = [value for name, value in Page(html).attributes if name in ("href", "src", "xlink:href", "action")]
    assert [target for target in targets if not target.startswith(("#", "data:,"))] == []
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)


@pytest.mark.parametrize("verdict", sorted(factory.VERDICTS))
def test_words_of_cause_are_never_used(verdict):
    both = (factory.study(verdict), factory.telling(verdict))
    text = "".join(report.render(result) + report.render_cards(result) for result in both)
    assert not re.search(r"\b(caus(e|es|ed|ing|al)|driv(e|es|en|ing)|leads to)\b", text, re.IGNORECASE)


def test_the_same_result_gives_the_same_text():
    assert report.render(factory.telling()) == report.render(factory.telling())


def test_two_hundred_families_with_long_names_stay_small_and_quick(record_property):
    names = tuple(f"{i}_" + "very_long_event_name/" * 20 for i in range(200))
    result = factory.study(names=names)
    started = time.perf_counter()
    html = report.render(result)
    seconds = time.perf_counter() - started
    record_property("render_seconds", round(seconds, 3))
    print(f"200 families: {len(html.encode()) / 1000:.0f} kB in {seconds:.2f} s")
    assert len(html.encode()) < MEGABYTE
    assert "Show the other 192 families" in html


def test_a_thousand_families_are_cut_and_the_cut_is_said():
    names = tuple(f"{i}_" + "long_name/" * 300 for i in range(1000))
    html = report.render(factory.study("none", names=names))
    assert len(html.encode()) < MEGABYTE
    assert "801 more are in candidates.csv" in html


def test_an_ordinary_report_stays_below_300_kilobytes():
    names = tuple(f"event_number_{i}" for i in range(40))
    assert len(report.render(factory.study(names=names)).encode()) < 300_000


def test_cards_hold_the_verdict_the_top_and_the_ladder():
    html = report.render_cards(factory.study(names=tuple(f"event_{i}" for i in range(8))))
    page = Page(html)
    assert html.startswith('<div class="discovery-cards">')
    assert page.tags.count("svg") == 1
    assert "event_4" in html
    assert "event_5 &gt;=" not in html
    assert "html" not in page.tags
    assert all(
        line.startswith(".discovery-cards")
        for line in re.search(r"<style>(.*?)</style>", html, re.S)[1].split("\n")
        if line
    )


def test_cards_of_a_study_without_a_milestone_recommend_no_row():
    warning = "no row is supported as a milestone"
    assert warning in report.render_cards(factory.study("none"))
    assert warning not in report.render_cards(factory.study("lead"))


def test_write_puts_the_page_where_it_is_asked_and_says_when_it_cannot(tmp_path):
    path = report.write(factory.study(), tmp_path / "report.html")
    assert path.read_text(encoding="utf-8") == report.render(factory.study())
    with pytest.raises(OutputError, match="Choose a file in a folder that exists"):
        report.write(factory.study(), tmp_path / "missing" / "report.html")
