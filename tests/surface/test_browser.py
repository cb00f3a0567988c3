"""The report in a real browser: wide and phone-narrow, with and without JavaScript, with hostile names."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from discovery.report import render, render_cards, write

from ..report import factory
from ..report import validation_factory as made

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTHS = (375, 1280)
WIDEST_NAMES = ("W" * 60, "MEMBER_COMMENT_MENTIONED_BY_WEBHOOK", "日本語の" * 20, "a" * 300, "short")
CLIPPED_OR_OVERLAPPING = """() => [...document.querySelectorAll('svg')].flatMap(svg => {
    const [, , width, height] = svg.getAttribute('viewBox').split(' ').map(Number);
    const frame = svg.getBoundingClientRect();
    const boxes = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
    const out = boxes.filter(([, b]) => b.left < frame.left - 1 || b.right > frame.right + 1
        || b.top < frame.top - 1 || b.bottom > frame.bottom + 1).map(([text]) => 'clipped: ' + text);
    boxes.forEach(([text, a], i) => boxes.slice(i + 1).forEach(([other, b]) => {
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (across > 1 && down > 0.4 * Math.min(a.height, b.height)) out.push(text + ' lies over ' + other);
    }));
    return out;
})"""
LOW_CONTRAST = """() => {
    const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
        .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = element => {
        for (let e = element; e; e = e.parentElement) {
            const colour = parse(getComputedStyle(e).backgroundColor);
            if (colour.length === 3) return colour;
        }
        return [255, 255, 255];
    };
    const found = new Set();
    for (const element of document.querySelectorAll('body *')) {
        const own = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
        if (!own || !element.getClientRects().length) continue;
        const style = getComputedStyle(element);
        const ink = parse(element.closest('svg') ? style.fill : style.color);
        const [high, low] = [light(ink), light(ground(element))].sort((a, b) => b - a);
        const ratio = (high + 0.05) / (low + 0.05);
        if (ratio < 4.5) found.add(`${ratio.toFixed(2)} ${element.tagName} ${element.textContent.trim().slice(0, 40)}`);
    }
    return [...found];
}"""
SECTIONS = ("Accounts in this study", "Candidate ladders", "Ranking", "Data quality", "Settings and provenance")


@dataclasses.dataclass
class Heard:
    """What the browser said and asked for while the page was open."""

    messages: list[str] = dataclasses.field(default_factory=list)
    requests: list[str] = dataclasses.field(default_factory=list)
    dialogs: list[str] = dataclasses.field(default_factory=list)


@contextmanager
def opened(
    browser: Browser, path: Path, *, width: int = 1280, script: bool = True, scheme: Literal["light", "dark"] = "light"
) -> Iterator[tuple[Page, Heard]]:
    view = {"width": width, "height": 900}
    context = browser.new_context(viewport=view, java_script_enabled=script, color_scheme=scheme)
    page, heard = context.new_page(), Heard()
    page.on("console", lambda message: heard.messages.append(message.text))
    page.on("pageerror", lambda error: heard.messages.append(str(error)))
    page.on("request", lambda request: heard.requests.append(request.url))
    page.on("dialog", lambda dialog: (heard.dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(path.as_uri())
    yield page, heard
    context.close()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(factory.study(names=factory.HOSTILE_NAMES), tmp_path_factory.mktemp("page") / "report.html")


@pytest.mark.parametrize("width", WIDTHS)
def test_hostile_names_are_text_and_nothing_is_fetched_run_or_complained_about(browser, hostile, width):
    with opened(browser, hostile, width=width) as (page, heard):
        for summary in page.query_selector_all("summary"):
            summary.evaluate("element => element.parentElement.open = true")
        page.wait_for_load_state("networkidle")
        assert heard.dialogs == []
        assert heard.messages == []
        assert heard.requests == [hostile.as_uri()]
        assert page.locator("script, img, [onload], [onerror], a[href^='javascript']").count() == 0
        assert "<script>alert(1)</script>" in page.locator("h1").inner_text()
        assert any("<script>alert(1)" in text for text in page.locator("svg text").all_text_contents())


@pytest.mark.parametrize("verdict", sorted(factory.VERDICTS))
def test_no_page_scrolls_sideways(browser, tmp_path, verdict):
    hostile = factory.study(verdict, names=("x" * 300, *factory.HOSTILE_NAMES[:4]))
    for result in (hostile, factory.telling(verdict, personas=(*factory.PERSONAS, factory.persona("y" * 99, "lead")))):
        with opened(browser, write(result, tmp_path / "report.html")) as (page, _):
            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            for width in (*WIDTHS, 800):
                page.set_viewport_size({"width": width, "height": 900})
                assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("names", [factory.HOSTILE_NAMES, WIDEST_NAMES], ids=["hostile", "widest"])
def test_nothing_of_a_ladder_is_cut_off_on_a_phone(browser, tmp_path, names):
    long = "y" * 99
    away = factory.LeftOut(milestone=long, necessity=0.97, reason=f"{long} only looks.")
    rows = tuple(dataclasses.replace(row, value=f"{row.value}{long}") for row in factory.FUNNELS[0].rows)
    funnel = dataclasses.replace(factory.FUNNELS[0], segment=long, rows=rows, sentence=f"{long} differs.")
    full = factory.full_ladder(names=names, persona=long, left_out=(away,), funnels=(funnel,), sentence=f"{long}.")
    result = factory.study("found", names=names, ladders=(full, factory.branching_ladder(2, names)))
    with opened(browser, write(result, tmp_path / "report.html"), width=375) as (page, _):
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        parts = page.locator("#ladders :is(p, li, dt, dd, td, h3, h4, summary, figcaption, .stage)")
        assert parts.count() > 200
        assert (
            parts.evaluate_all("all => all.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.outerHTML)") == []
        )
        edges = parts.evaluate_all("all => all.map(e => e.getBoundingClientRect().right)")
        assert max(edges) <= 375 - 15


def test_a_phone_reads_the_first_ladder_and_unfolds_the_rest(browser, tmp_path):
    with opened(browser, write(factory.telling(), tmp_path / "report.html"), width=375) as (page, _):
        ladders = page.locator("#ladders")
        assert ladders.locator("svg:visible").count() == 1
        assert ladders.get_by_text("What goes with stopping before this rung:").is_visible()
        assert ladders.get_by_text("Advice from the literature").first.is_visible()
        assert not ladders.get_by_text("Help to add here").first.is_visible()
        ladders.locator("summary", has_text="Worksheet for the plan").first.click()
        assert ladders.get_by_text("Help to add here").first.is_visible()
        assert not ladders.get_by_text("Its milestone is a lead").first.is_visible()
        ladders.locator("summary", has_text="Ladder 3: to").click()
        assert ladders.get_by_text("Its milestone is a lead").first.is_visible()


def test_on_paper_a_ladder_is_whole_and_its_blanks_have_room(browser, tmp_path):
    with opened(browser, write(factory.telling(), tmp_path / "report.html"), width=700) as (page, _):
        page.emulate_media(media="print")
        assert page.locator("#ladders svg:visible").count() == page.locator("#ladders svg").count() > 5
        blanks = page.locator("#ladders dd.team")
        assert blanks.last.is_visible()
        assert min(blanks.evaluate_all("all => all.map(e => e.getBoundingClientRect().width)")) > 300
        assert page.evaluate("document.documentElement.scrollWidth") <= 700


def test_every_section_and_every_picture_has_a_name(browser, hostile):
    with opened(browser, hostile) as (page, _):
        headings = page.locator("h2").all_inner_texts()
        assert [section for section in SECTIONS if section not in headings] == []
        assert page.locator("h1").count() == 1
        assert page.locator("svg").count() == 5
        for picture in page.locator("svg").all():
            assert picture.get_attribute("aria-label")
            assert picture.get_attribute("role") == "img"
            assert picture.locator("> title").text_content()
        assert page.locator("table").count() == page.locator("table > caption").count() > 3
        assert page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("names", [WIDEST_NAMES, factory.HOSTILE_NAMES], ids=["widest", "hostile"])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_picture_clips_its_text_or_writes_over_it(browser, tmp_path, names, width):
    away = (
        factory.family(rank, name, explained_away="Nothing is left.", adjusted=factory.estimate(-0.123, 0.15))
        for rank, name in enumerate(names[:3], start=10)
    )
    ranking = (*factory.study(names=names).ranking, factory.conjunction(9, *names[:3]), *away)
    path = write(factory.study(names=names, ranking=ranking), tmp_path / "report.html")
    with opened(browser, path, width=width) as (page, _):
        page.add_style_tag(content=".repeats { display: block !important }")
        assert page.evaluate(CLIPPED_OR_OVERLAPPING) == []


@pytest.mark.parametrize("verdict", sorted(factory.VERDICTS))
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser, tmp_path, verdict, scheme):
    path = write(factory.telling(verdict), tmp_path / "report.html")
    with opened(browser, path, scheme=scheme) as (page, _):
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert page.evaluate(LOW_CONTRAST) == []


@pytest.mark.parametrize("verdict", sorted(factory.VERDICTS))
def test_headings_never_skip_a_level(browser, tmp_path, verdict):
    path = write(factory.telling(verdict), tmp_path / "report.html")
    with opened(browser, path) as (page, _):
        levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map(h => Number(h.tagName[1]))")
        assert levels[0] == 1
        assert max(after - before for before, after in pairwise(levels)) <= 1


def test_a_phone_sees_the_first_families_and_can_ask_for_the_rest(browser, tmp_path):
    path = write(factory.study(names=tuple(f"event_{i}" for i in range(30))), tmp_path / "report.html")
    with opened(browser, path, width=375) as (page, _):
        assert page.get_by_role("rowheader").filter(has_text="event_7 ").first.is_visible()
        assert not page.get_by_role("rowheader").filter(has_text="event_8 ").first.is_visible()
        page.locator("summary", has_text="Show the other").click()
        assert page.get_by_role("rowheader").filter(has_text="event_8 ").first.is_visible()
        values = page.locator("#ranking td[data-label]:visible")
        assert values.evaluate_all("cells => cells.filter(c => c.scrollWidth > c.clientWidth + 1).length") == 0


@pytest.mark.parametrize("verdict", sorted(factory.VERDICTS))
def test_each_verdict_has_its_own_colour_and_what_matters_stands_open(browser, tmp_path, verdict):
    path = write(factory.telling(verdict), tmp_path / "report.html")
    with opened(browser, path, width=390) as (page, _):
        colour = page.locator(".verdict").evaluate("e => getComputedStyle(e).borderLeftColor")
        others = {"found": "rgb(0, 112, 79)", "lead": "rgb(0, 90, 143)"}
        assert colour == others.get(verdict, "rgb(91, 102, 117)")
        assert page.locator("#explained .why").count() == 3
        assert all(text.is_visible() for text in page.locator("#explained .why, #explained svg").all())
        assert page.locator("#ranking tr.harm").is_visible()
        assert page.locator("#sure").count() == (verdict in ("found", "lead"))
        cells = page.locator("#personas td:visible, #sure td:visible")
        assert cells.evaluate_all("cells => cells.filter(c => c.scrollWidth > c.clientWidth + 1).length") == 0


def test_on_paper_tables_stay_tables_and_what_was_folded_is_there(browser, tmp_path):
    path = write(factory.study(names=tuple(f"event_{i}" for i in range(30))), tmp_path / "report.html")
    with opened(browser, path, width=700) as (page, _):
        page.emulate_media(media="print")
        assert page.locator("nav").is_hidden()
        assert page.locator("#ranking thead").first.evaluate("e => getComputedStyle(e).position") == "static"
        assert page.locator("#ranking tr").nth(1).evaluate("e => getComputedStyle(e).display") == "table-row"
        assert page.get_by_role("rowheader").filter(has_text="event_20 ").first.is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 700


@pytest.mark.parametrize("result", ["hostile", *sorted(factory.VERDICTS), "one persona"])
def test_ids_are_unique_and_links_lead_somewhere(browser, hostile, tmp_path, result):
    if result != "hostile":
        made = factory.for_one_persona() if result == "one persona" else factory.telling(result)
        hostile = write(made, tmp_path / "report.html")
    with opened(browser, hostile) as (page, _):
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
        assert len(ids) == len(set(ids))
        targets = page.evaluate("[...document.querySelectorAll('a[href]')].map(e => e.getAttribute('href'))")
        assert {target for target in targets if target.removeprefix("#") not in ids} == set()


def test_without_javascript_everything_is_readable(browser, hostile):
    with opened(browser, hostile, script=False) as (page, heard):
        assert page.locator("h1").is_visible()
        assert page.locator("#ranking table").first.is_visible()
        page.locator("summary", has_text="Settings as run").click()
        assert page.get_by_text("minimum_effect", exact=True).is_visible()
        assert heard.messages == []


def test_a_script_that_slipped_in_would_be_refused(browser, tmp_path):
    path = tmp_path / "tampered.html"
    path.write_text(render(factory.study()).replace("</main>", "<script>alert(9)</script></main>"), encoding="utf-8")
    with opened(browser, path) as (_, heard):
        assert heard.dialogs == []
        assert any("Content Security Policy" in message for message in heard.messages)


def test_cards_sit_in_a_foreign_page_without_touching_it(browser, tmp_path):
    path = tmp_path / "notebook.html"
    cards = render_cards(factory.study(names=factory.HOSTILE_NAMES))
    path.write_text(f"<!doctype html><meta charset=utf-8><h1 id=own>own</h1>{cards}{cards}", encoding="utf-8")
    with opened(browser, path, width=375) as (page, heard):
        assert heard.dialogs == []
        assert page.evaluate("getComputedStyle(document.getElementById('own')).fontSize") == "32px"
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        assert page.locator(".discovery-cards svg").count() == 2


def validations(names=WIDEST_NAMES):
    """Validations of every verdict with hostile, widest, many and missing names, and with nothing known."""
    return (made.hostile(), made.hostile(names), made.validation(made.sparse()), made.bare())


@pytest.mark.parametrize("width", WIDTHS)
def test_a_validation_runs_and_fetches_nothing_and_complains_about_nothing(browser, tmp_path, width):
    path = write(made.hostile(), tmp_path / "report.html")
    with opened(browser, path, width=width) as (page, heard):
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        page.wait_for_load_state("networkidle")
        assert (heard.dialogs, heard.messages, heard.requests) == ([], [], [path.as_uri()])
        assert page.locator("script, img, [onload], [onerror], a[href^='javascript']").count() == 0
        assert "<script>alert(1)</script>" in page.locator("#verdict h2").first.inner_text()
        assert page.locator("h1").count() == 1


@pytest.mark.parametrize("result", validations(), ids=["hostile", "widest", "sparse", "bare"])
def test_nothing_of_a_validation_is_cut_off_on_a_phone_or_on_a_desk(browser, tmp_path, result):
    path = write(result, tmp_path / "report.html")
    for width in WIDTHS:
        with opened(browser, path, width=width) as (page, _):
            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(CLIPPED_OR_OVERLAPPING) == []
            parts = page.locator("main :is(p, li, dt, dd, td, th, h2, h3, h4, blockquote, figcaption, article):visible")
            assert parts.count() > 60
            if width == 375:
                wide = "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.outerHTML.slice(0, 200))"
                assert parts.evaluate_all(wide) == []
                edges = parts.evaluate_all("all => all.map(e => e.getBoundingClientRect().right)")
                assert max(edges) <= 375 - 15


@pytest.mark.parametrize("verdict", [*made.VERDICTS, "several"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_validation_stands_out_from_its_ground(browser, tmp_path, verdict, scheme):
    result = made.several() if verdict == "several" else made.single(verdict)
    with opened(browser, write(result, tmp_path / "report.html"), scheme=scheme) as (page, _):
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert page.evaluate(LOW_CONTRAST) == []
        levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map(h => Number(h.tagName[1]))")
        assert levels[0] == 1
        assert max(after - before for before, after in pairwise(levels)) <= 1


def test_each_verdict_of_a_validation_has_its_own_colour(browser, tmp_path):
    with opened(browser, write(made.several(), tmp_path / "report.html"), width=375) as (page, _):
        cards = page.locator("#verdict article")
        colours = cards.evaluate_all("all => all.map(e => getComputedStyle(e).borderLeftColor)")
        assert colours == ["rgb(0, 112, 79)", "rgb(168, 70, 0)", "rgb(91, 102, 117)"]
        assert cards.locator(".word").all_inner_texts() == ["✓ HOLDS", "✗ DOES NOT HOLD", "? NOT ENOUGH DATA"]
        assert all(picture.get_attribute("aria-label") for picture in page.locator("svg").all())
        assert page.locator("table").count() == page.locator("table > caption").count()
        fails = page.locator("#scorecard-2 .standing-fail")
        assert fails.count() == 4
        assert fails.first.is_visible()


def test_on_a_desk_no_table_of_a_validation_needs_scrolling(browser, tmp_path):
    with opened(browser, write(made.several(), tmp_path / "report.html")) as (page, _):
        tables = page.locator("main .scroll:visible")
        assert tables.count() > 20
        wide = "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.getAttribute('aria-label'))"
        assert tables.evaluate_all(wide) == []


def test_on_paper_a_validation_has_room_for_the_answer(browser, tmp_path):
    with opened(browser, write(made.several(), tmp_path / "report.html"), width=700) as (page, _):
        page.emulate_media(media="print")
        assert page.evaluate("document.documentElement.scrollWidth") <= 700
        assert page.locator("nav").is_hidden()
        box = page.locator("#truth-1 .writing").bounding_box()
        assert box["width"] > 400
        assert box["height"] > 60
        assert page.locator("#parts-1 table").is_visible()


def test_cards_of_a_validation_fit_a_phone_and_touch_nothing_around_them(browser, tmp_path):
    path = tmp_path / "notebook.html"
    cards = render_cards(made.hostile())
    path.write_text(f"<!doctype html><meta charset=utf-8><h1 id=own>own</h1>{cards}{cards}", encoding="utf-8")
    with opened(browser, path, width=375) as (page, heard):
        assert heard.dialogs == []
        assert page.evaluate("getComputedStyle(document.getElementById('own')).fontSize") == "32px"
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        assert page.locator(".discovery-cards .scorecard li").count() == 2 * 4 * 14
