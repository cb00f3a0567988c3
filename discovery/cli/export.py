"""What `discover export` writes: the SQL of a milestone or of aggregates, or a ladder as a worksheet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from discovery.cli.inputs import sources_of, spec_of, study_of
from discovery.cli.terminal import Console, print_utf8
from discovery.errors import InputError, SourceError
from discovery.results import Ladder, StudyResult, as_json_values, read_ladder

if TYPE_CHECKING:
    from discovery.cli.sql import Request
    from discovery.study import Study

_DIALECT = "duckdb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options of the command, as given."""

    inputs: list[str]
    settings: list[str]
    milestone: str | None
    exposure: bool
    worksheet: bool
    ladder: str | None
    dialect: str | None
    events_table: str
    accounts_table: str
    types: Sequence[str]
    dbt: bool
    out: Path | None
    seed: int | None
    memory: str | None
    no_cache: bool

    @property
    def sql(self) -> bool:
        """Whether anything asks for the SQL of a milestone."""
        return self.milestone is not None or self.dialect is not None or self.dbt

    @property
    def idle(self) -> list[str]:
        """The options given that only a run of a study heeds."""
        given = {"--seed": self.seed is not None, "--memory": self.memory is not None, "--no-cache": self.no_cache}
        return [option for option, there in given.items() if there]

    @property
    def request(self) -> Request:
        """The SQL that is to be written."""
        from discovery.cli.sql import Request

        return Request(
            dialect=self.dialect or _DIALECT,
            events_table=self.events_table,
            accounts_table=self.accounts_table,
            types=self.types,
            dbt=self.dbt,
            out=self.out,
            idle=self.idle,
        )


def export_asked(asked: Asked, console: Console, *, as_json: bool) -> None:
    """Write what is asked for; refuse, before anything is read, options that contradict each other."""
    if asked.exposure:
        _export_exposure(asked, console, as_json=as_json)
    elif asked.sql and not asked.worksheet:
        _export_milestone(asked, console, as_json=as_json)
    else:
        _export_worksheet(asked, console, as_json=as_json)


def _export_exposure(asked: Asked, console: Console, *, as_json: bool) -> None:
    from discovery.cli.exposure_sql import refuse_beside, write_exposure

    request = asked.request
    refuse_beside(asked.inputs, request, others=bool(asked.milestone or asked.ladder or asked.worksheet))
    spec = spec_of(asked.inputs, asked.settings, None)
    write_exposure(spec, sources_of(asked.inputs), request, console, as_json=as_json)


def _export_milestone(asked: Asked, console: Console, *, as_json: bool) -> None:
    from discovery.cli.milestone_sql import of_ladder, refuse_contradictions, select_of, write_select
    from discovery.milestone import Milestone

    request = asked.request
    refuse_contradictions(asked.inputs, asked.milestone, asked.ladder, request)
    sources: tuple[str | None, str | None] = (None, None)
    if asked.ladder is not None:
        reached, spec = of_ladder(asked.ladder, asked.settings, console)
    else:
        reached = Milestone.parse(asked.milestone or "")
        spec, sources = spec_of(asked.inputs, asked.settings, None), sources_of(asked.inputs)
    write_select(select_of(reached, spec, sources, request, console), request, console, as_json=as_json)


def _export_worksheet(asked: Asked, console: Console, *, as_json: bool) -> None:
    from discovery.export.single_file import refuse_existing

    _refuse_questions(asked)
    if asked.out is not None:
        refuse_existing(asked.out)
    if asked.ladder is not None:
        found = read_ladder(asked.ladder)
    else:
        study = study_of(asked.inputs, asked.settings, asked.seed, asked.memory, asked.no_cache)
        found = _first_ladder(study, console)
    _write_worksheet(*found, asked.out, console, as_json=as_json)


def _refuse_questions(asked: Asked) -> None:
    """Refuse what cannot be exported, and questions that contradict each other."""
    if not asked.worksheet:
        raise InputError(
            'Nothing to export was named. Add --milestone "report_shared >= 3 within 7d" for its SQL, --dialect for '
            "the SQL of a ladder's milestone, --exposure for that of the aggregates of a study, or --worksheet."
        )
    if asked.sql:
        raise InputError(
            "--worksheet writes a ladder in words; --milestone, --dialect and --dbt ask for SQL. Keep one."
        )
    if asked.ladder is None and not asked.inputs:
        raise InputError(
            "No ladder was named. Give --ladder result.json#1 for one of an earlier result, or a spec, or EVENTS and "
            "ACCOUNTS, to run a study for it."
        )
    if asked.ladder is not None and asked.inputs:
        raise InputError(
            f"--ladder names a ladder of an earlier result; leave out {' '.join(asked.inputs)}, or --ladder."
        )
    if asked.ladder is not None and (asked.settings or asked.idle):
        raise InputError(
            "With --ladder nothing is run, so --set, --seed, --memory and --no-cache change nothing. Leave them out."
        )


def _first_ladder(study: Study, console: Console) -> tuple[StudyResult, Ladder]:
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


def _write_worksheet(result: StudyResult, ladder: Ladder, out: Path | None, console: Console, *, as_json: bool) -> None:
    """Print the worksheet, or write it to `out`; as JSON it is printed in any case."""
    from discovery.export.markdown import as_markdown
    from discovery.export.single_file import write_whole
    from discovery.export.worksheet import worksheet

    filled = worksheet(result, ladder)
    if out is not None:
        write_whole(out, as_markdown(filled))
    if as_json:
        print_utf8(json.dumps(as_json_values(filled), indent=2, ensure_ascii=False) + "\n")
    elif out is None:
        print_utf8(as_markdown(filled))
    if out is not None:
        console.say(f"Worksheet: {out}")
