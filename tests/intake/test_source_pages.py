"""Every page about a source shows specs that are valid."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from discovery.spec import build_spec

PAGES = sorted((Path(__file__).parents[2] / "docs/sources").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_specs_shown_are_valid(page):
    for block in re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        build_spec(tomllib.loads(block), origin=page.name)
