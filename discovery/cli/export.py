"""One ladder, from an earlier result or from a study run for it, written as a worksheet."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from discovery.cli.terminal import Console, print_json
from discovery.errors import InputError, SourceError
from discovery.export.markdown import as_markdown
from discovery.export.single_file import refuse_existing, write_whole
from discovery.export.worksheet import worksheet
from discovery.results import Ladder, StudyResult, as_json_values

if TYPE_CHECKING:
    from discovery.study import Study


def refuse_questions(inputs: list[str], ladder: str | None, *, worksheet: bool, sql: bool, given: bool) -> None:
    """Refuse what cannot be exported, and questions that contradict each other; `given`: settings or a seed."""
    if not worksheet:
        raise InputError(
            'Nothing to export was named. Add --milestone "report_shared >= 3 within 7d" for its SQL, --dialect for '
            "the SQL of a ladder's milestone, --exposure for that of the aggregates of a study, or --worksheet."
        )
    if sql:
        raise InputError(
            "--worksheet writes a ladder in words; --milestone, --dialect and --dbt ask for SQL. Keep one."
        )
    if ladder is None and not inputs:
        raise InputError(
            "No ladder was named. Give --ladder result.json#1 for one of an earlier result, or a spec, or EVENTS and "
            "ACCOUNTS, to run a study for it."
        )
    if ladder is not None and inputs:
        raise InputError(f"--ladder names a ladder of an earlier result; leave out {' '.join(inputs)}, or --ladder.")
    if ladder is not None and given:
        raise InputError("With --ladder nothing is run, so --set and --seed change nothing. Leave them out.")


def refuse_file(out: Path | None) -> None:
    """Refuse a file that cannot be written, before anything is run."""
    if out is not None:
        refuse_existing(out)


def first_ladder(study: Study, console: Console) -> tuple[StudyResult, Ladder]:
    """Run the study and return its first ladder."""
    with console.working() as progress:
        result = study.run(progress=progress)
    if not result.ladders:
        raise SourceError(
            f"There is no ladder to export: the study supports no milestone. {result.verdict.sentence} "
            "discover run shows the reasons."
        )
    if len(result.ladders) > 1:
        console.say(f"Ladder 1 of {len(result.ladders)}; for another, discover run and --ladder result.json#N.")
    return result, result.ladders[0]


def write_worksheet(result: StudyResult, ladder: Ladder, out: Path | None, console: Console, *, as_json: bool) -> None:
    """Print the worksheet, or write it to `out`; as JSON it is printed in any case."""
    filled = worksheet(result, ladder)
    if out is not None:
        write_whole(out, as_markdown(filled))
    if as_json:
        print_json(json.dumps(as_json_values(filled), indent=2, ensure_ascii=False) + "\n")
    elif out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(as_markdown(filled).encode("utf-8"))
        sys.stdout.buffer.flush()
    if out is not None:
        console.say(f"Worksheet: {out}")
