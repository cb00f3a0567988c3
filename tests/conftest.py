"""Fixtures that more than one room's tests use."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from .requirements import require

if TYPE_CHECKING:
    from playwright.sync_api import Browser

os.environ.setdefault("DISCOVERY_CACHE", "off")  # no test may leave anything in the user's cache folder

_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium of this machine; nothing is downloaded."""
    names = (os.environ.get("DISCOVERY_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    executable = next((found for name in names if name and (found := shutil.which(name))), None)
    require("playwright", importlib.util.find_spec("playwright") is not None)
    require("chromium", executable is not None)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=list(_QUIET))
        yield opened
        opened.close()
