"""Known rows make known figures."""

import dataclasses

import pytest

from benchmarks.accuracy.ladders.judge import LadderRow, Rival, failure, score
from benchmarks.accuracy.ladders.table import publish

STEPS = (("a",), ("b", "c"))
EXACT, TURNED, PARTLY = score(STEPS, STEPS), score(STEPS[::-1], STEPS), score((("a",), ("x",)), STEPS)


def row(seed, world="chain", scored=None, said=STEPS, planted=STEPS, accounts=2500, **values):
    own = (("a",),)
    rival = Rival(name="top four by phi", said=own, score=score(own, STEPS) if planted else None, seconds=0.1)
    return LadderRow(
        world=world, accounts=accounts, seed=seed, version="v", seconds=2.0, planted=planted, status="found",
        discovered=scored is not None or not planted, said=said, score=scored, rivals=(rival,), **values,
    )  # fmt: skip


def figures(page, title, *key):
    """Return title -> figure of the row that starts with `key`, in the section or subsection of that title."""
    marks = "###" if f"\n### {title}\n" in page else "##"
    section = page.partition(f"\n{marks} {title}\n")[2].partition("\n##")[0]
    head, _, *body = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("|")
    ]
    (found,) = (cells for cells in body if cells[: len(key)] == list(key))
    return dict(zip(head, found, strict=True))


@pytest.fixture(scope="module")
def page():
    rows = [
        row(1, scored=EXACT, hindrance_found=True),
        row(2, scored=EXACT, hindrance_found=False, false_hindrances=2),
        row(3, scored=TURNED),
        row(4, said=None),
        row(5, world="random_chain", scored=PARTLY, variant="skips"),
        row(6, world="random_chain", scored=EXACT, variant="branches"),
        row(7, world="random_no_chain", planted=(), said=()),
        row(8, world="random_no_chain", planted=(), said=(("a",), ("b",))),
        row(9, world="random_no_chain", planted=(), said=None),
        failure(("easy", 2500, 10), "v", "RuntimeError: no world today"),
    ]
    return publish(rows, "v")


def test_exact_chains_are_counted_among_the_discovered_and_among_all(page):
    shown = figures(page, "Planted ladders", "chain", "2,500")
    assert shown["runs"] == "4"
    assert shown["discovered"].startswith("75 ")
    assert shown["exact chain, of the discovered"].startswith("67 ")
    assert shown["exact chain, of all runs"].startswith("50 ")
    assert shown["step F1"].startswith("1.00 ")
    assert shown["pairs in order"].startswith("67 ")
    assert shown["alternatives found"].startswith("100 ")


def test_all_worlds_are_taken_together_and_random_ones_by_variant(page):
    together = figures(page, "Planted ladders", "all of these", "2,500")
    assert together["runs"] == "6"
    assert together["exact chain, of all runs"] == "50 ± 20 (6)"
    beside = figures(page, "Exact chain, of the discovered", "all of these", "all")
    assert together["exact chain, of the discovered"] == beside["**this study**"]
    assert figures(page, "Random chains by variant", "random_chain, skips")["step F1"] == "0.50"
    assert figures(page, "Random chains by variant", "random_chain, branches")["step F1"] == "1.00"


def test_other_methods_are_scored_on_the_same_runs(page):
    shown = figures(page, "Step F1", "chain", "all")
    assert shown["**this study**"].startswith("1.00")
    assert shown["top four by phi"].startswith("0.67")
    assert shown["best subset by BIC"] == "-"
    assert figures(page, "Exact chain, of the discovered", "chain")["top four by phi"] == "0 ± 19 (3)"


def test_without_a_chain_rungs_are_counted_over_the_ladders(page):
    shown = figures(page, "Worlds without a chain", "random_no_chain", "all")
    assert shown["runs"] == "3"
    assert shown["ladders with a required rung"].startswith("50 ")
    assert shown["required rungs"].startswith("1.00 ")
    assert shown["events said: top four by phi"].startswith("1.00 ")


def test_hindrances_found_and_false(page):
    shown = figures(page, "Errors that hinder", "chain", "all")
    assert shown["ladders"] == "3"
    assert shown["planted error found"].startswith("50 ")
    assert shown["ladders with a false one"].startswith("33 ")
    assert shown["false ones"].startswith("0.67 ")


def test_the_page_says_what_failed_and_reads_without_rows(page):
    assert "1 of 10 runs count nowhere above" in page
    assert "no world today" in page
    assert "0 runs of version v" in publish([], "v")


def test_sizes_are_kept_apart():
    rows = [row(1, scored=EXACT), row(2, scored=TURNED, accounts=5000)]
    page = publish(rows, "v")
    assert figures(page, "Planted ladders", "all of these", "2,500")["exact chain, of all runs"].startswith("100 ")
    assert figures(page, "Planted ladders", "all of these", "5,000")["exact chain, of all runs"].startswith("0 ")
    assert dataclasses.replace(rows[0], failed="x").failed == "x"
