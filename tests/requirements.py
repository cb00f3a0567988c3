"""What a test needs from the machine: skipped where it is missing, failed where everything must be there."""

from __future__ import annotations

import os

import pytest

MUST_HAVE_ALL = os.environ.get("DISCOVERY_REQUIRE_ALL") == "1"


def require(component: str, present: bool) -> None:
    """Skip the test if `component` is missing; fail it where DISCOVERY_REQUIRE_ALL=1 is set."""
    if present:
        return
    if MUST_HAVE_ALL:
        pytest.fail(f"{component} is missing, and DISCOVERY_REQUIRE_ALL=1 asks for every component", pytrace=False)
    pytest.skip(f"{component} is not installed")
