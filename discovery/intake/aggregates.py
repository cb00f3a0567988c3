"""Aggregates of the events, made where no driver reaches, and the accounts: into relations that a study goes on from.

The events themselves are not here. What a study asks of them is among the aggregates, or is not answered.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from discovery.engines.aggregated import Aggregated
from discovery.engines.ceiling import engine_limit
from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.errors import SourceError, SpecError
from discovery.intake.account_checks import account_findings
from discovery.intake.aggregate_parts import Answer, days_of, make_parts, read_answer
from discovery.intake.checked import Checked, finding
from discovery.intake.checks import question_findings, worst_first
from discovery.intake.columns import filled_in
from discovery.intake.counted_checks import lacking_findings, span_findings, unknown_accounts
from discovery.intake.coverage_checks import coverage_findings
from discovery.intake.digest import combined
from discovery.intake.eventlog import EventLog
from discovery.intake.loading import opened_accounts, outcome_kind
from discovery.intake.looking import Roll, account_roll, assigned
from discovery.intake.memory import open_source
from discovery.intake.names import LEFT_OUT, USER_LEFT_OUT
from discovery.intake.observation import with_end_of_observation
from discovery.intake.outcome_checks import outcome_findings
from discovery.intake.relations import UNKNOWN_TIME, Relations
from discovery.intake.roster import Roster, build_accounts
from discovery.intake.silence import silence_in_words
from discovery.intake.source import Source
from discovery.intake.span import span_of_days
from discovery.intake.traffic_checks import own_accounts
from discovery.intake.wording import counted
from discovery.progress import Progress, silent
from discovery.results import QualityFinding
from discovery.spec import Day, StudySpec, build_spec

_NUMBERS = itertools.count(1)
_SECOND = 1_000_000
_LEAVING = 0.9  # of the accounts that left; as in `silence_in_words`


def load_aggregates(
    exposure: object, accounts: object, spec: StudySpec, *, memory: str | None = None, progress: Progress = silent
) -> Relations:
    """Read aggregates of the events and the accounts, and check that they belong together.

    Parameters
    ----------
    exposure
        The answer of the query that `discover export --exposure` writes: a file, folder or glob of Parquet, CSV or
        JSON lines, or a table in memory.
    accounts
        As for `discovery.intake.load`, the accounts as they were when the query was run; None takes those of the spec.
    spec
        What is asked; of the events it must ask what the query was written for.
    memory
        What reading, checking and counting may take, such as "4GB".
    progress
        Called with a few words when a stage begins.

    Returns
    -------
    Relations
        With an `Aggregated` as its table of events.

    Raises
    ------
    SourceError
        If a source is missing or unreadable, or the aggregates are not whole.
    ColumnError
        If a column is missing.
    SpecError
        If the aggregates were asked for another spec, or the spec asks for what they never hold.
    QualityError
        If they are of other accounts.
    """
    _refuse_what_is_not_held(accounts, spec)
    engine = DuckDBEngine(engine_limit(memory))
    try:
        return _load(engine, exposure, accounts, spec, progress)
    except BaseException:
        engine.close()
        raise


def _load(engine: DuckDBEngine, exposure: object, accounts: object, spec: StudySpec, progress: Progress) -> Relations:
    name = f"aggregates_{next(_NUMBERS)}"
    progress("Reading the accounts")
    account_source = opened_accounts(engine, exposure, accounts, spec, next(_NUMBERS))
    roll = account_roll(engine, account_source, spec, f"{name}_accounts_rows")
    progress("Reading the aggregates")
    source = open_source(engine, exposure, "aggregates", f"{name}_given")
    answer = read_answer(engine, source, spec, f"{name}_rows")
    roster = build_accounts(
        roll.table,
        f"{name}_accounts",
        roll.segments,
        assigned(spec),
        timezone=spec.events.timezone,
        date_only=answer.dates_only,
        leave_out=spec.accounts.leave_out,
        signup_from=roll.signup_from,
    )
    held = make_parts(answer, roster.table, name)
    progress("Checking the rows")
    relations = _relations(answer, held, roll, roster, spec, (source, account_source))
    for table in (answer.name, f"{name}_given"):
        engine.execute(f"DROP TABLE IF EXISTS {quoted(table)}")
    return relations


def _relations(
    answer: Answer, held: Aggregated, roll: Roll, roster: Roster, spec: StudySpec, given: tuple[Source, Source]
) -> Relations:
    engine = answer.engine
    events = _log(answer, f"{held.name}_seen", spec)
    _stand_in(answer, held, events.usable, roster)
    roster = with_end_of_observation(engine, roster, events, spec.accounts, spec.events.timezone)
    silence = silence_in_words(roll.table, events, roster)
    departures = bool((roster.accounts.churned != UNKNOWN_TIME).any()) and not silence
    resolved = _resolved(spec, roll, outcome_kind(spec, roster, departures))
    checked = Checked(
        engine,
        events,
        roster,
        resolved,
        silence,
        roll.lost,
        roll.table.source.guessed_encoding,
        roll=roll.table,
        counts={str(name): int(n) for name, n in engine.rows(f"SELECT event, n FROM {quoted(held.names)}")},
    )
    quality = worst_first(_findings(checked, answer))
    checked.clear()
    return Relations(
        engine=engine,
        events_table=held,
        accounts_table=roster.table,
        accounts=roster.accounts,
        spec=resolved,
        recognised=tuple(roll.table.recognised),
        quality=quality,
        log_start=events.start if events.start is not None else 0,
        log_end=events.end if events.end is not None else 0,
        events_rows=events.rows_read,
        events_used=events.usable_rows,
        date_only=events.date_only,
        has_users=events.has_users,
        churn_is_silence=bool(silence),
        has_departures=departures,
        input_sha256=combined([source.digest() for source in given]),
    )


def _refuse_what_is_not_held(accounts: object, spec: StudySpec) -> None:
    asked = {
        "candidates.properties": bool(spec.candidates.properties),
        "[identity]": bool(spec.identity.source or spec.identity.persons),
        'accounts.from = "events"': accounts is None and spec.accounts.derived,
    }
    unknown = [name for name, given in asked.items() if given]
    if unknown:
        raise SpecError(
            f"The spec sets {', '.join(unknown)}, of which aggregates know nothing. Leave it out, or run on the "
            "events themselves."
        )
    if accounts is None and not spec.accounts.source:
        raise SourceError(
            "Aggregates were given, and no accounts. Set accounts.from in the spec to a file with the accounts that "
            "the query was run over."
        )


def _log(answer: Answer, name: str, spec: StudySpec) -> EventLog:
    """Return what is known of the events as a whole; `name` is that of the table that stands in for them."""
    counts, found = answer.counts, np.array(days_of(answer), dtype=np.int64).reshape(-1, 5)
    if not counts["usable"] or not len(found):
        raise SourceError(
            f"{answer.label} counts {counts['rows']:,} events and none that is usable, of a known account. Check the "
            "columns that the spec names, and the tables that the query was run over."
        )
    if not answer.dates_only and answer.settings["events.timezone"] == "UTC" and counts["usable"] > 1:
        _refuse_dates(answer)
    why = LEFT_OUT if spec.events.leave_out else USER_LEFT_OUT
    events = EventLog(
        typed=name,
        usable=name,
        rows_read=counts["rows"],
        rows=counts["rows"] - counts["passed_over"],
        duplicates_dropped=0,
        by_id=False,
        blank=0,
        rows_unread=0,
        examples_unread=(),
        date_only=answer.dates_only,
        start=None,
        end=None,
        usable_rows=counts["usable"],
        missing_account=counts["no_account"],
        missing_event=counts["no_event"],
        missing_time=counts["no_time"],
        unreadable_time=0,
        has_users=answer.has_users,
        passed_over={why: counts["passed_over"]},
    )
    return span_of_days(events, found[:, [0, 1, 3, 4]], lambda: found[:, 2])


def _refuse_dates(answer: Answer) -> None:
    if not answer.counts["off_midnight"]:
        raise SourceError(
            f"All times behind {answer.label} are dates, and the query took them for times of day. Write it again with "
            "--type events.time=date."
        )


def _stand_in(answer: Answer, held: Aggregated, name: str, roster: Roster) -> None:
    """Make a small table that stands in for the events, for checks that ask when an account was seen.

    It has the first and the last event of every account, called after it, one event on each day, of no account, and
    all rows of events that most accounts that left did in the second in which they left; of these only the first and
    the last have their time.
    """
    engine = answer.engine
    left = np.flatnonzero(roster.accounts.churned != UNKNOWN_TIME)
    gone = f"{name}_gone"
    engine.register(gone, pa.table({"account": pa.array(left, pa.int32()), "churned": roster.accounts.churned[left]}))
    engine.execute(
        f"CREATE OR REPLACE TABLE {quoted(name)} AS WITH cells AS (SELECT a.account_id, c.account, c.event, "
        "a.signup + c.ever_first AS first, a.signup + c.ever_last AS last, c.ever_n AS n "
        f"FROM {quoted(held.cells)} c JOIN {quoted(roster.table)} a ON a.account = c.account), "
        f"at_leaving AS (SELECT c.event FROM cells c JOIN {quoted(gone)} g ON g.account = c.account "
        f"WHERE g.churned // {_SECOND} IN (c.first // {_SECOND}, c.last // {_SECOND}) OR "
        f"g.churned // {Day} IN (c.first // {Day}, c.last // {Day}) "
        f"GROUP BY c.event HAVING count(*) >= {_LEAVING * len(left)}), "
        "theirs AS (SELECT * FROM cells SEMI JOIN at_leaving USING (event)) "
        "SELECT account_id, event, CAST(NULL AS VARCHAR) AS user_id, t FROM ("
        "SELECT account_id, account_id AS event, unnest([min(first), max(last)]) AS t FROM cells GROUP BY account_id "
        "UNION ALL SELECT account_id, event, first FROM theirs "
        "UNION ALL SELECT account_id, event, last FROM theirs WHERE n > 1 "
        "UNION ALL SELECT account_id, event, NULL FROM (SELECT account_id, event, unnest(range(n - 2)) FROM theirs) "
        f"UNION ALL SELECT NULL, '', first_us FROM ({answer.part('day')}))"
    )
    engine.execute(f"DROP TABLE {quoted(gone)}")


def _findings(checked: Checked, answer: Answer) -> Iterator[QualityFinding]:
    events = checked.events
    yield finding(
        "aggregates_only",
        "info",
        f"The study goes on from aggregates of {counted(events.usable_rows, 'event')}. Ladders, the days that it takes "
        "to reach a rule of several events, and the checks of single events need the events themselves, and are left "
        "out; what is said is what the events would say.",
        count=events.usable_rows,
        of=events.usable_rows,
        examples=(),
        remedy="Nothing to do; for a ladder, run on the events, or on those of a sample of accounts.",
    )
    yield from lacking_findings(checked, "no time that reads")
    yield from unknown_accounts(checked, events.usable_rows - sum(day[1] for day in days_of(answer)))
    yield from span_findings(checked)
    for further in (account_findings, outcome_findings, coverage_findings, own_accounts, question_findings):
        yield from further(checked)


def _resolved(spec: StudySpec, roll: Roll, kind: str) -> StudySpec:
    values: dict[str, Any] = spec.model_dump(by_alias=True)
    table = roll.table
    values["accounts"] = {**filled_in(spec.accounts, table.roles), **table.source.located, "segments": roll.segments}
    values["outcome"] = {**values["outcome"], "kind": kind}
    return build_spec(values)
