"""The data checked: the report written, the findings printed by severity, and the exit code says it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from discovery import wording
from discovery.cli.terminal import Console, finding_text, print_utf8, to_whoever_listens
from discovery.export import written_whole
from discovery.export.tables import write_check
from discovery.spec import FORMAT_NAMES

if TYPE_CHECKING:
    from discovery.results import CheckResult, RuleChecked, Severity
    from discovery.study import Study

FINE, ERRORS = 0, 1

_GROUPS: Final[tuple[tuple[Severity, str], ...]] = (
    ("error", "Errors: these stop a run"),
    ("warning", "Warnings"),
    ("info", "Good to know"),
)


def check_and_write(
    study: Study, out: Path, reading: list[str], console: Console, *, show_accounts: bool
) -> CheckResult:
    """Check, and write the folder whole or not at all."""
    with written_whole(out, reading) as folder, console.working() as progress:
        result = study.check(progress=progress, show_accounts=show_accounts)
        progress("Writing the report")
        write_check(result, folder)
    return result


def print_check(console: Console, result: CheckResult, out: Path, given: Sequence[str], *, as_json: bool) -> None:
    """Print the JSON, and for people the findings worst first, the rules that are passed, the report, what is next.

    `given` are the sources and settings of the command. A reader that has gone away does not change the exit code.
    """

    def answer() -> None:
        if as_json:
            print_utf8(result.to_json())
        _say(console, result, out, given)

    to_whoever_listens(answer)


def _say(console: Console, result: CheckResult, out: Path, given: Sequence[str]) -> None:
    span = f", {result.starts} to {result.ends}" if result.starts else ""
    read = wording.events_read(result.events_rows, result.events_used)
    accounts = wording.counted(result.accounts, "account")
    console.say(f"{read}, {accounts}{span} (format: {FORMAT_NAMES.get(result.format, result.format)}).")
    for severity, title in _GROUPS:
        findings = result.of(severity)
        if findings:
            console.say()
            console.say(f"{title} ({len(findings)})")
        for finding in findings:
            console.say()
            console.say(finding_text(finding))
    console.say()
    console.say(_rules(result.rules))
    console.say(f"Report: {out / 'report.html'}")
    console.say(f"Next: {_next(result, given)}")


def exit_code(result: CheckResult) -> int:
    """Return 1 if any finding would stop a run, else 0."""
    return ERRORS if result.has_errors else FINE


def _rules(rules: tuple[RuleChecked, ...]) -> str:
    states = [rule.state for rule in rules]
    passed, apart = states.count("passed"), states.count("not applicable")
    found = len(states) - passed - apart
    return (
        f"{wording.counted(passed, 'rule')} passed, {found} found something, {apart} "
        f"{'does' if apart == 1 else 'do'} not apply."
    )


def _next(result: CheckResult, given: Sequence[str]) -> str:
    """Return the command that comes next, with the arguments that this one was given."""
    arguments = shlex.join(given)
    if result.has_errors:
        return f"mend the errors, then discover check {arguments} again".replace("  ", " ")
    if any(finding.code == "too_few_accounts" for finding in result.quality):
        return "data of more accounts, or of a longer time; a run could not answer yet"
    return f"discover run {arguments}".rstrip()
