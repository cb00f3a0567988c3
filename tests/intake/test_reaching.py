"""A dotted path reaches into structs, maps, lists of one and JSON, whatever holds them, and keys with dots."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from discovery.engines.duckdb import DuckDBEngine
from discovery.intake import reaching
from discovery.intake.memory import open_source

RECORD = {
    "properties": {"$group_0": "acme", "plan": "pro", "a.b": {"c": 7}, "size": 21.5, "yes": True, "none": None},
    "groups": {"company": ["acme"], "several": ["a", "b"], "empty": []},
    "contexts": [{"schema": "x", "data": {"plan": "größe"}}],
    "list": [1],
}
PATHS = {
    "properties.$group_0": "acme",
    "properties.a.b.c": "7",
    "properties.size": "21.5",
    "properties.yes": "true",
    "properties.none": None,
    "properties.absent": None,
    "groups.company": "acme",
    "contexts.data.plan": "größe",
    "contexts.0.data.plan": "größe",
}


def value(path: Path | pa.Table, name: str) -> object:
    """Return what the only row holds at a path."""
    with DuckDBEngine(threads=1) as engine:
        source = open_source(engine, path, "events", "given").reaching(engine, name)
        assert source is not None
        assert name in source.columns
        found = engine.rows(f'SELECT "{name}" FROM {source.table()}')
    assert len(found) == 1
    return str(found[0][0]).lower() if isinstance(found[0][0], bool) else found[0][0] and str(found[0][0])


def json_lines(folder: Path, record: dict) -> Path:
    with gzip.open(folder / "e.json.gz", "wt", encoding="utf-8") as file:
        json.dump(record, file)  # no newline at the end
    return folder / "e.json.gz"


def text_of_json(folder: Path, record: dict) -> Path:
    return json_lines(folder, {key: json.dumps(held) for key, held in record.items()})


def parquet_of_text(folder: Path, record: dict) -> Path:
    texts = {key: [json.dumps(held)] for key, held in record.items()}
    pq.write_table(pa.table(texts), folder / "e.parquet")
    return folder / "e.parquet"


@pytest.mark.parametrize("written", [json_lines, text_of_json, parquet_of_text])
@pytest.mark.parametrize("name", PATHS)
def test_paths_into_json(written, name, tmp_path):
    assert value(written(tmp_path, RECORD), name) == PATHS[name]


@pytest.mark.parametrize("name", [name for name in PATHS if name != "properties.absent"])
def test_paths_into_structs(name, tmp_path):
    record = {**RECORD, "groups": {"company": ["acme"]}, "contexts": RECORD["contexts"]}
    pq.write_table(pa.Table.from_pylist([record]), tmp_path / "e.parquet")
    assert value(tmp_path / "e.parquet", name) == PATHS[name]


def test_a_field_that_no_struct_has_is_not_there(tmp_path):
    pq.write_table(pa.Table.from_pylist([RECORD]), tmp_path / "e.parquet")
    with DuckDBEngine(threads=1) as engine:
        source = open_source(engine, tmp_path / "e.parquet", "events", "given")
        assert source.reaching(engine, "properties.absent") is None
        assert source.reaching(engine, "nowhere.at.all") is None
        assert source.reaching(engine, "list.a") is None


def test_paths_into_maps():
    kind = pa.map_(pa.string(), pa.string())
    table = pa.table({"p": pa.array([[("plan", "pro"), ("a.b", "dotted"), ("json", '{"x": {"y": 3}}')]], type=kind)})
    assert value(table, "p.plan") == "pro"
    assert value(table, "p.a.b") == "dotted"
    assert value(table, "p.json.x.y") == "3"
    assert value(table, "p.absent") is None
    nested = pa.map_(pa.string(), pa.struct({"n": pa.int64()}))
    assert value(pa.table({"p": pa.array([[("a.b", {"n": 5})]], type=nested)}), "p.a.b.n") == "5"


def test_json_inside_a_struct():
    assert value(pa.table({"s": [{"props": '{"g": ["acme"]}', "n": 1}]}), "s.props.g") == "acme"


def test_a_column_whose_name_has_dots_goes_before_a_path():
    table = pa.table({"a": [{"b": {"c": "inner"}}], "a.b": [{"c": "outer"}]})
    assert value(table, "a.b.c") == "outer"


def test_lists_of_one_stand_for_their_element_and_longer_ones_for_themselves(tmp_path):
    path = json_lines(tmp_path, RECORD)
    assert value(path, "groups.several") == '["a","b"]'
    assert value(path, "groups.empty") == "[]"
    assert value(path, "groups.several.1") == "b"
    table = pa.table({"g": [{"one": ["acme"], "two": ["a", "b"]}]})
    assert value(table, "g.one") == "acme"
    assert value(table, "g.two") == '["a","b"]'


def test_where_in_the_file_a_list_of_one_stands_changes_nothing(tmp_path):
    """Also where none is among the rows that are looked at first."""
    texts = [json.dumps({"tags": "a"})] * (reaching.LOOKED_AT + 1) + [json.dumps({"tags": ["a"]})]
    for ordered in (texts, texts[::-1]):
        with DuckDBEngine(threads=1) as engine:
            source = open_source(engine, pa.table({"p": ordered}), "events", "given").reaching(engine, "p.tags")
            assert engine.rows(f'SELECT DISTINCT "p.tags" FROM {source.table()}') == [("a",)]


def test_types_that_differ_under_one_key_are_text(tmp_path):
    records = [{"p": {"k": held}} for held in ("x", 7, 1.5, True, None, ["z"], {"a": 1}, "[not json")]
    (tmp_path / "e.jsonl").write_text("\n".join([*map(json.dumps, records), '{"p": 3}', '{"p": null}', "{}"]))
    with DuckDBEngine(threads=1) as engine:
        source = open_source(engine, tmp_path / "e.jsonl", "events", "given").reaching(engine, "p.k")
        found = [row[0] for row in engine.rows(f'SELECT "p.k" FROM {source.table()}')]
    expected = ["x", "7", "1.5", "true", None, "z", '{"a":1}', "[not json", None, None, None]
    assert Counter(found) == Counter(expected)  # rows come in any order


def test_names_and_keys_are_quoted():
    table = pa.table({'o"dd': [{"k'ey": '{"a/b~c": {"d\'e": 5}}'}]})
    with DuckDBEngine(threads=1) as engine:
        source = open_source(engine, table, "events", "given").reaching(engine, "o\"dd.k'ey.a/b~c.d'e")
        assert engine.rows(f'SELECT * EXCLUDE ("o""dd") FROM {source.table()}') == [("5",)]
