"""The table of contents: a study calls the rooms in order."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from os import PathLike
from typing import Any

from discovery import estimate, ranking
from discovery.cache import Cache, cache_folder, is_off
from discovery.engines.ceiling import engine_limit
from discovery.errors import InputError, QualityError, SpecError
from discovery.intake import Relations
from discovery.intake.aggregates import load_aggregates
from discovery.intake.coverage import coverage_of
from discovery.intake.kept import load_kept, made_by
from discovery.intake.profile import refuse_in_place
from discovery.intake.timeline import timeline_of
from discovery.milestone import Milestone
from discovery.outcome import Outcome, read_outcome
from discovery.progress import Progress, silent
from discovery.results import (
    CandidateTable,
    CheckResult,
    Profile,
    Provenance,
    QualityFinding,
    StudyResult,
    ValidationResult,
    Verdict,
    read_earlier,
)
from discovery.spec import Day, StudySpec, build_spec
from discovery.study.enough import with_enough_asked
from discovery.study.evidence import lifetimes
from discovery.study.finalists import Finalists
from discovery.study.ladders import Ladders
from discovery.study.personas import search_personas
from discovery.study.profile import profile_of
from discovery.study.properties import properties_of
from discovery.study.validation import ask, validate
from discovery.study.walk import search_all
from discovery.validation import compare as compared
from discovery.version import __version__


class Study:
    """A question asked of events and accounts.

    Parameters
    ----------
    events, accounts
        A path (file, glob or folder), or a pandas, Polars or Arrow table. None takes the source named in
        the spec.
    spec
        What is asked: a `StudySpec`, or a mapping with the sections of `discover.toml`. None asks with zero
        configuration.
    exposure
        The answer of the query that `discover export --exposure` writes, in the place of events.
    cache
        Whether what is read of large files is kept in the user's cache folder, so that asking the same data something
        else need not read them again. `DISCOVERY_CACHE=off` turns it off everywhere.
    memory
        What reading, checking and counting may take, such as "4GB"; None leaves the engine 70 % of the machine's
        memory.
    **sections
        Sections laid over `spec`: `outcome={"by_day": 60}`. The columns of events and accounts go into
        `spec`, as in `{"accounts": {"segments": ["plan"]}}`.

    Raises
    ------
    SpecError
        If the sections do not make a valid spec, or `memory` is no size.
    InputError
        If both events and exposure are given.

    Examples
    --------
    >>> import discovery
    >>> world = discovery.simulate_world("easy", accounts=600, seed=1)
    >>> result = discovery.Study(world.events, world.accounts, outcome={"by_day": 60}).run()
    >>> result.outcome.by_day
    60
    """

    def __init__(
        self,
        events: Any = None,
        accounts: Any = None,
        spec: StudySpec | Mapping[str, Any] | None = None,
        *,
        exposure: Any = None,
        cache: bool = True,
        memory: str | None = None,
        **sections: Mapping[str, Any],
    ) -> None:
        engine_limit(memory)  # refuses what is no size
        if exposure is not None and events is not None:
            raise InputError("exposure stands for the events. Give one of them, and the accounts beside it.")
        self.events = events
        self.accounts = accounts
        self.exposure = exposure
        self.spec = _laid_over(spec, sections)
        self.cache = cache
        self.memory = memory

    def check(self, *, progress: Progress = silent, show_accounts: bool = False) -> CheckResult:
        """Read the sources and return the data-quality report alone.

        Parameters
        ----------
        progress
            Called with a few words whenever a stage begins.
        show_accounts
            Whether ids of accounts and users may stand in the result as examples.

        Raises
        ------
        InputError
            If a source cannot be read, or a column is missing. Errors in the rows are findings.
        """
        self._refuse_aggregates("A check")
        started = time.perf_counter()
        relations = self._read(progress)
        with closing(relations.engine):
            progress("Drawing the timeline")
            timeline = timeline_of(relations)
            coverage = coverage_of(relations)
            relations = with_enough_asked(relations)
        first, last = (
            datetime.fromtimestamp(end // 1_000_000, UTC).date().isoformat() if timeline else None
            for end in (relations.log_start, relations.log_end)
        )
        return CheckResult(
            accounts=len(relations.accounts),
            events_rows=relations.events_rows,
            events_used=relations.events_used,
            format=relations.layout,
            starts=first,
            ends=last,
            rules=relations.rules,
            timeline=timeline,
            coverage=coverage,
            **_origin(relations, started, show_accounts),
        )

    def profile(self, *, progress: Progress = silent, show_accounts: bool = False) -> Profile:
        """Read the sources, and suggest what a spec could say of them."""
        self._refuse_aggregates("A profile")
        refuse_in_place(self.events, self.spec)
        relations = self._read(progress)
        with closing(relations.engine):
            quality = _shareable(relations.quality, show_accounts)
            return profile_of(relations, self.events, self.spec, quality, progress)

    def run(self, *, progress: Progress = silent, show_accounts: bool = False) -> StudyResult:
        """Do the whole study and return its frozen result.

        Parameters
        ----------
        progress
            Called with a few words whenever a stage begins.
        show_accounts
            Whether account ids may stand in the result as examples.

        Raises
        ------
        InputError
            If a source cannot be read, a column is missing, or a check finds an error.
        """
        started = time.perf_counter()
        relations = self._read(progress)
        with closing(relations.engine), estimate.cores_for(len(relations.accounts)):
            _refuse_errors(relations)
            answer = _answer(relations, self.spec, progress)
        return StudyResult(**answer, **_origin(relations, started, show_accounts))

    def validate(
        self,
        *milestones: str | Milestone,
        ladder: str | None = None,
        registered: date | None = None,
        independent: bool = False,
        compare: str | PathLike[str] | None = None,
        progress: Progress = silent,
        show_accounts: bool = False,
    ) -> ValidationResult:
        """Ask whether proposed milestones hold.

        Parameters
        ----------
        *milestones
            The proposals, as text or as milestones; several are set side by side and answer for each other.
        ladder
            A ladder of an earlier result, as `result.json#1`: its milestone is one more proposal, its rungs the steps
            of onboarding.
        registered
            The day the proposals were written down: accounts that signed up from then on decide, without a search
            penalty.
        independent
            Whether the team vouches that the proposals did not come from these data.
        compare
            An earlier `result.json` or `validation.json`; the proposals say what changed since.
        progress
            Called with a few words whenever a stage begins.
        show_accounts
            Whether account ids may stand in the result as examples.

        Raises
        ------
        InputError
            If nothing is proposed, a proposal cannot be read or looks beyond the observation window, `registered` and
            `independent` are both given, or a source cannot be read or checked.
        """
        self._refuse_aggregates("A validation")
        started = time.perf_counter()
        earlier = None if compare is None else read_earlier(compare)
        question = ask(milestones, ladder, registered, independent)
        properties = properties_of(question.everything)
        relations = self._read(progress, properties)
        with closing(relations.engine), estimate.cores_for(len(relations.accounts)):
            _refuse_errors(relations)
            said = validate(relations, question, not self.spec.outcome.kind, progress)
        result = ValidationResult(**said, **_origin(relations, started, show_accounts))
        return result if earlier is None else compared(earlier, result)

    def _refuse_aggregates(self, what: str) -> None:
        if self.exposure is not None:
            raise InputError(f"{what} asks for times that no aggregates hold. Give the events themselves.")

    def _read(self, progress: Progress, properties: Sequence[str] = ()) -> Relations:
        if self.exposure is not None:
            return load_aggregates(self.exposure, self.accounts, self.spec, memory=self.memory, progress=progress)
        cache = Cache(cache_folder(), made_by=made_by()) if self.cache and not is_off() else None
        given = (self.events, self.accounts, self.spec)
        return load_kept(*given, cache=cache, memory=self.memory, progress=progress, properties=properties)


def _origin(relations: Relations, started: float, show_accounts: bool) -> dict[str, Any]:
    """Return what every result says of its input and of how it was made."""
    made = Provenance(
        version=__version__,
        spec_sha256=relations.spec.sha256(),
        input_sha256=relations.input_sha256,
        seed=relations.spec.inference.seed,
        seconds=time.perf_counter() - started,
        events_rows=relations.events_rows,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return {
        "quality": _shareable(relations.quality, show_accounts),
        "recognised": relations.recognised,
        "settings": relations.spec.as_dict(),
        "provenance": made,
    }


def _laid_over(spec: StudySpec | Mapping[str, Any] | None, sections: Mapping[str, Mapping[str, Any]]) -> StudySpec:
    if isinstance(spec, StudySpec) and not sections:
        return spec
    values = spec.as_dict() if isinstance(spec, StudySpec) else dict(spec or {})
    for section, given in sections.items():
        held = values.get(section, {})
        if not isinstance(given, Mapping) or not isinstance(held, Mapping):
            raise SpecError(f"The section {section!r} must hold keys and values, as in {section}={{...}}.")
        values[section] = {**held, **given}
    return build_spec(values, origin="the study")


def _refuse_errors(relations: Relations) -> None:
    errors = [finding for finding in relations.quality if finding.severity == "error"]
    if errors:
        raise QualityError(" ".join(f"{finding.message} {finding.remedy}" for finding in errors))


def _shareable(findings: tuple[QualityFinding, ...], show_accounts: bool) -> tuple[QualityFinding, ...]:
    """Leave account ids out of the examples unless they were asked for."""
    if show_accounts:
        return findings
    return tuple(dataclasses.replace(f, examples=(), paste="") if f.names_accounts else f for f in findings)


def _answer(relations: Relations, asked: StudySpec, progress: Progress) -> dict[str, Any]:
    """Walk from checked relations to everything a result says about them."""
    spec = relations.spec
    window = spec.candidates.window_days
    progress("Reading who stayed and who left")
    outcome = read_outcome(lifetimes(relations), spec.outcome, window_days=window, inferred=not asked.outcome.kind)
    found = search_all(relations, outcome, tuple(days * Day for days in spec.candidates.within_days), progress)
    if isinstance(found, str):
        return _empty(outcome, ranking.insufficient(found))

    measured, sample, evidence, grading = found.measured, found.sample, found.evidence, found.grading
    personas = search_personas(sample, spec, outcome.population, outcome.summary, progress)

    progress("Refitting the finalists")
    finalists = Finalists(relations, outcome, measured, sample, evidence, grading)
    opinion = finalists.second_opinion()
    ranked = ranking.describe_families(
        evidence, grading, finalists.refits(), {o.family: o.rank for o in opinion}, outcome.summary
    )
    verdict = ranking.of_all(found.verdict, personas)
    return {
        "verdict": verdict,
        "population": outcome.population,
        "outcome": outcome.summary,
        "ranking": ranked,
        "personas": personas,
        "ladders": Ladders(relations, outcome, measured, sample).build(verdict, ranked, personas, progress)
        if relations.where != "aggregates"
        else (),
        "second_opinion": opinion,
        "curves": finalists.curves(),
        "searched": evidence.searched,
        "score_model": evidence.model,
        "adjusted_for": sample.adjusted_for,
        "opened": found.opened.said,
        "candidates": ranking.candidate_table(evidence, grading),
    }


def _empty(outcome: Outcome, verdict: Verdict) -> dict[str, Any]:
    """Return what is said when nothing could be compared."""
    return {
        "verdict": verdict,
        "population": outcome.population,
        "outcome": outcome.summary,
        "ranking": (),
        "ladders": (),
        "second_opinion": (),
        "curves": (),
        "searched": 0,
        "candidates": CandidateTable(columns={}),
    }
