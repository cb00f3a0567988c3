"""Files that are not one table are never read as one; files below a folder are read beside those on top."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from discovery.errors import SourceError
from discovery.intake.one_table import keys_of
from discovery.intake.paths import find_files

from .tables import clean_accounts, clean_events, read, usable

EVENTS, ACCOUNTS = clean_events(), clean_accounts()
JSON = EVENTS.to_json(orient="records", lines=True, date_format="iso", date_unit="us")


@pytest.fixture(scope="module")
def expected():
    return usable(read(EVENTS, ACCOUNTS))


def written(folder: Path, kind: str) -> tuple[Path, Path]:
    """Write events in two files below a folder, and accounts on its top, all of one format."""
    below = folder / "events" / "2024"
    below.mkdir(parents=True)
    for part, rows in enumerate((EVENTS.iloc[:700], EVENTS.iloc[700:])):
        _write(rows, below / f"part-{part}.{kind}")
    _write(ACCOUNTS, folder / f"accounts.{kind}")
    (folder / "README.md").write_text("Read me.")
    return folder, folder / f"accounts.{kind}"


def _write(frame, path: Path) -> None:
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_json(path, orient="records", lines=True, date_format="iso", date_unit="us")


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
def test_events_beside_accounts_are_refused_and_both_are_named(kind, tmp_path):
    folder, accounts = written(tmp_path / "log", kind)
    with pytest.raises(SourceError) as caught:
        read(folder, None)
    assert "events/ (2 files)" in str(caught.value)
    assert f"Give {folder / 'events'} as events and {accounts} as accounts" in str(caught.value)


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
def test_accounts_given_as_such_are_no_part_of_the_events(kind, tmp_path, expected):
    folder, accounts = written(tmp_path / "log", kind)
    assert usable(read(folder, accounts)) == expected
    assert usable(read(f"{folder}/**/*.{kind}", accounts)) == expected
    assert usable(read(folder / "events", folder)) == expected
    assert usable(read(None, None, events={"from": str(folder)}, accounts={"from": str(accounts)})) == expected


def test_several_formats_are_refused_and_the_accounts_given_are_none_of_them(tmp_path, expected):
    (tmp_path / "export" / "203138").mkdir(parents=True)
    for part in range(2):
        with gzip.open(tmp_path / "export" / "203138" / f"{part}.json.gz", "wt") as file:
            file.write("\n".join(JSON.splitlines()[part::2]))
    accounts = tmp_path / "export" / "accounts.csv"
    ACCOUNTS.to_csv(accounts, index=False)
    with pytest.raises(SourceError, match=r"203138/ \(2 files\); accounts\.csv\. Give .*203138 as events and"):
        read(tmp_path / "export", None)
    assert usable(read(tmp_path / "export", accounts)) == expected


def test_files_on_top_and_below_are_read_together(tmp_path, expected):
    (tmp_path / "older").mkdir()
    EVENTS.iloc[:700].to_csv(tmp_path / "older" / "e.csv", index=False)
    EVENTS.iloc[700:].to_csv(tmp_path / "e.csv", index=False)
    assert usable(read(tmp_path, ACCOUNTS)) == expected


def test_one_wide_table_is_both(tmp_path):
    EVENTS.to_csv(tmp_path / "wide.csv", index=False)
    for given in (tmp_path / "wide.csv", tmp_path, f"{tmp_path}/*.csv"):
        apart = [str(given)]
        assert find_files(given, "events", tmp_path / "scratch", apart).paths == (tmp_path / "wide.csv",)


def test_users_and_their_accounts_are_not_events(tmp_path):
    EVENTS.to_csv(tmp_path / "events.csv", index=False)
    EVENTS[["user_id", "account_id"]].drop_duplicates().to_csv(tmp_path / "users.csv", index=False)
    with pytest.raises(SourceError, match="not one table"):
        read(tmp_path, ACCOUNTS)


def test_the_keys_of_a_beginning_that_is_cut_off():
    assert keys_of('{"a": 1}\nbroken\n{"b": {"x": 1}}\n{"c": ') == {"a", "b"}
    assert keys_of('[{"a": 1},\n {"b": 2}') == {"a", "b"}
    assert keys_of("no object") == set()


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("e.json", "gzip"), ("e.json.gz", ""), ("e.gz", "gzip"), ("e.csv", "gzip"), ("e.csv.gz", ""), ("e.zst", "zstd"),
        ("e.csv.gz", "zstd"), ("part-0001.gz", "gzip csv"), ("e.gz", ""),
    ],
)  # fmt: skip
def test_files_are_read_as_what_they_are_whatever_their_names_say(name, packed, tmp_path, expected):
    text = (EVENTS.to_csv(index=False) if "csv" in f"{name} {packed}" else JSON).encode()
    codec = packed.partition(" ")[0]
    (tmp_path / name).write_bytes(pa.compress(text, codec=codec, asbytes=True) if codec else text)
    assert usable(read(tmp_path / name, ACCOUNTS)) == expected
    assert usable(read(tmp_path, ACCOUNTS)) == expected
    shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path, name)
    assert usable(read(tmp_path / "packed.zip", ACCOUNTS)) == expected
