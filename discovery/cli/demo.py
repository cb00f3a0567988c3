"""Where the shipped fixture is: in the source tree, or inside an installed package."""

from __future__ import annotations

from pathlib import Path

from discovery.errors import SourceError


def demo_sources() -> tuple[str, str]:
    """Return the events and accounts of the shipped world."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_fixtures" / "demo", package.parent / "data_fixtures" / "demo"):
        if (folder / "events.parquet").exists():
            return str(folder / "events.parquet"), str(folder / "accounts.csv")
    raise SourceError("The shipped fixture is missing from this installation. Install the package again.")
