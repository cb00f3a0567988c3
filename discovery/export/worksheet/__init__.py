"""A ladder as the worksheet a product team fills in: what the data know, and blanks for what only people know."""

from __future__ import annotations

from discovery.export.worksheet.experiments import experiment_plan
from discovery.export.worksheet.phrases import named
from discovery.export.worksheet.plans import measurement_plan, stages
from discovery.export.worksheet.rows import RowKind, Worksheet, WorksheetRow, WorksheetSection
from discovery.export.worksheet.rungs import rung_sections
from discovery.export.worksheet.value import first_value_moment, persona_and_job, standing
from discovery.results import Ladder, StudyResult

__all__ = ["RowKind", "Worksheet", "WorksheetRow", "WorksheetSection", "worksheet"]


def worksheet(result: StudyResult, ladder: Ladder) -> Worksheet:
    """Return the worksheet of one ladder.

    Parameters
    ----------
    result
        The study that the ladder belongs to.
    ladder
        One of `result.ladders`.

    Returns
    -------
    Worksheet
        Sections on persona, first value moment, each rung, stages, measurement and experiment. Their texts are
        plain; a format escapes them. Sections about which nothing is known are left out.
    """
    whom = f", for {ladder.persona}" if ladder.persona else ""
    sections = (
        persona_and_job(result, ladder),
        first_value_moment(result, ladder),
        standing(ladder),
        *rung_sections(result, ladder),
        stages(ladder),
        measurement_plan(result, ladder),
        experiment_plan(result, ladder),
    )
    return Worksheet(
        title=f"Worksheet: ladder {ladder.rank}, to {named(ladder.milestone)}{whom}",
        sections=tuple(section for section in sections if section.rows),
    )
