"""A finished world: its tables, its truth, and how both are written to a folder."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from discovery.errors import InputError, OutputError
from discovery.results import as_json_values
from discovery.simulate.behaviour import Log
from discovery.simulate.candidates import candidate_truths
from discovery.simulate.fate import BY_DAY, Fate
from discovery.simulate.inertia import Habits
from discovery.simulate.population import CHANNELS, LOG_END, PLANS, SECONDS_PER_DAY, SIZES, Population
from discovery.simulate.truth import Truth

_TIME = pa.timestamp("us", tz="UTC")
EventsFormat = Literal["parquet", "csv"]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A simulated product: two tables as a company would export them, and the truth behind them.

    Attributes
    ----------
    events : pyarrow.Table
        One row per event, in order of time: `account_id`, `user_id`, `event`, `timestamp` (microseconds,
        UTC) and `event_id`, unique unless the world sends rows twice.
    accounts : pyarrow.Table
        One row per account: `account_id`, `signup_at`, `churned_at` (null while it stays; no such column in
        worlds of inertia), `plan`, `channel`, `company_size`, `seats`, all as at signup; and, where randomised tests
        were once run, a column for each with the arm, null for accounts that were in none.
    truth : Truth
        What was planted, and the true and the naive difference of every event.
    potential : pyarrow.Table
        What nobody sees, row by row with `accounts`: `engagement`, `trait`, `alive_at_landmark`, `mature` (day 90
        is seen), `met` (the planted rule, as lived and not as recorded), `stays_with` and `stays_without` (chance
        of staying from landmark to day 90, with what is planted acting and not), `stays` (as lived) and
        `retained` (as drawn); in worlds of inertia the chances are of being active from day 29 to day 90, and
        `volume`, `active_days` and `recency` are what they follow from. Not written.
    """

    events: pa.Table
    accounts: pa.Table
    truth: Truth
    potential: pa.Table = field(repr=False)

    def write(self, directory: str | Path, *, format: EventsFormat = "parquet") -> Path:
        """Write the events, `accounts.csv` and `truth.json` into a folder, which is made if needed.

        `truth.json` has, beyond the truth, the true differences of every candidate of the default grid.

        Parameters
        ----------
        directory : str or Path
            The folder.
        format : {"parquet", "csv"}
            `events.parquet` (zstd), or `events.csv.gz`.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        InputError
            If the format is neither of the two.
        OutputError
            If the folder cannot be written.
        """
        if format not in ("parquet", "csv"):
            raise InputError(f"Events are written as parquet or csv, not {format!r}.")
        folder = Path(directory)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if format == "parquet":
                _write_parquet(self.events, folder / "events.parquet")
            else:
                _write_gzipped_csv(self.events, folder / "events.csv.gz")
            pacsv.write_csv(_plain_times(self.accounts), folder / "accounts.csv", _csv_style())
            (folder / "truth.json").write_text(self._truth_as_json(), encoding="utf-8")
        except OSError as error:
            raise OutputError(f"The world could not be written to {folder}: {error}. Choose another folder.") from error
        return folder

    def _truth_as_json(self) -> str:
        """Return the truth as text; every candidate's differences come last, one line each."""
        told = json.dumps(as_json_values(self.truth), indent=2, ensure_ascii=False, allow_nan=False)
        lines = (
            f"    {json.dumps(rule, ensure_ascii=False)}: {json.dumps(as_json_values(effect), allow_nan=False)}"
            for rule, effect in candidate_truths(self).items()
        )
        return told.removesuffix("\n}") + ',\n  "candidates": {\n' + ",\n".join(lines) + "\n  }\n}\n"


def _write_parquet(events: pa.Table, path: Path) -> None:
    dictionaries = ["account_id", "user_id", "event"]
    delta = {"event_id": "DELTA_BYTE_ARRAY"}
    pq.write_table(
        events, path, compression="zstd", compression_level=9, use_dictionary=dictionaries, column_encoding=delta
    )


def _write_gzipped_csv(events: pa.Table, path: Path) -> None:
    with open(path, "wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as zipped:
        pacsv.write_csv(_plain_times(events), zipped, _csv_style())


def _csv_style() -> pacsv.WriteOptions:
    return pacsv.WriteOptions(quoting_style="none")


def _plain_times(table: pa.Table) -> pa.Table:
    """Return the table with times as text, as in `2025-01-06T09:30:00Z`; missing times stay missing."""
    for place, column in enumerate(table.schema):
        if pa.types.is_timestamp(column.type):
            moments = table.column(place).combine_chunks().cast(pa.timestamp("s", tz="UTC")).cast(pa.timestamp("s"))
            texts = pc.binary_join_element_wise(pc.strftime(moments, format="%Y-%m-%dT%H:%M:%S"), "Z", "")
            table = table.set_column(place, column.name, texts)
    return table


def events_table(log: Log, names: tuple[str, ...], population: Population, numbers: NDArray[np.int64]) -> pa.Table:
    """Name accounts, users and events; `numbers` are those that the rows' ids bear, from 0."""
    first_user = np.cumsum(population.users) - population.users
    users = _numbered("usr_", int(population.users.sum()), width=6)
    texts = {
        "account_id": _named(log.account, _account_ids(len(population))),
        "user_id": _named(first_user[log.account] + log.user, users),
        "event": _named(log.event, pa.array(names)),
        "timestamp": _times(log.time),
        "event_id": _named(numbers, _numbered("evt_", int(numbers.max()) + 1, width=7)),
    }
    return pa.table(texts)


def accounts_table(
    population: Population, fate: Fate, *, departures: bool, assignments: Mapping[str, pa.Array]
) -> pa.Table:
    """Return the accounts as exported at the log's end: departures after it are not known yet."""
    columns = {"account_id": _account_ids(len(population)), "signup_at": _times(population.signup)}
    if departures:
        columns["churned_at"] = _times(fate.left, unknown=fate.left >= LOG_END)
    columns |= {
        "plan": _named(population.plan, pa.array(PLANS)),
        "channel": _named(population.channel, pa.array(CHANNELS)),
        "company_size": _named(population.size, pa.array(SIZES)),
        "seats": pa.array(population.seats),
        **assignments,
    }
    return pa.table(columns)


def potential_table(
    population: Population, fate: Fate, met: NDArray[np.bool_], habits: Habits | None, last: int
) -> pa.Table:
    """Return the hidden side of every account; `last` is the time of the log's last event."""
    columns = {
        "account_id": _account_ids(len(population)),
        "engagement": population.engagement,
        "trait": population.trait,
        "alive_at_landmark": fate.alive_at_landmark,
        "mature": population.signup + BY_DAY * SECONDS_PER_DAY <= last,
        "met": met,
        "stays_with": fate.stays_with,
        "stays_without": fate.stays_without,
        "stays": fate.stays,
        "retained": fate.retained,
    }
    if habits is not None:
        columns |= {"volume": habits.volume, "active_days": habits.active_days, "recency": habits.recency}
    return pa.table(columns)


def _account_ids(accounts: int) -> pa.Array:
    return _numbered("acc_", accounts, width=5)


def _numbered(prefix: str, count: int, *, width: int) -> pa.Array:
    digits = pc.utf8_lpad(pa.array(np.arange(1, count + 1)).cast(pa.string()), width=width, padding="0")
    return pc.binary_join_element_wise(prefix, digits, "")


def _named(codes: NDArray[np.int64], names: pa.Array) -> pa.Array:
    return names.take(pa.array(codes))


def _times(seconds: NDArray[np.int64], unknown: NDArray[np.bool_] | None = None) -> pa.Array:
    return pa.array(seconds * 1_000_000, mask=unknown).cast(_TIME)
