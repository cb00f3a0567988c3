"""The exports of known tools, one module each: how to recognise one, and how it is laid out.

A module of a format has the functions

- `likeness(look: Look) -> str`: from what the source is recognised, in words; empty where it is something else;
- `layout(look: Look, reason: str) -> Layout`: how it is laid out;
- `accounts(engine, source, rows) -> Source | None`: the tool's own export of accounts (groups, group profiles), which
  may have several rows per account, as a source with one row per account and the usual names of columns; None where
  the source is something else. Formats whose tool exports no accounts lack it.
"""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

from discovery.engines.duckdb import DuckDBEngine
from discovery.intake.formats import amplitude, mixpanel, posthog, segment, snowplow
from discovery.intake.formats.layout import EventRole, Layout, Look, Role
from discovery.intake.sources import Source

__all__ = ["EventRole", "Layout", "Look", "Role", "accounts_of", "layout_of"]

FORMATS: dict[str, ModuleType] = {
    "segment": segment,
    "posthog": posthog,
    "amplitude": amplitude,
    "mixpanel": mixpanel,
    "snowplow": snowplow,
}
"""The known formats, by the name that `events.format` gives them, in the order in which they are tried."""


def layout_of(look: Look) -> Layout:
    """Return how the events are laid out: as the spec says, else as the first format that recognises them."""
    asked = look.spec.format
    if asked in FORMATS:
        laid = _laid_out(asked, look, "named in the spec")
        return replace(laid, like_it=bool(FORMATS[asked].likeness(look)))
    if asked == "auto":
        for name, module in FORMATS.items():
            reason = module.likeness(look)
            if reason:
                return _laid_out(name, look, reason)
    return Layout(format="table", reason="a plain table", source=look.source)


def accounts_of(engine: DuckDBEngine, source: Source, rows: str) -> tuple[str, Source] | None:
    """Return the format and the source of a tool's own export of accounts, one row each; None for a plain table."""
    for name, module in FORMATS.items():
        read = getattr(module, "accounts", None)
        found = read(engine, source, rows) if read else None
        if found is not None:
            return name, found
    return None


def _laid_out(name: str, look: Look, reason: str) -> Layout:
    laid: Layout = FORMATS[name].layout(look, reason)
    return laid
