"""Every page about a source shows specs that are valid."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from discovery import intake
from discovery.spec import build_spec

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs/sources").glob("*.md"))
SHIPPED = [page for page in PAGES if 'from = "data_fixtures/' in page.read_text(encoding="utf-8")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_specs_shown_are_valid(page):
    for block in re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        build_spec(tomllib.loads(block), origin=page.name)


@pytest.mark.parametrize("page", SHIPPED, ids=lambda page: page.name)
def test_specs_of_shipped_exports_read_them(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    for block in re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        if 'from = "data_fixtures/' in block:
            relations = intake.load(None, None, build_spec(tomllib.loads(block), origin=page.name))
            relations.engine.close()
            assert relations.events_used > 1000
            assert not any(finding.severity == "error" for finding in relations.quality)


def test_a_page_of_every_tool_has_a_spec_of_a_shipped_export():
    assert {"amplitude.md", "mixpanel.md", "posthog.md", "segment.md", "snowplow.md"} <= {page.name for page in SHIPPED}
