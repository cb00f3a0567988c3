"""Properties are kept as text and as numbers, from wherever the export has them."""

from __future__ import annotations

import json
import re

import pandas as pd
import pyarrow as pa
import pytest

from discovery.errors import ColumnError
from discovery.intake import load
from discovery.milestone import NUMBER
from discovery.spec import build_spec

from .tables import START, clean_accounts, read

ACCOUNTS = clean_accounts()
TIMES = [START + pd.Timedelta(days=1, hours=i) for i in range(9)]


def kept(relations) -> list[tuple]:
    columns = [f"{kind}_{i}" for i in range(len(relations.properties)) for kind in ("property", "number")]
    return relations.engine.rows(f'SELECT {", ".join(columns)} FROM "{relations.events_table}" ORDER BY t')


def as_lines(path, *values, nested: bool = True) -> str:
    """Write one JSON line per dictionary of properties."""
    with path.open("w", encoding="utf-8") as file:
        for value, time in zip(values, TIMES, strict=False):
            row = {"account_id": "a00", "event": "x", "timestamp": time.isoformat()}
            file.write(json.dumps({**row, "properties": value} if nested else {**row, **value}) + "\n")
    return str(path)


VALUES = ["email", "größe", 3, 2.50, -1e3, True, False, None, {"a": [1]}]
TEXTS = ["email", "größe", "3", "2.5", "-1000.0", "true", "false", None, '{"a":[1]}']
NUMBERS = [None, None, 3.0, 2.5, -1000.0, None, None, None, None]


@pytest.mark.parametrize("nested", [True, False])
def test_json_values_are_text_as_written(tmp_path, nested):
    path = as_lines(tmp_path / "e.jsonl", *({"how": value} for value in VALUES), nested=nested)
    relations = read(path, ACCOUNTS, candidates={"properties": ["how"]})
    assert relations.properties == ("how",)
    texts, numbers = zip(*kept(relations), strict=True)
    assert [t and t.replace(" ", "") for t in texts] == TEXTS
    assert list(numbers) == NUMBERS


def test_structs_are_reached_and_unreadable_numbers_are_none(tmp_path):
    props = [{"n": 1.0, "s": "a"}, {"n": float("nan"), "s": ""}, {"n": None, "s": "inf"}]
    arrow = pa.table({"account_id": ["a00"] * 3, "event": ["x"] * 3, "timestamp": TIMES[:3], "props": props})
    relations = read(arrow, ACCOUNTS, candidates={"properties": ["n", "props.s"]})
    assert kept(relations) == [("1.0", 1.0, "a", None), (None, None, None, None), (None, None, "inf", None)]


def test_columns_and_asked_ones_are_kept_once_in_order():
    events = pd.DataFrame({"account_id": "a00", "event": "x", "timestamp": TIMES, "a": range(9), "b": ["True"] * 9})
    spec = build_spec({"candidates": {"properties": ["b", "by_other"]}})
    relations = load(events, ACCOUNTS, spec, properties=("a", "b"))
    assert relations.properties == ("a", "b")
    assert kept(relations)[4] == ("4", 4.0, "true", None)


def test_a_column_goes_before_what_lies_under_properties(tmp_path):
    path = tmp_path / "e.jsonl"
    row = {"account_id": "a00", "event": "x", "timestamp": "2024-01-02", "how": "column", "properties": {"how": "in"}}
    path.write_text(json.dumps(row) + "\n")
    assert kept(read(path, ACCOUNTS, candidates={"properties": ["how"]})) == [("column", None)]


def test_a_rare_property_is_found_late_in_the_log(tmp_path):
    path = as_lines(tmp_path / "e.jsonl", *({"a": 1} for _ in range(8)), {"a": 1, "rare": "yes"})
    assert kept(read(path, ACCOUNTS, candidates={"properties": ["rare"]}))[-1] == ("yes", None)


def test_a_property_that_no_event_has_is_an_error(tmp_path):
    path = as_lines(tmp_path / "e.jsonl", *({"channel": "x"} for _ in range(3)))
    with pytest.raises(ColumnError, match=r"'chanel'. Did you mean 'channel'"):
        read(path, ACCOUNTS, candidates={"properties": ["chanel"]})
    frame = pd.DataFrame({"account_id": "a00", "event": "x", "timestamp": TIMES, "how": 1})
    with pytest.raises(ColumnError, match=r"has the property 'zz'. There are: account_id"):
        read(frame, ACCOUNTS, candidates={"properties": ["zz"]})


def test_rows_that_differ_in_a_property_alone_are_still_the_same_row():
    events = pd.DataFrame({"account_id": "a00", "event": "x", "timestamp": [TIMES[0]] * 3, "how": ["b", "a", None]})
    spec = {"candidates": {"properties": ["how"]}, "events": {"duplicates": "exact"}}
    assert kept(read(events, ACCOUNTS, **spec)) == [("a", None)]


def test_the_creator_is_kept_where_it_is_named():
    events = pd.DataFrame(
        {"account_id": "a00", "event": "x", "timestamp": TIMES[:2], "user_id": ["u", "v"], "owner": [12.0, None]}
    )
    relations = read(events, ACCOUNTS, events={"creator": "owner"})
    assert relations.has_creator
    found = relations.engine.rows(f'SELECT creator_id FROM "{relations.events_table}" ORDER BY t')
    assert found == [("12",), (None,)]
    assert not read(events, ACCOUNTS).has_creator


HOSTILE = ["1_0", "2024_01", "\t7", "7\n", " 8 ", "1e100", "1e20", "0x10", "１２", "inf", "nan", "+5", ".5", "5."]


def test_what_reads_as_a_number_is_what_the_language_says():
    times = [START + pd.Timedelta(days=1, hours=i) for i in range(len(HOSTILE))]
    events = pd.DataFrame({"account_id": "a00", "event": "x", "timestamp": times, "how": HOSTILE})
    found = [number for _, number in kept(read(events, ACCOUNTS, candidates={"properties": ["how"]}))]
    assert found == [float(text) if re.search(NUMBER, text) and text != "7\n" else None for text in HOSTILE]
    assert [n for n in found if n is not None] == [8, 1e20, 5, 0.5, 5]


def test_a_list_of_one_is_its_element_in_whatever_form_it_comes(tmp_path):
    values = [["a"], ["a", "b"], ["1"], [], None]
    expected = [("a", None), ('["a","b"]', None), ("1", 1.0), ("[]", None), (None, None)]
    asked = {"candidates": {"properties": ["how"]}}
    columns = {"account_id": ["a00"] * 5, "event": ["x"] * 5, "timestamp": TIMES[:5]}
    for held in (
        {"how": values},
        {"properties": [{"how": value} for value in values]},
        {"properties": [json.dumps({"how": value}, separators=(",", ":")) for value in values]},
    ):
        assert kept(read(pa.table({**columns, **held}), ACCOUNTS, **asked)) == expected
    for nested in (True, False):
        path = as_lines(tmp_path / "e.jsonl", *({"how": value} for value in values), nested=nested)
        assert kept(read(path, ACCOUNTS, **asked)) == expected
    written = pa.table({**columns, "how": ['["a"]'] * 5})
    assert set(kept(read(written, ACCOUNTS, **asked))) == {('["a"]', None)}
