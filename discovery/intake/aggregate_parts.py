"""A file of aggregates, checked: whole, of this spec, of these accounts; and its parts as tables of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from discovery.engines.aggregated import (
    COUNTS,
    FORMAT,
    NUMBERS,
    PARTS,
    TEXTS,
    Aggregated,
    Settings,
    window_columns,
)
from discovery.engines.duckdb import DuckDBEngine
from discovery.engines.expressions import quoted
from discovery.errors import ColumnError, QualityError, SourceError, SpecError
from discovery.intake.checked import SHOWN, shortened
from discovery.intake.sources import Source, copy_rows
from discovery.intake.sql import literal
from discovery.intake.wording import counted
from discovery.spec import Day, StudySpec

_AGAIN = "Write the query again (discover export SPEC --exposure), run it, and give its whole answer."
_WORDS = {
    "events.timezone": "events.timezone",
    "events.duplicates": "events.duplicates",
    "rewritten": "events.aliases, events.leave_out or events.leave_out_users",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The rows of the answer of the query, typed, in the table `name`."""

    engine: DuckDBEngine
    name: str
    label: str
    settings: dict[str, str]
    counts: dict[str, int]

    @property
    def dates_only(self) -> bool:
        """Whether the times of the events are dates."""
        return self.settings["dates_only"] == "true"

    @property
    def has_users(self) -> bool:
        """Whether events name who did them."""
        return self.settings["has_users"] == "true" and self.counts["with_user"] > 0

    def part(self, name: str, columns: str = "*") -> str:
        """Return the SELECT of one part."""
        return f"SELECT {columns} FROM {quoted(self.name)} WHERE part = {literal(name)}"


def read_answer(engine: DuckDBEngine, source: Source, spec: StudySpec, name: str) -> Answer:
    """Copy the answer of the query into the table `name`, typed, and refuse one of another spec, or cut short.

    Raises
    ------
    ColumnError
        If columns are missing.
    SourceError
        If rows cannot be read, are none of the query's, or do not add up.
    SpecError
        If it was asked for another spec.
    """
    held = {column.lower(): column for column in source.columns}
    _require(held, (*TEXTS, *NUMBERS), source)
    windows, masks = window_columns(held)
    fields = [f"CAST({quoted(held[each])} AS VARCHAR) AS {each}" for each in TEXTS]
    numbers = (*NUMBERS, *windows, *masks)
    fields += [_whole(held[each], each) for each in numbers]
    lost, lines = copy_rows(engine, source, name, ", ".join(fields))
    if lost:
        raise SourceError(
            f"{counted(lost, 'line')} of {source.label} could not be read (first: {lines[0]!r}), and a study of the "
            f"others would be wrong. {_AGAIN}"
        )
    _refuse_rows(engine, source.label, name, numbers)
    settings = dict(
        str(text).split("=", 1) for (text,) in engine.rows(f"SELECT event FROM {quoted(name)} WHERE part = 'setting'")
    )
    found = engine.rows(f"SELECT event, n FROM {quoted(name)} WHERE part = 'count'")
    answer = Answer(
        engine=engine, name=name, label=source.label, settings=settings, counts={str(k): int(n) for k, n in found}
    )
    _refuse_settings(answer, spec)
    _require(held, Settings.of(spec, dates_only=False, has_users=False).columns, source)
    _refuse_uneven(answer)
    return answer


def _whole(column: str, name: str) -> str:
    """Return fields with a number and, where it is there but no whole one, its text."""
    text = f"nullif(CAST({quoted(column)} AS VARCHAR), '')"
    exact = f"TRY_CAST(TRY_CAST({text} AS DECIMAL(38, 9)) AS BIGINT)"
    same = f"CASE WHEN {exact} = TRY_CAST({text} AS DECIMAL(38, 9)) THEN {exact} END"
    return f"{same} AS {name}, CASE WHEN {text} IS NOT NULL AND ({same}) IS NULL THEN {text} END AS {name}_unread"


def _require(held: dict[str, str], needed: Sequence[str], source: Source) -> None:
    missing = [column for column in needed if column not in held]
    if missing:
        raise ColumnError(
            f"{source.label} has no {counted(len(missing), 'column')} of the {len(needed)} that the query of "
            f"aggregates answers with (first: {', '.join(missing[:SHOWN])}). {_AGAIN}"
        )


def _refuse_rows(engine: DuckDBEngine, label: str, name: str, numbers: Sequence[str]) -> None:
    """Refuse rows that the query never writes."""
    parts = ", ".join(map(literal, PARTS))
    below = " OR ".join(f"{column} < 0" for column in numbers if column not in ("ever_first", "ever_last"))
    unread = ", ".join(f"{column}_unread" for column in numbers)
    windows = [column for column in numbers if column.startswith("n_") and f"u_{column[2:]}" in numbers]
    more = " OR ".join(
        [f"{column} > n OR u_{column[2:]} > users OR u_{column[2:]} > {column}" for column in windows] or ["false"]
    )
    lacking = " OR ".join(f"{column} IS NULL" for column in ("account_id", "event", *_of_cells(numbers)))
    cases = {
        "are of no part that the query writes": f"part IS NULL OR part NOT IN ({parts})",
        "hold text, or a fraction, where a whole number belongs": f"coalesce({unread}) IS NOT NULL",
        "hold a number below zero": below,
        "have no account, no event or no count": f"part = 'cell' AND ({lacking})",
        "count more users than events, or more in a window than in all": f"part = 'cell' AND (users > n OR {more} "
        "OR n > ever_n OR later > ever_n OR alone > n OR ever_n < 1)",
        "have times that do not fit": "part = 'cell' AND (first_us > last_us OR ever_first > ever_last "
        "OR ever_first > first_us OR ever_last < last_us OR (n > 0) <> (first_us IS NOT NULL))",
    }
    selected = ", ".join(f"count_if(coalesce({where}, false))" for where in cases.values())
    found = engine.rows(f"SELECT {selected} FROM {quoted(name)}")[0]
    for (words, where), rows in zip(cases.items(), found, strict=True):
        if rows:
            shown = engine.rows(
                f"SELECT concat_ws(' ', part, account_id, event) AS v FROM {quoted(name)} WHERE {where} ORDER BY v "
                f"LIMIT {SHOWN}"
            )
            raise SourceError(
                f"{counted(rows, 'row')} of {label} {words} (first: "
                f"{', '.join(shortened(str(text)) for (text,) in shown)}). {_AGAIN}"
            )


def _of_cells(numbers: Sequence[str]) -> list[str]:
    return [column for column in numbers if column not in ("code", "first_us", "last_us")]


def _refuse_settings(answer: Answer, spec: StudySpec) -> None:
    """Refuse what was asked for another spec."""
    told, asked = (
        answer.settings,
        Settings.of(spec, dates_only=answer.settings.get("dates_only") == "true", has_users=True),
    )
    lacking = [name for name in asked.words if name not in told] + [n for n in COUNTS if n not in answer.counts]
    if lacking:
        raise SourceError(
            f"{answer.label} is not the whole answer of the query of aggregates: {counted(len(lacking), 'row')} with "
            f"what it was asked for and how much there is {'is' if len(lacking) == 1 else 'are'} missing (first: "
            f"{', '.join(lacking[:SHOWN])}). {_AGAIN}"
        )
    if told["format"] != FORMAT:
        raise SourceError(
            f"{answer.label} is of layout {told['format']}, and this version reads layout {FORMAT}. {_AGAIN}"
        )
    wrong = [name for name in ("candidates.window_days", *_WORDS) if told[name] != asked.words[name]]
    windows = {int(days) for days in told["candidates.within_days"].split(",") if days}
    wrong += ["candidates.within_days"] if not windows.issuperset(asked.within_days) else []
    active = told["outcome.active_days"] != asked.words["outcome.active_days"]
    wrong += ["outcome.active_days"] if active and spec.outcome.kind in ("", "active") else []
    if wrong:
        said = "; ".join(
            f"{_WORDS.get(name, name)}"
            + ("" if name == "rewritten" else f" = {told[name] or 'none'}, here {asked.words[name] or 'none'}")
            for name in wrong
        )
        raise SpecError(
            f"{answer.label} was asked for another spec: {said}. Run with that spec, or write the query again with "
            "discover export SPEC --exposure."
        )


def _refuse_uneven(answer: Answer) -> None:
    """Refuse an answer whose parts do not add up: rows of it are missing, or there twice."""
    joined, moments, usable, known, twice = answer.engine.rows(
        "SELECT coalesce(sum(CASE WHEN part = 'cell' THEN ever_n END), 0), "
        "coalesce(sum(CASE WHEN part = 'cell' THEN alone WHEN part = 'burst' THEN n END), 0), "
        "coalesce(sum(CASE WHEN part = 'event' THEN n END), 0), "
        "coalesce(sum(CASE WHEN part = 'day' THEN n END), 0), "
        "count_if(part = 'account') - count(DISTINCT CASE WHEN part = 'account' THEN account_id END) "
        f"FROM {quoted(answer.name)}"
    )[0]
    counts = answer.counts
    wrong = {
        "events of accounts and events": (joined, counts["joined"]),
        "seconds with any event": (moments, counts.get("moments", -1)),
        "events by name": (usable, counts["usable"]),
    }
    for words, (there, told) in wrong.items():
        if there != told:
            raise SourceError(
                f"{answer.label} does not add up: {there:,} {words}, where the query counted {told:,}. It is cut "
                f"short, or holds some rows twice. {_AGAIN}"
            )
    if twice or not joined <= known <= usable:
        raise SourceError(f"{answer.label} does not add up: accounts or days are missing or there twice. {_AGAIN}")


def make_parts(answer: Answer, accounts_table: str, name: str) -> Aggregated:
    """Make the tables of aggregates by account position; `accounts_table` has `account`, `account_id`, `signup`.

    Raises
    ------
    QualityError
        If the accounts are not those that the query was run over.
    """
    engine, held = answer.engine, Aggregated(name)
    _refuse_other_accounts(answer, accounts_table)
    columns = [row[0] for row in engine.rows(f"DESCRIBE SELECT * FROM {quoted(answer.name)}")]
    kept = [c for c in columns if c not in (*TEXTS, "code") and not c.endswith("_unread")]
    by_id = f"JOIN {quoted(accounts_table)} a ON a.account_id = c.account_id"
    engine.execute(
        f"CREATE OR REPLACE TABLE {quoted(held.cells)} AS SELECT a.account, c.event, "
        f"{', '.join(f'c.{each}' for each in kept)} FROM ({answer.part('cell')}) c {by_id}"
    )
    engine.execute(f"CREATE OR REPLACE TABLE {quoted(held.names)} AS {answer.part('event', 'event, code, n')}")
    engine.execute(
        f"CREATE OR REPLACE TABLE {quoted(held.bursts)} AS WITH sets AS (SELECT DISTINCT event FROM "
        f"({answer.part('burst')})), named AS (SELECT s.event, list(n.event ORDER BY n.code) AS events FROM (SELECT "
        "event, unnest(string_split(event, ','))::BIGINT AS code FROM sets) s "
        f"JOIN {quoted(held.names)} n ON n.code = s.code GROUP BY s.event) "
        f"SELECT a.account, s.events, c.n FROM ({answer.part('burst')}) c {by_id} JOIN named s ON s.event = c.event"
    )
    engine.execute(
        f"CREATE OR REPLACE TABLE {quoted(held.clock)} AS SELECT {answer.counts['seconds']}::BIGINT AS seconds"
    )
    return held


def _refuse_other_accounts(answer: Answer, accounts_table: str) -> None:
    """Refuse accounts whose ids or signups are not those of the aggregates."""
    over_there = answer.part("account", "account_id, first_us")
    cases = {
        "account of the aggregates is not among the accounts, or has no signup there": "a.account_id IS NULL",
        "account is not among those of the aggregates": "t.account_id IS NULL",
        "account signed up at another moment than in the aggregates": "a.signup <> t.first_us",
    }
    for words, where in cases.items():
        rows = answer.engine.rows(
            f"SELECT count(*) OVER (), coalesce(t.account_id, a.account_id) AS v FROM ({over_there}) t FULL JOIN "
            f"{quoted(accounts_table)} a ON a.account_id = t.account_id WHERE {where} ORDER BY v LIMIT {SHOWN}"
        )
        if rows:
            head, rest = words.split(" ", 1)
            plural = rest.replace(" is ", " are ", 1).replace(" has ", " have ", 1)
            raise QualityError(
                f"{counted(int(rows[0][0]), head)} {rest if rows[0][0] == 1 else plural} (first: "
                f"{', '.join(shortened(str(row[1])) for row in rows)}): {answer.label} and the accounts are not of one "
                "time. Export both again, the accounts as the query saw them."
            )


def days_of(answer: Answer) -> list[tuple[int, int, int, int, int]]:
    """Return every day of the log since 1970: its rows, its accounts, its first and last time."""
    found = answer.engine.rows(
        f"{answer.part('day', f'first_us // {Day} AS day, n, users, first_us, last_us')} ORDER BY day"
    )
    return [(int(day), int(n), int(users), int(first), int(last)) for day, n, users, first, last in found]
