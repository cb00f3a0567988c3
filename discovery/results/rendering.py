"""What turns results into HTML, attached from above so that results stay on the ground."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from discovery.results.quality import CheckResult
    from discovery.results.study import StudyResult
    from discovery.results.validation import ValidationResult


class Renderer(Protocol):
    """What turns a result into HTML; attached from above so that results stay on the ground."""

    def write(self, result: StudyResult | ValidationResult | CheckResult, path: Path) -> Path:
        """Write the report and return its path."""
        ...

    def cards(self, result: StudyResult | ValidationResult | CheckResult) -> str:
        """Return the fragment a notebook shows."""
        ...


_attached: list[Renderer] = []


def attach(chosen: Renderer) -> None:
    """Make `chosen` the renderer of every result."""
    _attached[:] = [chosen]


def renderer() -> Renderer:
    """Return the attached renderer; `import discovery` attaches the HTML report."""
    return _attached[0]
