"""How the cache says that something was passed over: as a warning of Python, never as an error."""

from __future__ import annotations

import warnings


class CacheWarning(UserWarning):
    """What was kept of an earlier run could not be used, or this one could not be kept; the study goes on."""


def warn(message: str) -> None:
    """Warn of a cache that could not be used; the study goes on without it."""
    warnings.warn(f"The cache: {message}", CacheWarning, stacklevel=2)
