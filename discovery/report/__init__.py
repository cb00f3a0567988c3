"""A result into one self-contained HTML file, and into a small card for notebooks.

The file asks nothing of the network, runs no script, and is readable without styles. Every name in it is
escaped; the page's own policy (CSP) would refuse a script even if one slipped in.
"""

from __future__ import annotations

from pathlib import Path

from discovery.errors import OutputError
from discovery.report.check import view_of_check
from discovery.report.pages import fill
from discovery.report.validation import view_of_validation
from discovery.report.view import view_of
from discovery.results import CheckResult, StudyResult, ValidationResult

__all__ = ["render", "render_cards", "write"]


def render(result: StudyResult | ValidationResult | CheckResult) -> str:
    """Return the report as one HTML document.

    Parameters
    ----------
    result
        A finished study, validation or check.

    Returns
    -------
    str
        A document without any reference to other files. The same result gives the same text.
    """
    if isinstance(result, CheckResult):
        return fill("check.html.j2", view_of_check(result))
    if isinstance(result, ValidationResult):
        return fill("validation.html.j2", view_of_validation(result))
    return fill("page.html.j2", view_of(result))


def render_cards(result: StudyResult | ValidationResult | CheckResult) -> str:
    """Return an HTML fragment for a notebook.

    Of a study: the verdict, the top of the ranking and the first ladder; of a validation: each verdict with its
    scorecard in short; of a check: its findings.

    Parameters
    ----------
    result
        A finished study, validation or check.

    Returns
    -------
    str
        One `<div>` that brings its own styles and touches nothing around it.
    """
    if isinstance(result, CheckResult):
        return fill("check_cards.html.j2", view_of_check(result, figures=False))
    if isinstance(result, ValidationResult):
        return fill("validation_cards.html.j2", view_of_validation(result, figures=False))
    return fill("cards.html.j2", view_of(result, ladders=1, ranked=5, figures=False))


def write(result: StudyResult | ValidationResult | CheckResult, path: str | Path) -> Path:
    """Write the report to `path` and return the path.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    path = Path(path)
    document = render(result)
    try:
        path.write_text(document, encoding="utf-8", newline="\n")
    except OSError as error:
        raise OutputError(
            f"The report cannot be written to {path} ({error}). Choose a file in a folder that exists and may be "
            "written to."
        ) from error
    return path
