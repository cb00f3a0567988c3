"""JSON is read in one pass: each line is parsed once, lost lines are counted on the way, and memory stays bounded."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.engines.duckdb import DuckDBEngine
from discovery.errors import SourceError
from discovery.intake.memory import open_source
from discovery.intake.sources import JsonFiles, copy_rows

from .tables import clean_accounts, clean_events, read, usable

EVENTS, ACCOUNTS = clean_events(), clean_accounts()
TEXT = EVENTS.to_json(orient="records", lines=True, date_format="iso", date_unit="us")


def source_of(engine: DuckDBEngine, path: Path) -> JsonFiles:
    source = open_source(engine, path, "events", "given")
    assert isinstance(source, JsonFiles)
    return source


def copied(path: Path, fields: str, *reached: str) -> tuple[int, tuple[str, ...], list[tuple]]:
    """Return what was lost, its first lines, and the rows of a select list."""
    with DuckDBEngine(memory_limit="500MB") as engine:
        source = source_of(engine, path)
        for name in reached:
            wider = source.reaching(engine, name)
            assert isinstance(wider, JsonFiles)
            source = wider
        lost, examples = copy_rows(engine, source, "target", fields)
        return lost, examples, engine.rows("SELECT * FROM target")


@pytest.mark.parametrize(
    "fields",
    [
        "*",
        'event, "timestamp", "p.k"',
        "upper(EVENT) AS event, user_id",
        "count(*) OVER () AS n",
        "NULLIF(\"p.k\", '') AS k, *",
        '"p.k" AS a, "p.k" AS b, \'*\' AS star, 2 * 3 AS six',
    ],
)
def test_a_select_list_gives_what_it_gives_over_the_whole_table(fields, tmp_path):
    lines = [{"event": f"e{i}", "timestamp": i, "p": {"k": f"v{i}"}} for i in range(5)] + [{"user_id": "u"}]
    (tmp_path / "e.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (tmp_path / "lost.jsonl").write_text(
        "\n".join([*map(json.dumps, lines[:3]), "broken", *map(json.dumps, lines[3:])])
    )
    with DuckDBEngine(threads=1) as engine:
        source = source_of(engine, tmp_path / "e.jsonl").reaching(engine, "p.k")
        expected = engine.rows(f"SELECT {fields} FROM {source.table()}")
    lost, examples, found = copied(tmp_path / "e.jsonl", fields, "p.k")
    assert (lost, examples, Counter(found)) == (0, (), Counter(expected))  # rows come in any order
    if "OVER" not in fields:
        lost, examples, found = copied(tmp_path / "lost.jsonl", fields, "p.k")
        assert (lost, examples, Counter(found)) == (1, ("broken",), Counter(expected))


def test_fields_that_are_not_named_are_not_taken(tmp_path):
    (tmp_path / "e.jsonl").write_text('{"event": "x", "context": {"a": 1}, "properties": {"b": 2}}\n')
    with DuckDBEngine(threads=1) as engine:
        source = source_of(engine, tmp_path / "e.jsonl").reaching(engine, "properties.b")
        assert isinstance(source, JsonFiles)
        pruned = source._table('upper("event"), "properties.b"', marked=True)
    assert "'/context'" not in pruned
    assert "'/properties/b'" in pruned


def test_one_pass_reads_everything(tmp_path, monkeypatch):
    """The whole file is read once for the rows and the lost lines, and once for the digest."""
    path = tmp_path / "e.jsonl.gz"
    path.write_bytes(gzip.compress((TEXT + "broken\n").encode()))
    whole: list[str] = []

    def counting(method: Callable) -> Callable:
        def counted(self, sql, *more):
            if "read_json_objects" in sql and "LIMIT" not in sql and not sql.startswith("DESCRIBE"):
                whole.append(sql)
            return method(self, sql, *more)

        return counted

    for name in ("execute", "rows", "table"):
        monkeypatch.setattr(DuckDBEngine, name, counting(getattr(DuckDBEngine, name)))
    relations = read(path, ACCOUNTS)
    assert relations.events_rows == len(EVENTS) + 1
    assert len(whole) == 1


def test_a_field_that_only_late_lines_have_is_found(tmp_path):
    (tmp_path / "e.jsonl").write_text('{"a": 1}\n' * 25_000 + '{"late": {"x": 2}, "flat.x": 3}\n')
    with DuckDBEngine(threads=1) as engine:
        source = source_of(engine, tmp_path / "e.jsonl")
        assert list(source.columns) == ["a"]
        for name, value in (("late", '{"x":2}'), ("late.x", "2"), ("flat.x", "3")):
            found = source.reaching(engine, name)
            assert found is not None
            assert engine.rows(f'SELECT "{name}" FROM {found.table()} WHERE "{name}" IS NOT NULL') == [(value,)]
        assert source.reaching(engine, "never") is None
        assert source.reaching(engine, "never.at.all") is None


def test_names_that_differ_in_case_alone_are_two_columns(tmp_path):
    (tmp_path / "e.jsonl").write_text('{"Event": "x", "event": "y"}\n')
    assert copied(tmp_path / "e.jsonl", '"event", "Event_1"')[2] == [("y", "x")]


def test_files_of_several_layouts_are_read_together(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps([{"a": 1}, {"a": 2}]))
    (tmp_path / "b.json").write_text('{"a": 3}\n{"a": 4}\nbroken\n')
    (tmp_path / "c.json").write_text(json.dumps({"a": 5}, indent=1) + json.dumps({"a": 6}, indent=1))
    lost, examples, rows = copied(tmp_path, "a")
    assert (lost, examples, sorted(rows)) == (1, ("broken",), [(str(i),) for i in range(1, 7)])


def test_long_and_deep_lines_are_read_and_longer_ones_refused(tmp_path):
    long, deep = "x" * 20_000_000, "[" * 50_000 + "]" * 50_000
    (tmp_path / "e.jsonl").write_text(f'{{"a": "b"}}\n{{"a": "{long}"}}\n{{"a": {deep}}}\n{{"a": "c"}}\n')
    assert copied(tmp_path / "e.jsonl", "length(a)")[2] == [(1,), (len(long),), (len(deep),), (1,)]
    (tmp_path / "e.jsonl").write_text('{"a": "b"}\n' + f'{{"a": "{2 * long}"}}\n')
    with pytest.raises(SourceError, match=r"Line 2 of e\.jsonl holds more than 32 MB"):
        copied(tmp_path / "e.jsonl", "a")


def test_an_empty_key_is_passed_over(tmp_path):
    (tmp_path / "e.jsonl").write_text('{"": 1, "a": "x", "p": {"": 2, "k": "v"}}\n')
    assert copied(tmp_path / "e.jsonl", "*")[2] == [("x", '{"":2,"k":"v"}')]
    assert usable(read_with_empty_keys(tmp_path)) == usable(read(EVENTS, ACCOUNTS))


def read_with_empty_keys(folder: Path):
    rows = [{**json.loads(line), "": 1, "properties": {"": "x", "k": "v"}} for line in TEXT.splitlines()]
    (folder / "all.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return read(folder / "all.jsonl", ACCOUNTS)


@pytest.mark.parametrize("indent", [None, 1])
def test_a_list_of_rows_inside_one_object_is_read(indent, tmp_path):
    rows = [{"a": i} for i in range(3)]
    (tmp_path / "e.json").write_text(json.dumps({"data": rows}, indent=indent))
    assert sorted(copied(tmp_path / "e.json", "a")[2]) == [("0",), ("1",), ("2",)]


@pytest.mark.parametrize(
    "line", ['{"items": [{"a": 1}], "event": "x"}', '{"items": [{"a": 1}]}\n{"items": [{"a": 2}]}']
)
def test_events_that_hold_lists_stay_events(line, tmp_path):
    (tmp_path / "e.jsonl").write_text(line)
    assert ('[{"a":1}]',) in copied(tmp_path / "e.jsonl", "items")[2]


def test_a_list_too_large_is_refused_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr("discovery.intake.json_files._LARGEST_WRAPPED", 20)
    (tmp_path / "e.json").write_text(json.dumps({"data": [{"a": i} for i in range(30)]}))
    with pytest.raises(SourceError, match=r"jq -c"):
        copied(tmp_path / "e.json", "a")


def test_bytes_that_are_no_text_lose_their_line_alone(tmp_path):
    (tmp_path / "e.jsonl").write_bytes(b'{"a": 1}\n{"a": "\xff"}\n\x00\n{"a": "\x00"}\n{"a": 2}\r\n{"a": 3}')
    lost, _, found = copied(tmp_path / "e.jsonl", "a")
    assert (lost, sorted(found)) == (3, [("1",), ("2",), ("3",)])


KEYS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=5)
VALUES = st.one_of(st.text(max_size=5), st.integers(-(2**62), 2**62), st.booleans(), st.none())


@settings(max_examples=40, deadline=None)
@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=4), min_size=1, max_size=5))
def test_every_plain_value_is_read_as_it_was_written(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("given") / "e.jsonl"
    path.write_text("\n".join(json.dumps(record, ensure_ascii=False) for record in records), encoding="utf-8")
    names = {name.lower() for record in records for name in record}
    with DuckDBEngine(threads=1) as engine:
        source = source_of(engine, path)
        for name in source.columns:
            exact = [record.get(name) for record in records]
            if len({n for r in records for n in r if n.lower() == name.lower()}) == 1:
                found = engine.rows(f'SELECT "{name.replace(chr(34), chr(34) * 2)}" FROM {source.table()}')
                expected = [v if v is None else json.dumps(v) if isinstance(v, bool | int) else v for v in exact]
                assert Counter(row[0] for row in found) == Counter(expected)  # rows come in any order
        assert len(source.columns) >= len(names) > 0 or not source.columns


def test_rows_lie_in_the_temporary_folder_rather_than_in_memory(tmp_path):
    path = tmp_path / "e.jsonl.gz"
    line = '{"id": "%d", "text": "' + "x" * 900 + '%d"}\n'
    with gzip.open(path, "wt", compresslevel=1) as file:
        for start in range(0, 300_000, 50_000):
            file.write("".join(line % (i, i) for i in range(start, start + 50_000)))
    with DuckDBEngine(memory_limit="150MB", threads=2) as engine:
        source = source_of(engine, path)
        assert copy_rows(engine, source, "target", "*") == (0, ())
        written = sum(held.stat().st_size for held in Path(engine.temp_directory).iterdir())
        assert written > 20_000_000  # compressed
        found = engine.rows("SELECT count(DISTINCT id), sum(length(text)) FROM target")
    assert found == [(300_000, sum(900 + len(str(i)) for i in range(300_000)))]


def test_a_log_in_json_gives_the_same_events_whatever_its_layout(tmp_path):
    (tmp_path / "e.jsonl").write_text(TEXT)
    rows = [json.loads(line) for line in TEXT.splitlines()]
    (tmp_path / "e.json").write_text(json.dumps(rows, indent=2))
    assert usable(read(tmp_path / "e.json", ACCOUNTS)) == usable(read(tmp_path / "e.jsonl", ACCOUNTS))
