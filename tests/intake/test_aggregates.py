"""Aggregates that are not whole, or of another spec or other accounts, are refused; whole ones are read in any form."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from discovery.errors import ColumnError, DiscoveryError, InputError
from discovery.intake.aggregates import load_aggregates
from discovery.spec import build_spec
from discovery.study import Study
from tests.exposure.asked import answer_of, from_aggregates, said
from tests.exposure.portable_world import raw_world


@functools.cache
def _answer() -> pd.DataFrame:
    return answer_of(raw_world()).to_pandas(types_mapper=pd.ArrowDtype)


def refused(answer: object, words: str, kind: type[DiscoveryError] = DiscoveryError, **sections: Any) -> None:
    world = raw_world()
    spec = build_spec({**world.spec, **sections})
    with pytest.raises(kind, match=words):
        load_aggregates(answer, world.accounts, spec)


def changed(change: Callable[[pd.DataFrame], Any]) -> pa.Table:
    frame = _answer().copy()
    made = change(frame)
    return pa.Table.from_pandas(frame if made is None else made, preserve_index=False)


def cells(frame: pd.DataFrame) -> Any:
    return frame.index[frame["part"] == "cell"]


def put(column: str, value: object, part: str = "cell") -> Callable[[pd.DataFrame], None]:
    def change(frame: pd.DataFrame) -> None:
        frame.loc[frame.index[frame["part"] == part][0], column] = value

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (put("n", -1), "1 row .* hold a number below zero"),
        (put("users", 1_000), "more users than events"),
        (put("n_3d", 1_000), "more users than events, or more in a window"),
        (put("ever_last", -(10**15)), "times that do not fit"),
        (put("event", None), "no account, no event or no count"),
        (put("account_id", None), "no account, no event or no count"),
        (put("part", "row"), "of no part that the query writes"),
        (lambda frame: frame.drop(cells(frame)[:3]), "does not add up: .* cut short"),
        (lambda frame: frame.iloc[: len(frame) // 2], "not the whole answer|does not add up"),
        (lambda frame: frame[frame["part"] != "burst"], "does not add up: .* seconds"),
        (lambda frame: frame[frame["part"] != "count"], "is not the whole answer"),
        (lambda frame: frame[frame["part"] != "setting"], "is not the whole answer"),
        (lambda frame: frame[frame["part"] != "day"], "does not add up"),
        (lambda frame: pd.concat([frame, frame.loc[cells(frame)[:1]]]), "holds some rows twice"),
        (lambda frame: frame.drop(columns=["alone", "later"]), "no 2 columns .*alone, later|later, alone"),
        (lambda frame: frame.drop(columns=["u_3d"]), "no 1 column .*u_3d"),
        (put("account_id", "a0", part="account"), "accounts or days are missing or there twice|not of one time"),
        (put("first_us", 1, part="account"), "signed up at another moment"),
        (lambda frame: frame.replace({"event": {"format=1": "format=9"}}), "layout 9"),
    ],
)
def test_what_the_query_never_answers_is_refused(change: Callable[[pd.DataFrame], Any], words: str) -> None:
    refused(changed(change), words)


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"candidates": {"window_days": 30}}, "candidates.window_days = 14, here 30"),
        ({"candidates": {"within_days": [2, 14]}}, "candidates.within_days = 1,3,7, here 2"),
        ({"outcome": {"kind": "active", "active_days": [20, 30]}}, "outcome.active_days = 21,28, here 20,30"),
        ({"events": {**raw_world().spec["events"], "timezone": "UTC"}}, "events.timezone = Europe/Berlin, here UTC"),
        ({"events": {**raw_world().spec["events"], "leave_out": ["x"]}}, "events.leave_out"),
        ({"events": {**raw_world().spec["events"], "duplicates": "keep"}}, "events.duplicates = by_id, here keep"),
        ({"candidates": {"properties": ["plan"]}}, "aggregates know nothing"),
        ({"identity": {"from": "users.csv"}}, "aggregates know nothing"),
    ],
)
def test_another_spec_is_refused(sections: dict[str, Any], words: str) -> None:
    refused(changed(lambda frame: None), words, **sections)


def test_fewer_windows_and_another_outcome_day_are_no_other_spec() -> None:
    world = raw_world()
    spec = build_spec({**world.spec, "candidates": {"within_days": [3]}, "outcome": {"by_day": 33}})
    with closing(from_aggregates(world, answer_of(world), spec).engine) as engine:
        assert engine.dialect == "duckdb"


def test_other_accounts_are_refused() -> None:
    world, answer = raw_world(), answer_of(raw_world())
    ids = world.accounts["id"].to_pylist()
    for others, words in (
        (world.accounts.filter(pa.array([key != "a3" for key in ids])), "is not among the accounts.*a3"),
        (pa.concat_tables([world.accounts, _one_more(world.accounts)]), "is not among those of the aggregates.*new"),
    ):
        with pytest.raises(InputError, match=words):
            load_aggregates(answer, others, build_spec(world.spec))


def _one_more(accounts: pa.Table) -> pa.Table:
    known = next(row for row in accounts.to_pylist() if row["id"] and row["signup"])
    return pa.Table.from_pylist([{**known, "id": "new"}], schema=accounts.schema)


@pytest.mark.parametrize("form", ["parquet", "csv", "folder", "capitals", "decimals"])
def test_any_form_of_the_answer_is_read_alike(form: str, tmp_path: Path) -> None:
    world, answer = raw_world(), answer_of(raw_world())
    given: object = tmp_path / f"answer.{'csv' if form == 'csv' else 'parquet'}"
    if form == "csv":
        pa_csv.write_csv(answer, given)
    elif form == "folder":
        given = tmp_path / "parts"
        given.mkdir()
        for place in range(3):
            pq.write_table(answer.take(list(range(place, len(answer), 3))), given / f"{place}.parquet")
    else:
        if form == "capitals":
            answer = answer.rename_columns([name.upper() for name in answer.column_names])
        if form == "decimals":
            kinds = [pa.decimal128(38, 0) if each.type == pa.int64() else each.type for each in answer.schema]
            answer = answer.cast(pa.schema(list(zip(answer.column_names, kinds, strict=True))))
        pq.write_table(answer, given)
    read, expected = from_aggregates(world, given), from_aggregates(world, answer_of(world))  # type: ignore[arg-type]
    with closing(read.engine), closing(expected.engine):
        assert said(read) == said(expected)


def test_a_file_that_is_no_answer_is_refused() -> None:
    refused(pa.table({"account_id": ["a1"], "event": ["x"]}), "has no 11 columns", ColumnError)
    text = changed(lambda frame: None)
    place = text.column_names.index("n")
    words = text["n"].cast(pa.string()).to_pylist()
    words[-1] = "many"
    refused(text.set_column(place, "n", pa.array(words)), "hold text, or a fraction")
    words[-1] = "1.5"
    refused(text.set_column(place, "n", pa.array(words)), "hold text, or a fraction")


def test_times_that_are_dates_unknown_to_the_query_are_refused() -> None:
    world = raw_world(zone="UTC")
    answer = answer_of(world).to_pandas(types_mapper=pd.ArrowDtype)
    answer.loc[answer["event"] == "off_midnight", "n"] = 0
    with pytest.raises(InputError, match=r"--type events[.]time=date"):
        from_aggregates(world, pa.Table.from_pandas(answer, preserve_index=False))


def test_events_beside_aggregates_and_questions_that_need_events_are_refused() -> None:
    world = raw_world()
    with pytest.raises(InputError, match="stands for the events"):
        Study(world.events, world.accounts, world.spec, exposure="aggregates.parquet")
    study = Study(None, world.accounts, world.spec, exposure=answer_of(world))
    for ask in (study.check, study.profile, lambda: study.validate("report_shared")):
        with pytest.raises(InputError, match="Give the events"):
            ask()
