"""How long work says where it stands."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """What is called whenever a stage begins, and again as it goes on."""

    def __call__(self, stage: str, share: float | None = None) -> None:
        """Take a few words for the stage, and the share of it that is done (0 to 1), where that is known."""
        ...


def silent(stage: str, share: float | None = None) -> None:
    """Ignore the stage."""
