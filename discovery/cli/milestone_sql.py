"""The SQL of one milestone, proposed or at the top of a ladder, printed or written to a file or a dbt project."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from discovery.cli.inputs import Sources
from discovery.cli.sql import Request, heads_of, refuse_unwritable, sources_named, write_sql
from discovery.cli.terminal import Console
from discovery.errors import InputError
from discovery.export import written_whole
from discovery.export.dbt import write_dbt
from discovery.export.sql import MilestoneSelect, milestone_select, read_types
from discovery.milestone import BY_OTHER, Milestone
from discovery.results import read_ladder
from discovery.spec import StudySpec, build_spec, override

if TYPE_CHECKING:
    from discovery.intake.heads import Heads


def refuse_contradictions(inputs: Sequence[str], milestone: str | None, ladder: str | None, request: Request) -> None:
    """Refuse what cannot be written, before anything is read."""
    if milestone is None and ladder is None:
        raise InputError(
            'No milestone was named. Give --milestone "report_shared >= 3 within 7d", or --ladder result.json#1.'
        )
    if milestone is not None and ladder is not None:
        raise InputError("--milestone and --ladder each name a milestone. Keep one.")
    if ladder is not None and inputs:
        raise InputError(f"--ladder names a ladder of an earlier result; leave out {' '.join(inputs)}, or --ladder.")
    if ladder is None and not inputs:
        raise InputError("Give a spec (discover.toml) that names the columns, or EVENTS and ACCOUNTS to look at.")
    refuse_unwritable(request)


def of_ladder(reference: str, settings: Sequence[str], console: Console) -> tuple[Milestone, StudySpec]:
    """Return the milestone of a ladder of an earlier result, and the spec as it was run."""
    result, ladder = read_ladder(reference)
    if ladder.persona is not None:
        console.say(f"This ladder was found for {ladder.persona}; the SQL is of all accounts.")
    return Milestone.parse(ladder.milestone), build_spec(override(result.settings, settings), origin=reference)


def select_of(
    milestone: Milestone, spec: StudySpec, sources: Sources, request: Request, console: Console
) -> MilestoneSelect:
    """Return the SELECT; say on standard error what may be wrong with it."""
    heads = _heads(milestone, spec, sources, console)
    for name in heads.absent if heads is not None else ():
        console.say(f"Warning: the event {name!r} never occurs in the events looked at. Check its spelling.")
    return milestone_select(
        milestone,
        spec,
        request.dialect,
        heads=heads,
        events_table=request.events_table,
        accounts_table=request.accounts_table,
        types=read_types(request.types),
    )


def write_select(select: MilestoneSelect, request: Request, console: Console, *, as_json: bool) -> None:
    """Print the SQL, or write it to a file, or as a dbt model to a folder; as JSON it is printed in any case."""
    if request.dbt and request.out is not None:
        with written_whole(request.out) as folder:
            files = write_dbt(select, folder)
        console.say(f"dbt model: {request.out}, with {', '.join(files)}")
    write_sql(select, request, console, as_json=as_json, beside={"milestone": str(select.milestone)})


def _heads(milestone: Milestone, spec: StudySpec, sources: Sources, console: Console) -> Heads | None:
    """Look at the sources, if there are any; without them the spec must name every column."""
    from discovery.intake.heads import look

    events, accounts = sources_named(sources, spec)
    if not events and not accounts:
        return None
    properties = [name for name in milestone.properties if name != BY_OTHER]
    return heads_of(sources, spec, lambda: look(events, accounts, spec, milestone.events, properties), console)
