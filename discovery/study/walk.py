"""The walk that a study and a validation share: from who stayed to one search over all accounts, graded."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from discovery import exposure, ranking, wording
from discovery.exposure import Exposure
from discovery.exposure.measuring import COUNTING
from discovery.intake import Relations
from discovery.milestone import Condition
from discovery.outcome import Outcome
from discovery.progress import Progress
from discovery.ranking import Evidence, Grading
from discovery.results import Verdict
from discovery.spec import Day
from discovery.study.evidence import prepare_sample
from discovery.study.late_acts import without_late
from discovery.study.properties import Opened, columns_of, open_properties
from discovery.study.sample import Sample
from discovery.study.search import gather


@dataclass(frozen=True, kw_only=True)
class Searched:
    """What accounts did, the sample that was searched, what the search found, and the verdict over all accounts."""

    measured: Exposure
    sample: Sample
    evidence: Evidence
    grading: Grading
    verdict: Verdict
    opened: Opened


def search_all(
    relations: Relations,
    outcome: Outcome,
    windows_us: Sequence[int],
    progress: Progress,
    *,
    stated_day: bool = False,
    acts: Sequence[Condition] = (),
    also: Sequence[str] = (),
) -> Searched | str:
    """Search every rule over the accounts of an outcome, or return why there is nothing to search.

    Parameters
    ----------
    relations, outcome
        What was read, and what became of the accounts.
    windows_us
        Every window that is to be measured, in microseconds since signup.
    progress
        Called with a few words whenever a stage begins.
    stated_day
        Whether the outcome on its stated day decides, whatever the spec says of the model.
    acts
        Events with tests of their properties that are to be measured beside those that are searched.
    also
        Properties that are opened beside those that the spec opens.
    """
    spec = relations.spec
    short = ranking.shortfall(outcome.population, outcome.summary)
    if short:
        return short
    progress(COUNTING)
    grid = spec.candidates
    opened = open_properties(relations, outcome, also)
    measured = exposure.measure(
        relations.engine,
        relations.events_table,
        relations.accounts_table,
        len(relations.accounts),
        tuple(windows_us),
        grid.window_days * Day,
        (*opened.acts, *acts),
        columns_of(relations),
        progress,
    )
    opened = without_late(opened, relations, outcome, measured)
    users = grid.min_users if relations.has_users else (1,)
    flags = exposure.candidate_flags(
        measured, outcome.positions, grid.at_least, grid.within_days, users, ranking.MIN_SIDE, opened.acts
    )
    if not flags.conditions:
        return _nothing_differs(measured.events)
    progress(f"Comparing {len(flags.conditions):,} rules")
    sample = prepare_sample(relations, outcome, measured, flags)
    exposure.rest(relations.engine)
    if stated_day:
        sample = dataclasses.replace(sample, asked_model="logistic")
    evidence = gather(sample, spec)
    grading = ranking.grade(evidence, spec)
    return Searched(
        measured=measured,
        sample=sample,
        evidence=evidence,
        grading=grading,
        verdict=ranking.decide(evidence, grading, outcome.population, outcome.summary, spec),
        opened=opened,
    )


def _nothing_differs(events: tuple[str, ...]) -> str:
    if not events:
        return "no event lies inside any account's observation window"
    same = wording.counted(len(events), "event")
    return f"all accounts did the same {same} in the same measure, so nothing tells them apart"
