"""The report in a real browser: wide and phone-narrow, with and without JavaScript, with hostile names."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from discovery.report import render, render_cards, write

from ..report import factory

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTHS = (375, 1280)
SECTIONS = ("Accounts in this study", "Candidate ladders", "Ranking", "Data quality", "Settings and provenance")


@dataclasses.dataclass
class Heard:
    """What the browser said and asked for while the page was open."""

    messages: list[str] = dataclasses.field(default_factory=list)
    requests: list[str] = dataclasses.field(default_factory=list)
    dialogs: list[str] = dataclasses.field(default_factory=list)


@contextmanager
def opened(browser: Browser, path: Path, *, width: int = 1280, script: bool = True) -> Iterator[tuple[Page, Heard]]:
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=script)
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
    path = write(factory.study(verdict, names=("x" * 300, *factory.HOSTILE_NAMES[:4])), tmp_path / "report.html")
    with opened(browser, path) as (page, _):
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        for width in (*WIDTHS, 800):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_section_and_every_picture_has_a_name(browser, hostile):
    with opened(browser, hostile) as (page, _):
        headings = page.locator("h2").all_inner_texts()
        assert [section for section in SECTIONS if section not in headings] == []
        assert page.locator("h1").count() == 1
        assert page.locator("svg").count() == 4
        for picture in page.locator("svg").all():
            assert picture.get_attribute("aria-label")
            assert picture.get_attribute("role") == "img"
            assert picture.locator("> title").text_content()
        assert page.locator("table").count() == page.locator("table > caption").count() > 3
        assert page.locator("html").get_attribute("lang") == "en"


def test_ids_are_unique_and_links_lead_somewhere(browser, hostile):
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
