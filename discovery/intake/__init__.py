"""Files, exports and tables into two checked relations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from discovery.intake.loading import load
    from discovery.intake.relations import UNKNOWN_TIME, Accounts, Relations

__all__ = ["UNKNOWN_TIME", "Accounts", "Relations", "load"]


def __getattr__(name: str) -> Any:
    # DuckDB and Arrow are imported when rows are first read, not when the package is.
    if name == "load":
        from discovery.intake.loading import load

        return load
    if name in __all__:
        from discovery.intake import relations

        return getattr(relations, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
