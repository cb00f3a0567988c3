"""What an engine remembers is the answer to the same question of the same tables, and to no other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest

from discovery.cache import Answers
from discovery.engines.duckdb import DATABASE, DuckDBEngine
from discovery.engines.remembering import RememberingEngine
from discovery.errors import EngineError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A kept database with a table, and a view of it."""
    with DuckDBEngine(folder=str(tmp_path)) as engine:
        engine.execute('CREATE TABLE "odd \'name" AS SELECT range AS n FROM range(10)')
        engine.execute('CREATE VIEW seen AS SELECT n FROM "odd \'name" WHERE n < 5')
    return tmp_path


def opened(folder: Path) -> RememberingEngine:
    return RememberingEngine(str(folder / DATABASE), Answers(folder / "answers", 1 << 20))


def values(batches: Iterator[pa.RecordBatch]) -> list[object]:
    return [row for batch in batches for row in batch.to_pylist()]


def test_two_engines_read_one_database_and_write_none_of_it(folder: Path) -> None:
    before = (folder / DATABASE).read_bytes()
    with closing(opened(folder)) as one, closing(opened(folder)) as two:
        one.execute("CREATE TABLE mine AS SELECT * FROM seen")
        assert one.rows("SELECT count(*) FROM mine") == two.rows("SELECT count(*) FROM seen") == [(5,)]
        with pytest.raises(EngineError):
            two.rows("SELECT * FROM mine")
    assert (folder / DATABASE).read_bytes() == before


def test_what_was_asked_is_answered_without_the_tables(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = "SELECT n FROM seen ORDER BY n"
    with closing(opened(folder)) as engine:
        first = engine.rows(asked), values(engine.batches(asked))
    with closing(opened(folder)) as engine:
        monkeypatch.setattr(DuckDBEngine, "rows", lambda *_: pytest.fail("asked again"))
        monkeypatch.setattr(DuckDBEngine, "batches", lambda *_: pytest.fail("asked again"))
        assert (engine.rows(asked), values(engine.batches(asked))) == first


def test_a_table_brought_with_other_rows_makes_another_question(folder: Path) -> None:
    answers = []
    for n in (3, 4, 3):
        with closing(opened(folder)) as engine:
            engine.bring("brought", pa.table({"n": [n]}))
            answers.append(engine.rows("SELECT sum(s.n) FROM seen s JOIN brought b ON s.n = b.n"))
    assert answers == [[(3,)], [(4,)], [(3,)]]


def test_a_statement_before_makes_another_question(folder: Path) -> None:
    answers = []
    for n in (3, 4, 3):
        with closing(opened(folder)) as engine:
            engine.execute(f"CREATE TABLE made AS SELECT n FROM seen WHERE n < {n}")
            answers.append(engine.rows("SELECT count(*) FROM made"))
    assert answers == [[(3,)], [(4,)], [(3,)]]


def test_rows_of_a_file_are_not_remembered(folder: Path, tmp_path: Path) -> None:
    file, answers = tmp_path / "rows.csv", []
    for n in (1, 2):
        file.write_text(f"n\n{n}\n")
        with closing(opened(folder)) as engine:
            answers.append(engine.rows(f"SELECT n FROM read_csv('{file}')"))
    assert answers == [[(1,)], [(2,)]]


@pytest.mark.parametrize(
    "asked",
    [
        "SELECT CAST(now() AS VARCHAR)",
        "SELECT CAST(Current_Timestamp AS VARCHAR)",
        "SELECT current_date - DATE '2020-01-01'",
        'SELECT CAST("today"() AS VARCHAR)',
        "SELECT uuid()",
        "SELECT RANDOM ()",
        "SELECT count(*) FROM seen TABLESAMPLE 40 PERCENT (bernoulli)",
        "SELECT count(*) FROM seen USING SAMPLE 40 PERCENT (bernoulli)",
        "SELECT * FROM passing",
    ],
)
def test_what_depends_on_the_clock_or_on_chance_is_not_kept(asked: str, folder: Path) -> None:
    with closing(opened(folder)) as engine:
        if "passing" in asked:
            engine.execute("CREATE TABLE passing AS SELECT random() AS n")
        engine.rows(asked)
        list(engine.batches(asked))
    assert not (folder / "answers").exists()


def test_such_a_word_in_a_text_or_as_a_name_does_not_matter(folder: Path) -> None:
    with closing(opened(folder)) as engine:
        engine.rows("SELECT n AS \"uuid\" FROM seen WHERE 'it''s now()' <> 'today' -- random()")
    assert (folder / "answers").exists()


def test_what_is_no_database_is_an_error_of_the_engine(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_text("no database")
    with pytest.raises(EngineError):
        opened(tmp_path)
