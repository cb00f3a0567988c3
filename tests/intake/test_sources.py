"""Every kind of source gives the same relations; sources that cannot be read say so once and clearly."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from discovery.engines.duckdb import DuckDBEngine
from discovery.errors import EngineError, SourceError
from discovery.intake import load
from discovery.spec import StudySpec

from .tables import clean_accounts, clean_events, codes, named, read, usable

EVENTS, ACCOUNTS = clean_events(), clean_accounts()


def as_csv(path: Path, **options) -> Path:
    EVENTS.to_csv(path, index=False, date_format="%Y-%m-%dT%H:%M:%S.%f", **options)
    return path


def as_json(path: Path) -> Path:
    EVENTS.to_json(path, orient="records", lines=True, date_format="iso", date_unit="us")
    return path


def as_parquet(path: Path) -> Path:
    EVENTS.to_parquet(path)
    return path


def recoded(path: Path, encoding: str, before: str = "") -> Path:
    path.write_bytes((before + path.read_text()).encode(encoding))
    return path


class Stream:
    def __arrow_c_stream__(self, requested_schema=None):
        return pa.Table.from_pandas(EVENTS).__arrow_c_stream__(requested_schema)


def parts(folder: Path) -> Path:
    folder.mkdir()
    EVENTS.iloc[:700].to_parquet(folder / "one.parquet")
    EVENTS.iloc[700:, ::-1].to_parquet(folder / "two.parquet")
    (folder / "_SUCCESS").write_text("")
    return folder


def csv_parts(folder: Path) -> str:
    folder.mkdir()
    EVENTS.iloc[:700].to_csv(folder / "one.csv", index=False)
    EVENTS.iloc[700:, ::-1].assign(extra=1).to_csv(folder / "two.csv", index=False, sep=";")
    return str(folder / "*.csv")


def json_array(path: Path) -> Path:
    EVENTS.to_json(path, orient="records", date_format="iso", date_unit="us")
    return path


SOURCES = {
    "csv": lambda d: as_csv(d / "e.csv"),
    "csv.gz": lambda d: as_csv(d / "e.csv.gz"),
    "tsv": lambda d: as_csv(d / "e.tsv", sep="\t"),
    "semicolons": lambda d: as_csv(d / "e.csv", sep=";"),
    "bom": lambda d: as_csv(d / "e.csv", encoding="utf-8-sig"),
    "crlf": lambda d: as_csv(d / "e.csv", lineterminator="\r\n"),
    "utf-16": lambda d: as_csv(d / "e.csv", encoding="utf-16"),
    "quoted": lambda d: as_csv(d / "e.csv", quoting=1),
    "jsonl": lambda d: as_json(d / "e.jsonl"),
    "ndjson.gz": lambda d: as_json(d / "e.ndjson.gz"),
    "json": lambda d: as_json(d / "e.json"),
    "json array": lambda d: json_array(d / "e.json"),
    "parquet": lambda d: as_parquet(d / "e.parquet"),
    "string path": lambda d: str(as_parquet(d / "e.parquet")),
    "odd file name": lambda d: as_parquet(d / "it's [1] *.parquet"),
    "folder": lambda d: parts(d / "many"),
    "glob of different headers": lambda d: csv_parts(d / "many"),
    "json of utf-8 with a mark": lambda d: recoded(as_json(d / "e.jsonl"), "utf-8-sig"),
    "json of utf-16": lambda d: recoded(as_json(d / "e.jsonl"), "utf-16"),
    "sep line": lambda d: recoded(as_csv(d / "e.csv", sep=";"), "utf-8-sig", "sep=;\n"),
    "carriage returns": lambda d: as_csv(d / "e.csv", lineterminator="\r"),
    "pandas": lambda d: EVENTS,
    "pandas index of times": lambda d: EVENTS.set_index("timestamp"),
    "pandas index of two levels": lambda d: EVENTS.set_index(["account_id", "event"]),
    "pandas periods": lambda d: EVENTS.assign(timestamp=EVENTS["timestamp"].dt.to_period("s")),
    "anything that speaks Arrow": lambda d: Stream(),
    "polars": lambda d: pl.from_pandas(EVENTS),
    "polars lazy": lambda d: pl.from_pandas(EVENTS).lazy(),
    "arrow": lambda d: pa.Table.from_pandas(EVENTS),
    "arrow reader": lambda d: pa.Table.from_pandas(EVENTS).to_reader(100),
    "duckdb relation": lambda d: duckdb.connect().from_arrow(pa.Table.from_pandas(EVENTS)),
}


@pytest.fixture(scope="module")
def expected():
    return usable(read(EVENTS, ACCOUNTS))


@pytest.mark.parametrize("kind", SOURCES)
def test_every_kind_of_source_gives_the_same_events(kind, tmp_path, expected):
    relations = read(SOURCES[kind](tmp_path), ACCOUNTS)
    assert usable(relations) == expected
    assert relations.events_rows == len(EVENTS)
    assert relations.quality == ()


@pytest.mark.parametrize("kind", ["csv", "json", "parquet", "polars"])
def test_every_kind_of_source_gives_the_same_accounts(kind, tmp_path):
    given = {
        "csv": lambda: ACCOUNTS.to_csv(tmp_path / "a.csv", index=False) or tmp_path / "a.csv",
        "json": lambda: (
            ACCOUNTS.to_json(tmp_path / "a.jsonl", orient="records", lines=True, date_unit="us") or tmp_path / "a.jsonl"
        ),
        "parquet": lambda: ACCOUNTS.to_parquet(tmp_path / "a.parquet") or tmp_path / "a.parquet",
        "polars": lambda: pl.from_pandas(ACCOUNTS),
    }[kind]()
    one, other = read(EVENTS, ACCOUNTS).accounts, read(EVENTS, given).accounts
    assert one.account_id.tolist() == other.account_id.tolist()
    assert np.array_equal(one.signup, other.signup)
    assert {k: v.tolist() for k, v in one.segments.items()} == {k: v.tolist() for k, v in other.segments.items()}


def test_row_order_is_irrelevant():
    shuffled = read(EVENTS.sample(frac=1, random_state=1), ACCOUNTS.sample(frac=1, random_state=2))
    straight = read(EVENTS, ACCOUNTS)
    assert usable(shuffled) == usable(straight)
    assert shuffled.accounts.account_id.tolist() == straight.accounts.account_id.tolist()
    assert shuffled.recognised == straight.recognised


def test_sources_come_from_the_spec_and_are_recorded(tmp_path, monkeypatch):
    as_csv(tmp_path / "e.csv")
    ACCOUNTS.to_csv(tmp_path / "a.csv", index=False)
    monkeypatch.chdir(tmp_path)
    relations = read(None, None, events={"from": "e.csv"}, accounts={"from": "a.csv"})
    assert relations.spec.events.source == str(tmp_path / "e.csv")
    assert relations.spec.accounts.source == str(tmp_path / "a.csv")
    assert read(EVENTS, ACCOUNTS).spec.events.source == ""


def test_the_digest_is_of_the_content_not_of_the_name(tmp_path):
    first, second = as_csv(tmp_path / "e.csv"), as_csv(tmp_path / "f.csv")
    digests = [read(path, ACCOUNTS).input_sha256 for path in (first, second)]
    assert digests[0] == digests[1]
    second.write_bytes(second.read_bytes() + b"a00,u,opened,2024-01-03\n")
    assert read(second, ACCOUNTS).input_sha256 != digests[0]
    assert read(EVENTS, ACCOUNTS).input_sha256 == read(EVENTS.copy(), ACCOUNTS).input_sha256
    assert read(EVENTS, ACCOUNTS).input_sha256 != read(EVENTS.iloc[1:], ACCOUNTS).input_sha256


def test_quoted_newlines_separators_and_blank_lines_are_read(tmp_path):
    path = tmp_path / "e.csv"
    path.write_bytes(
        b'account_id,event,timestamp\r\n"a00","two\r\nlines, one ""event""",2024-01-03T01:02:03Z\r\n\r\n'
        b"a01,plain,2024-01-04T01:02:03Z\r\n"
    )
    assert [row[1] for row in usable(read(path, ACCOUNTS))] == ['two\r\nlines, one "event"', "plain"]


def test_lines_that_cannot_be_read_are_counted_and_shown(tmp_path):
    path = as_csv(tmp_path / "e.csv")
    path.write_bytes(path.read_bytes() + b"a00,u\na00,u,opened,2024-01-03,more\na00,u,caf\xe9,2024-01-03\n")
    finding = codes(read(path, ACCOUNTS))["unreadable_rows"]
    assert finding.count == 3
    assert finding.examples[0] == "a00,u"
    assert read(path, ACCOUNTS).events_rows == len(EVENTS) + 3


def test_lines_of_mixed_endings_are_read(tmp_path):
    path = tmp_path / "e.csv"
    path.write_bytes(
        b"account_id,event,timestamp\na00,x,2024-01-03 01:00\r\na01,y,2024-01-03 02:00\na02,z,2024-01-04 01:00\n"
    )
    assert len(usable(read(path, ACCOUNTS))) == 3


def test_lines_swallowed_by_an_open_quote_are_counted(tmp_path):
    path = as_csv(tmp_path / "e.csv")
    path.write_bytes(path.read_bytes() + b'a00,u,"open,2024-01-03\na00,u,x,2024-01-03\na01,u,x,2024-01-03\n')
    assert codes(read(path, ACCOUNTS))["unreadable_rows"].count == 3


def test_lines_that_are_not_json_are_counted_and_shown(tmp_path):
    path = as_json(tmp_path / "e.jsonl")
    path.write_text(path.read_text() + '{"account_id": "a00", \n[1]\n')
    finding = codes(read(path, ACCOUNTS))["unreadable_rows"]
    assert (finding.count, finding.examples) == (2, ('{"account_id": "a00",', "[1]"))


def test_json_numbers_and_rare_fields_are_exact(tmp_path):
    path = tmp_path / "e.jsonl"
    lines = [{"account_id": 7, "event": "x", "timestamp": 1704240000000000123 + i * 10**9} for i in range(30)]
    path.write_text("\n".join(json.dumps(line) for line in lines))
    relations = read(path, pd.DataFrame({"account_id": [7.0], "signup_at": ["2024-01-01"]}))
    assert usable(relations)[0][0] == "7"
    assert usable(relations)[0][3] == 1704240000000000


def test_nested_fields_are_reached_by_a_dotted_path(tmp_path):
    path = tmp_path / "e.jsonl"
    line = '{"properties": {"$group_0": "a%02d"}, "event": "x", "timestamp": "2024-01-0%dT05:00:00Z"}'
    path.write_text("\n".join(line % (i, i + 1) for i in range(5)))
    assert usable(read(path, ACCOUNTS, events={"account": "properties.$group_0"}))[4][0] == "a04"
    arrow = pa.table(
        {"p": [{"g": "a00"}] * 3, "event": ["x"] * 3, "ts": pd.date_range("2024-01-02 01:00", periods=3)},
    )
    assert usable(read(arrow, ACCOUNTS, events={"account": "p.g"}))[0][0] == "a00"


def test_large_parquet_files_are_read_in_place(tmp_path, monkeypatch, expected):
    monkeypatch.setattr("discovery.intake.eventlog.LARGE", 10)
    copied = []
    monkeypatch.setattr("discovery.intake.eventlog.copy_rows", lambda *given: copied.append(given))
    relations = read(as_parquet(tmp_path / "e.parquet"), ACCOUNTS)
    assert named(relations, expected) == expected
    assert not copied


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("e.csv", b"", "empty"),
        ("e.csv", b"account_id,event,timestamp\n", "no rows"),
        ("e.csv", b"PK\x03\x04zip", "spreadsheet"),
        ("e.csv", b"a\0b\0c", "not text"),
        ("e.csv.gz", b"\x00\x01\x02 neither gzip nor text", "cannot be read"),
        (
            "e.csv.gz",
            gzip.compress(b"account_id,event,timestamp\n" + b"a,b,2024-01-01\n" * 9999, mtime=0)[:60],
            "cannot be read",
        ),
        ("e.parquet", b"PAR1 but no more", "cannot be read"),
        ("e.jsonl", b"not json\nat all\n", "no columns"),
        ("e.jsonl", b"   \n", "no columns"),
        ("e.xlsx", b"PK", "no file of a format"),
    ],
)
def test_files_that_cannot_be_read_say_so_once(name, content, says, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=says) as caught:
        read(tmp_path / name, ACCOUNTS)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_damaged_gz_file_is_refused(tmp_path):
    body = bytearray(gzip.compress(EVENTS.to_csv(index=False).encode()))
    body[-8] ^= 255
    (tmp_path / "e.csv.gz").write_bytes(bytes(body))
    with pytest.raises(SourceError, match="cannot be read"):
        read(tmp_path / "e.csv.gz", ACCOUNTS)


def test_damaged_parquet_pages_are_refused(tmp_path):
    path = tmp_path / "e.parquet"
    pq.write_table(pa.Table.from_pandas(EVENTS), path)
    body = bytearray(path.read_bytes())
    body[4:400] = b"\xff" * 396
    path.write_bytes(bytes(body))
    with pytest.raises(SourceError):
        read(path, ACCOUNTS)


def test_missing_files_mixed_folders_and_addresses_are_refused(tmp_path):
    with pytest.raises(SourceError, match="no file at"):
        read(tmp_path / "nowhere.csv", ACCOUNTS)
    as_csv(tmp_path / "e.csv")
    as_json(tmp_path / "e.jsonl")
    with pytest.raises(SourceError, match="several formats"):
        read(tmp_path, ACCOUNTS)
    with pytest.raises(SourceError, match="only files are read"):
        read("s3://bucket/e.parquet", ACCOUNTS)
    with pytest.raises(SourceError, match="No events were given"):
        read(None, ACCOUNTS)
    with pytest.raises(SourceError, match="which cannot be read"):
        read(42, ACCOUNTS)


def test_empty_tables_in_memory_are_refused():
    with pytest.raises(SourceError, match="no rows"):
        read(EVENTS.iloc[:0], ACCOUNTS)
    with pytest.raises(SourceError):
        read(EVENTS, pd.DataFrame())


def test_an_engine_may_be_given_and_stays_open_on_failure():
    with DuckDBEngine() as engine:
        with pytest.raises(SourceError):
            load("nowhere.csv", ACCOUNTS, StudySpec(), engine=engine)
        one = load(EVENTS, ACCOUNTS, StudySpec(), engine=engine)
        two = load(EVENTS, ACCOUNTS, StudySpec(), engine=engine)
        assert usable(one) == usable(two)

    class Other:
        dialect = "spark"

    with pytest.raises(EngineError, match="spark"):
        load(EVENTS, ACCOUNTS, StudySpec(), engine=Other())


def test_progress_is_told():
    told: dict[str, None] = {}
    load(EVENTS, ACCOUNTS, StudySpec(), progress=lambda stage, share=None: told.setdefault(stage))
    stages = ["Reading the accounts", "Reading the events", "Matching events, users and accounts", "Checking the rows"]
    assert list(told) == stages


@pytest.mark.skipif(duckdb.__version__.startswith("1."), reason="DuckDB 1 knows no progress")
def test_the_share_of_the_events_that_is_read_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("discovery.engines.answers._HEARD_WITHIN", 0.002)
    many = pd.concat([EVENTS] * (1 + 400_000 // len(EVENTS)))
    many.to_csv(tmp_path / "e.csv", index=False)
    told: list[tuple[str, float | None]] = []
    load(tmp_path / "e.csv", ACCOUNTS, StudySpec(), progress=lambda stage, share=None: told.append((stage, share)))
    shares = [share for _, share in told if share is not None]
    assert {stage for stage, share in told if share is not None} == {"Reading the events"}
    assert len(shares) > 3
    assert shares == sorted(set(shares))
    assert 0 < shares[0] < shares[-1] <= 1


@pytest.mark.parametrize("every", [1, 2], ids=["all lines", "half of the lines"])
def test_files_in_latin_1_are_read_and_said(tmp_path, every):
    channels = ["Zürich" if i % every == 0 else "ads" for i in range(len(ACCOUNTS))]
    path = tmp_path / "a.csv"
    ACCOUNTS.assign(channel=channels).to_csv(path, index=False, encoding="latin-1")
    relations = read(EVENTS, path)
    assert relations.accounts.account_id.tolist() == ACCOUNTS["account_id"].tolist()
    finding = codes(relations)["guessed_encoding"]
    assert (finding.severity, finding.count, finding.examples) == ("info", 1, ("a.csv",))
    if every > 1:
        assert relations.accounts.segments["channel"][0] == "Zürich"


def test_losing_most_lines_stops_the_run(tmp_path):
    path = tmp_path / "e.csv"
    path.write_text("account_id,event,timestamp\n" + "a00,x,2024-01-03 01:00\n" * 9 + "a00,x\n" * 10)
    finding = codes(read(path, ACCOUNTS))["unreadable_rows"]
    assert (finding.severity, finding.count) == ("error", 10)


def test_dates_in_periods_are_dates():
    accounts = ACCOUNTS.assign(signup_at=ACCOUNTS["signup_at"].dt.to_period("D"))
    expected = ACCOUNTS["signup_at"].dt.floor("D").astype("int64").to_numpy() // 1000
    assert read(EVENTS, accounts).accounts.signup.tolist() == expected.tolist()


def test_names_the_system_cannot_hold_are_refused(tmp_path):
    with pytest.raises(SourceError, match="too long"):
        read("e" * 300 + ".csv", ACCOUNTS)
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.csv")
    try:
        EVENTS.to_csv(odd, index=False)
    except OSError:
        pytest.skip("file names are UTF-8 here")
    with pytest.raises(SourceError, match="not UTF-8"):
        read(odd, ACCOUNTS)


def test_a_header_that_does_not_end_is_refused(tmp_path):
    (tmp_path / "e.csv").write_text('"account_id,event,timestamp\n' + "a00,x,2024-01-03\n" * 10_000)
    with pytest.raises(SourceError, match="names of columns"):
        read(tmp_path / "e.csv", ACCOUNTS)


def test_an_empty_folder_is_called_so(tmp_path):
    with pytest.raises(SourceError, match="holds no files"):
        read(tmp_path, ACCOUNTS)


def test_a_spec_of_tables_in_memory_says_that_it_has_no_source():
    spec = read(EVENTS, ACCOUNTS).spec
    with pytest.raises(SourceError, match="tables in memory"):
        load(None, None, spec)
