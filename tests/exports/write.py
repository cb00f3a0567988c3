"""Write the shipped exports: `python -m tests.exports.write`."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.exports import amplitude, mixpanel, posthog, segment, snowplow
from tests.exports.plain import Export, PlainLog, plain_log, write_plain

ACCOUNTS = 60
SHIPPED = Path(__file__).parents[2] / "data_fixtures" / "exports"

EXPORTS: tuple[Export, ...] = (
    *segment.EXPORTS,
    *posthog.EXPORTS,
    *amplitude.EXPORTS,
    *mixpanel.EXPORTS,
    *snowplow.EXPORTS,
)
"""Every export of every tool; each is shipped in the folder of its name."""


def shipped_log() -> PlainLog:
    """Return the log that all shipped exports tell of."""
    return plain_log(ACCOUNTS)


def write_all(folder: Path) -> dict[str, tuple[Path, Path | None]]:
    """Write the plain form and every export below a folder, and return where the events and accounts of each are."""
    log = shipped_log()
    forms = (Export("plain", write_plain), *EXPORTS)
    return {form.name: form.write(log, _emptied(folder / form.name)) for form in forms}


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    write_all(SHIPPED)
