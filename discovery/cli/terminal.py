"""What people see in the terminal, and what goes into `run.log`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from discovery import wording
from discovery.progress import Progress
from discovery.results import Criterion, Estimate, QualityFinding, StudyResult, ValidationResult

_FAMILIES, _HARMS, _EXPLAINED, _LADDERS = 5, 3, 3, 2


class Console:
    """Writes progress to standard error and answers to standard output, or nothing when quiet.

    With `as_json` standard output belongs to the JSON, so answers go to standard error as well.
    """

    def __init__(self, *, quiet: bool = False, as_json: bool = False) -> None:
        self.quiet = quiet
        self.answers: TextIO = sys.stderr if as_json else sys.stdout
        self._stages: list[tuple[float, str]] = []

    def say(self, text: str = "") -> None:
        """Print an answer; what a terminal would obey, as a name from the data may hold, is replaced."""
        if not self.quiet:
            self.answers.write(wording.shown(text) + "\n")

    @contextmanager
    def working(self) -> Iterator[Progress]:
        """Yield a function that names the stage under way, and may say how far it is; a terminal shows both."""
        if self.quiet or not sys.stderr.isatty():
            yield self._enter_stage
            return
        from rich.console import Console as RichConsole

        from discovery.cli.bar import bar

        with bar(RichConsole(stderr=True)) as shown:

            def enter(stage: str, share: float | None = None) -> None:
                self._enter_stage(stage, share)
                shown(stage, share)

            yield enter

    def _enter_stage(self, stage: str, share: float | None = None) -> None:
        if not self._stages or self._stages[-1][1] != stage:
            self._stages.append((time.perf_counter(), stage))

    def log(self, result: StudyResult | ValidationResult) -> str:
        """Return the text of `run.log`: what ran when, what was found, what was concluded."""
        made = result.provenance
        lines = [
            f"discover {made.version}, {made.created_at}",
            f"input {made.input_sha256}",
            f"spec  {made.spec_sha256}, seed {made.seed}",
        ]
        start = self._stages[0][0] if self._stages else 0.0
        lines += [f"{moment - start:8.2f} s  {stage}" for moment, stage in self._stages]
        lines += [f"{finding.severity.upper():7}  {finding.code}: {finding.message}" for finding in result.quality]
        lines += _concluded(result) if isinstance(result, StudyResult) else _validated(result)
        return "\n".join(lines) + "\n"


def _concluded(result: StudyResult) -> list[str]:
    whom = f" for {result.verdict.persona}" if result.verdict.persona else ""
    lines = [f"verdict  {result.verdict.status}{whom}: {result.verdict.sentence}"]
    lines += [f"because  {reason}" for reason in result.verdict.reasons]
    return lines + [f"persona  {p.persona}: {p.verdict.status}: {p.verdict.sentence}" for p in result.personas]


def _validated(result: ValidationResult) -> list[str]:
    lines = [f"judged   {result.judged} accounts, {result.origin}, {result.correction}"]
    for proposal in result.proposals:
        lines.append(f"proposed {proposal.milestone}")
        lines.append(f"verdict  {proposal.verdict}: {proposal.sentence}")
        lines += [f"because  {reason}" for reason in proposal.reasons]
        lines += [f"{_standing(c):8} {c.name}: {c.sentence}" for c in proposal.criteria]
        lines += [f"changed  {change.sentence}" for change in proposal.changes if change.notable]
    return lines


def _standing(criterion: Criterion) -> str:
    return criterion.status if criterion.judged else "unjudged"


def print_utf8(text: str) -> None:
    """Print text for a program on standard output, as UTF-8 whatever the terminal speaks."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8"))
    sys.stdout.buffer.flush()


def print_study(console: Console, result: StudyResult, out: Path) -> None:
    """Print the verdict with its reasons, the first families, what is explained away, and where the report is."""
    verdict, flow = result.verdict, result.population
    whom = f" (for {verdict.persona} only)" if verdict.persona else ""
    console.say(f"{verdict.status.upper()}{whom}: {verdict.sentence}")
    for reason in verdict.reasons:
        console.say(f"  - {reason}")
    base = "" if flow.base_rate is None else f"; {100 * flow.base_rate:.0f} % of those {_past(result)}"
    console.say(
        f"{flow.accounts:,} accounts, {flow.landmark:,} at the landmark, {flow.mature:,} with an outcome{base}."
    )
    _say_ranking(console, result)
    _say_explained(console, result)
    _say_personas(console, result)
    _say_ladders(console, result)
    loud = [finding for finding in result.quality if finding.severity == "warning"]
    if loud:
        named = ", ".join(finding.code for finding in loud)
        console.say(f"{wording.counted(len(loud), 'data-quality warning')}: {named}.")
    console.say(f"Report: {out / 'report.html'}")


def _say_ranking(console: Console, result: StudyResult) -> None:
    ranked = [family for family in result.ranking if family.rank is not None]
    shown = ranked[:_FAMILIES] + [family for family in ranked[_FAMILIES:] if family.status == "harm"][:_HARMS]
    if shown and result.verdict.milestone is None:
        console.say("No row is supported as a milestone, the first one neither:")
    for family in shown:
        adjusted, plain = _points(family.adjusted), _points(family.naive_difference)
        console.say(f"  {family.rank}. {family.milestone}: {adjusted} adjusted, {plain} plain ({family.status})")


def _say_explained(console: Console, result: StudyResult) -> None:
    explained = [family for family in result.ranking if family.explained_away]
    if explained:
        console.say("Explained away:")
    for family in explained[:_EXPLAINED]:
        console.say(f"  - {family.explained_away}")
    if len(explained) > _EXPLAINED:
        console.say(f"  and {len(explained) - _EXPLAINED} more in the report")


def _say_personas(console: Console, result: StudyResult) -> None:
    for persona in result.personas:
        named = f": {persona.verdict.milestone}" if persona.verdict.milestone else ""
        console.say(f"{persona.persona} ({persona.accounts:,} accounts): {persona.verdict.status}{named}")


def _say_ladders(console: Console, result: StudyResult) -> None:
    for ladder in result.ladders[:_LADDERS]:
        whom = f" for {ladder.persona}" if ladder.persona else ""
        steps = [rung for rung in ladder.rungs if rung.role != "habit"]
        climb = " > ".join(f"{rung.milestone} {100 * rung.reach:.0f} %" for rung in steps)
        console.say(f"Ladder {ladder.rank}{whom} ({ladder.status}): {climb}")
    if len(result.ladders) > _LADDERS:
        console.say(f"  and {len(result.ladders) - _LADDERS} more in the report")
    if result.ladders_left_out:
        console.say(result.ladders_left_out)


def _points(difference: Estimate) -> str:
    return "n/a" if difference.estimate is None else f"{100 * difference.estimate:+.0f} points"


def _past(result: StudyResult) -> str:
    return {"retained": "stayed", "active": "were active again", "converted": "converted"}[result.outcome.kind]


def finding_text(finding: QualityFinding) -> str:
    """Return a finding as a short paragraph."""
    share = "" if finding.share is None else f" ({100 * finding.share:.1f} %)"
    lines = [
        f"{finding.severity.upper()} {finding.code}: {finding.count:,}{share}",
        f"  {wording.clean(finding.message)}",
    ]
    if finding.examples:
        lines.append(f"  For example: {', '.join(map(wording.clean, finding.examples))}")
    if finding.remedy:
        lines.append(f"  {wording.clean(finding.remedy)}")
    if finding.paste:
        lines += ["  In discover.toml, where its section is:", *(f"    {line}" for line in finding.paste.splitlines())]
    elif finding.names_accounts and not finding.examples:
        lines.append("  Run again with --show-accounts to see which, and the lines to paste.")
    return "\n".join(lines)


def to_whoever_listens(answer: Callable[[], None]) -> None:
    """Print, and let the rest go where a pipe was closed: its exit code 1 would read as an answer."""
    if sys.stdout is None:  # the shell closed it
        return
    try:
        answer()
        sys.stdout.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
