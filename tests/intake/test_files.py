"""Folders as exports leave them: partitions, archives, compressed parts among notes, and what is not read."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from discovery.engines.duckdb import DuckDBEngine
from discovery.errors import SourceError
from discovery.intake.digest import files_digest
from discovery.intake.memory import open_source
from discovery.intake.packed import first_bytes
from discovery.intake.paths import find_files

from .tables import clean_accounts, clean_events, codes, read, usable

EVENTS, ACCOUNTS = clean_events(), clean_accounts()


@pytest.fixture(scope="module")
def expected():
    return usable(read(EVENTS, ACCOUNTS))


def json_text(events: pd.DataFrame) -> str:
    return events.to_json(orient="records", lines=True, date_format="iso", date_unit="us")


def partitioned(folder: Path, keys: list[str]) -> Path:
    """Write events as Spark and Hive do: the keys are in the names of the folders alone."""
    pq.write_to_dataset(pa.Table.from_pandas(EVENTS.assign(part="007")), str(folder), partition_cols=keys)
    return folder


@pytest.mark.parametrize("keys", [["event"], ["account_id"], ["part", "event"]])
def test_the_folders_of_a_partitioned_table_are_columns(keys, tmp_path, expected):
    assert usable(read(partitioned(tmp_path / "log", keys), ACCOUNTS)) == expected
    assert usable(read(f"{tmp_path}/log/*/**/*.parquet", ACCOUNTS)) == expected


def test_partitions_are_text_as_written(tmp_path):
    partitioned(tmp_path / "log", ["part"])
    with DuckDBEngine() as engine:
        source = open_source(engine, tmp_path / "log", "events", "given")
        assert source.columns["part"] == "VARCHAR"
        assert engine.rows(f"SELECT DISTINCT part FROM {source.table()}") == [("007",)]


def test_folders_above_the_one_asked_for_are_no_columns(tmp_path, expected):
    folder = tmp_path / "env=prod" / "user_id=nobody" / "log"
    folder.parent.mkdir(parents=True)
    partitioned(folder, ["event"])
    with DuckDBEngine() as engine:
        assert set(open_source(engine, folder, "events", "given").columns) == {*EVENTS.columns, "part"}
        inside = open_source(engine, next(folder.glob("event=*")), "events", "given")
        assert "event" not in inside.columns
    assert usable(read(folder, ACCOUNTS)) == expected


def test_values_in_names_of_folders_are_decoded_and_own_columns_go_before_them(tmp_path):
    names = {"Report%20Shared": "Report Shared", "a%2Fb": "a/b", "__HIVE_DEFAULT_PARTITION__": None, "k=v": "k=v"}
    for name in names:
        (tmp_path / f"event={name}").mkdir()
        pq.write_table(pa.table({"user_id": [name]}), tmp_path / f"event={name}" / "part.parquet")
    with DuckDBEngine() as engine:
        source = open_source(engine, tmp_path, "events", "given")
        assert dict(engine.rows(f"SELECT user_id, event FROM {source.table()}")) == names
        (tmp_path / "user_id=x").mkdir()
        (tmp_path / "user_id=x" / "event=y").mkdir()
        pq.write_table(pa.table({"user_id": ["own"]}), tmp_path / "user_id=x" / "event=y" / "part.parquet")
        source = open_source(engine, tmp_path / "user_id=x" / "..", "events", "given")
        assert list(source.columns) == ["user_id"]
        source = open_source(engine, f"{tmp_path}/user_id=x/**", "events", "given")
        assert engine.rows(f"SELECT user_id, event FROM {source.table()}") == [("own", "y")]


def test_files_with_other_columns_are_read_together(tmp_path, expected):
    EVENTS.iloc[:500].assign(extra=1).to_parquet(tmp_path / "one.parquet")
    EVENTS.iloc[500:].assign(more="x").to_parquet(tmp_path / "two.parquet")
    assert usable(read(tmp_path, ACCOUNTS)) == expected


def test_a_delta_table_is_refused(tmp_path):
    EVENTS.to_parquet(tmp_path / "part.parquet")
    (tmp_path / "_delta_log").mkdir()
    with pytest.raises(SourceError, match="Delta table"):
        read(tmp_path, ACCOUNTS)


def test_compressed_parts_among_notes_are_read(tmp_path, expected):
    days = tmp_path / "export" / "2024"
    days.mkdir(parents=True)
    for i, part in enumerate((EVENTS.iloc[:700], EVENTS.iloc[700:])):
        with gzip.open(days / f"part_{i}#1.json.gz", "wt") as file:
            file.write(json_text(part).rstrip("\n"))  # no newline at the end
    (tmp_path / "export" / "2024" / "README.md").write_text("Read me.")
    (tmp_path / "export" / "2024" / "_SUCCESS").touch()
    (tmp_path / "export" / ".DS_Store").write_text("x")
    assert usable(read(tmp_path / "export", ACCOUNTS)) == expected


def test_a_gz_file_of_several_members_is_read_whole(tmp_path, expected):
    halves = [json_text(part).encode() for part in (EVENTS.iloc[:700], EVENTS.iloc[700:])]
    (tmp_path / "e.jsonl.gz").write_bytes(b"".join(map(gzip.compress, halves)))
    assert usable(read(tmp_path / "e.jsonl.gz", ACCOUNTS)) == expected


@pytest.mark.parametrize("name", ["e.jsonl.zst", "e.csv.zst"])
def test_zst_files_are_read(name, tmp_path, expected):
    text = json_text(EVENTS) if "json" in name else EVENTS.to_csv(index=False)
    (tmp_path / name).write_bytes(pa.compress(text.encode(), codec="zstd", asbytes=True))
    assert usable(read(tmp_path / name, ACCOUNTS)) == expected
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-20])
    with pytest.raises(SourceError):
        read(tmp_path / name, ACCOUNTS)


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_archives_are_read_as_what_they_hold(tmp_path, expected):
    halves = [gzip.compress(json_text(part).encode()) for part in (EVENTS.iloc[:700], EVENTS.iloc[700:])]
    members = {"1234/1234_2024-01-01_0#1.json.gz": halves[0], "1234/1234_2024-01-01_1#1.json.gz": halves[1]}
    extra = {"__MACOSX/1234/._x.json.gz": b"junk", "README.txt": b"Read me", "1234/.hidden.json": b"{}"}
    path = zipped(tmp_path / "export.zip", members | extra)
    relations = read(path, ACCOUNTS)
    assert usable(relations) == expected
    assert relations.spec.events.source == str(path)
    folder = tmp_path / "by day"
    folder.mkdir()
    for i, (name, content) in enumerate(members.items()):
        zipped(folder / f"{i}.zip", {name: content})
    assert usable(read(folder, ACCOUNTS)) == expected


def test_members_of_an_archive_stay_in_the_temporary_folder(tmp_path):
    path = zipped(tmp_path / "evil.zip", {"../../outside.csv": b"account_id,event,timestamp\na,b,2024-01-01\n"})
    with DuckDBEngine() as engine:
        files = find_files(path, "events", engine.temp_directory)
        assert all(held.is_relative_to(engine.temp_directory) for held in files.paths)
    assert not list(tmp_path.parent.glob("outside.csv"))


def test_archives_that_cannot_be_read_say_so(tmp_path, monkeypatch):
    path = zipped(tmp_path / "e.zip", {"e.csv": EVENTS.to_csv(index=False).encode()})
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Disk", (), {"free": 1000})())
    with pytest.raises(SourceError, match="more than half"):
        read(path, ACCOUNTS)
    monkeypatch.undo()
    body = path.read_bytes()
    path.write_bytes(body[: len(body) // 2])
    with pytest.raises(SourceError, match=r"e.zip cannot be unzipped"):
        read(path, ACCOUNTS)
    locked = bytearray(body)
    for sign, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[body.index(sign) + place] |= 1
    path.write_bytes(bytes(locked))
    with pytest.raises(SourceError, match="encrypted"):
        read(path, ACCOUNTS)
    with pytest.raises(SourceError, match="no file of a format"):
        read(zipped(tmp_path / "notes.zip", {"notes.txt": b"x"}), ACCOUNTS)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("e.avro", "Parquet or JSON lines"),
        ("e.orc", "Export it as Parquet"),
        ("e.xlsx", "Save the sheet as CSV"),
        ("e.json.bz2", "bunzip2"),
        ("e.tar.gz", "no file of a format"),
        ("e.tgz", "tar -xf"),
    ],
)
def test_formats_that_are_not_read_say_what_to_do(name, says, tmp_path):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(SourceError, match=says):
        read(tmp_path / name, ACCOUNTS)


def test_damage_is_noticed_whatever_the_compression(tmp_path):
    body = bytearray(gzip.compress(b"a,b\n" + b"1,2\n" * 10_000))
    for name, content in (("cut.csv.gz", body[:-5]), ("crc.csv.gz", body[:-8] + b"\0" + body[-7:])):
        (tmp_path / name).write_bytes(bytes(content))
        with pytest.raises(SourceError, match="cut short or damaged"):
            files_digest([tmp_path / name])
    assert first_bytes(tmp_path / "cut.csv.gz", 3) == b"a,b"


def test_the_digest_of_compressed_files_is_of_their_bytes(tmp_path):
    for level in (1, 9):
        (tmp_path / f"{level}.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n" * 1000, level, mtime=0))
    one, nine = (files_digest([tmp_path / f"{level}.csv.gz"]) for level in (1, 9))
    assert one != nine
    (tmp_path / "copy.CSV.GZ").write_bytes((tmp_path / "1.csv.gz").read_bytes())
    assert files_digest([tmp_path / "copy.CSV.GZ"]) == one


def test_lines_lost_in_a_compressed_file_are_counted_once(tmp_path):
    text = json_text(EVENTS).splitlines()
    text[10:10] = ['{"account_id": "a00", "event"', "[1, 2]", '"text"', "  ", "", "null", "{} {}"]
    with gzip.open(tmp_path / "e.jsonl.gz", "wt") as file:
        file.write("\n".join(text))
    relations = read(tmp_path / "e.jsonl.gz", ACCOUNTS)
    finding = codes(relations)["unreadable_rows"]
    assert finding.count == 5
    assert finding.examples == ('{"account_id": "a00", "event"', "[1, 2]", '"text"', "null", "{} {}")
    assert relations.events_rows == len(EVENTS) + 5
