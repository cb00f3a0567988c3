"""The one command: runs what is missing, keeps it, and writes the page."""

from benchmarks.accuracy.__main__ import main
from benchmarks.accuracy.judge import Judged
from benchmarks.accuracy.store import Store


def test_it_runs_what_is_missing_and_goes_on_where_it_stopped(tmp_path):
    store, table = tmp_path / "rows.jsonl", tmp_path / "docs" / "accuracy.md"
    files = ["--store", str(store), "--table", str(table)]
    few = ["--worlds", "easy", "--accounts", "60", "--runs", "2", "--workers", "1", "--first-seed", "5"]
    main([*files, "--minutes", "0"])
    assert "0 runs" in table.read_text(encoding="utf-8")
    main([*files, *few])
    main([*files, *few])
    rows = Store(store, Judged).rows()
    assert sorted(row.seed for row in rows) == [5, 6, 7, 8]
    assert [row.failed for row in rows] == [None] * 4
    assert "| easy | 60 | 4 |" in table.read_text(encoding="utf-8")
