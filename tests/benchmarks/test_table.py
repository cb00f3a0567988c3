"""Known rows make known figures."""

import dataclasses

import pytest

from benchmarks.accuracy.judge import Interval, Rival, failure
from benchmarks.accuracy.table import clustered, clustered_share, mean, publish, share


def row(seed, group="planted", world="random", **values):
    blank = dataclasses.replace(
        failure((world, 1000, seed), "v", ""), failed=None, group=group, seconds=2.0, status="none"
    )
    return dataclasses.replace(blank, **values)


def interval(estimate, overlap, rank=1):
    return Interval(
        rank=rank, planted=rank == 1, estimate=estimate, lower=estimate - 0.1, upper=estimate + 0.1, overlap=overlap,
        average=overlap - 0.15,
    )  # fmt: skip


def lines(page, title):
    """Return the cells of a section's table, head first."""
    section = page.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "|" in line]


def figures(page, title, *key):
    """Return title -> figure of the row that starts with `key`."""
    head, _, *body = lines(page, title)
    (found,) = (cells for cells in body if cells[: len(key)] == list(key))
    return dict(zip(head, found, strict=True))


def test_a_share_carries_its_binomial_error_and_number():
    assert share([True, True, True, False, None]) == "75 ± 23 (4)"
    assert share([False] * 20) == "0 ± 3 (20)"
    assert share([None]) == "-"


def test_a_mean_carries_its_standard_error():
    assert mean([1.0, 0.5, 0.0]) == "0.50 ± 0.29"
    assert mean([0.5]) == "0.50"


def test_clustered_errors_are_those_of_a_ratio():
    assert clustered([[1.0], [0.0], [1.0], [0.0]]) == "0.50 ± 0.29"
    assert clustered([[1.0, 1.0], [0.0, 0.0], []]) == "0.50 ± 0.50"
    assert clustered_share([[True], [True]]) == "100 ± 26"
    assert clustered_share([[True, False], [True, True]]) == "75 ± 25"


@pytest.fixture
def page():
    right = {"status": "found", "right": True, "rank": 1, "exact": True, "equivalent": True}
    rival = Rival(name="lift", rank=2, vanity_first=True, declared=True, seconds=0.5)
    rows = [
        row(1, **right, intervals=(interval(0.2, 0.25), interval(0.3, 0.0, 2)), rivals=(rival,)),
        row(2, **{**right, "status": "lead", "exact": False}, settings={"kind": "single"}),
        row(3, status="found", right=False, rank=4, exact=False, equivalent=False, vanity_first=True),
        row(4, rank=None, exact=None),
        row(5, "null", "random_null", status="found", right=False, rivals=(rival,)),
        row(6, "null", "random_null", wrong_personas=1),
        row(7, "hidden", "random_hidden", decoy_first=True, rivals=(dataclasses.replace(rival, declared=None),)),
        row(8, "segment", "random_segment", segment_status="found", rank=2),
        failure(("random", 1000, 9), "v", "ValueError: broken"),
    ]
    return publish(rows, "v")


def test_planted_worlds(page):
    shown = figures(page, "Planted worlds", "random", "1,000")
    assert shown["runs"] == "4"
    assert shown["hit@1"] == shown["hit@3"] == "50 ± 25 (4)"
    assert shown["MRR"] == "0.56 ± 0.26"
    assert shown["exact rule"] == "33 ± 28 (3)"
    assert shown["exact or equivalent"] == "67 ± 28 (3)"
    assert shown["vanity on top"] == "25 ± 23 (4)"
    assert shown["found, and right (power)"] == "25 ± 23 (4)"
    assert shown["found or lead, and right"] == "50 ± 25 (4)"
    assert shown["seconds"] == "2.0"


def test_worlds_without_an_effect(page):
    shown = figures(page, "Worlds without an effect", "random_null", "1,000")
    assert (shown["found"], shown["none"], shown["found in a segment"]) == ("50 ± 35 (2)",) * 3
    shown = figures(page, "Worlds in which a hidden trait misleads", "random_hidden")
    assert (shown["found"], shown["decoy on top"]) == ("0 ± 43 (1)", "100 ± 43 (1)")


def test_precision_is_over_planted_and_null_worlds(page):
    shown = figures(page, "When it says found", "random + random_null", "all")
    assert (shown["runs"], shown["with an effect"]) == ("6", "4")
    assert (shown["found, of these right"], shown["lead, of these right"]) == ("33 ± 28 (3)", "100 ± 43 (1)")


def test_segments_are_told_apart(page):
    shown = figures(page, "An effect in one segment only", "random_segment")
    assert (shown["found for the segment or for all"], shown["hit@1 over all accounts"]) == (
        "100 ± 43 (1)",
        "0 ± 43 (1)",
    )


def test_coverage_and_bias(page):
    first = figures(page, "The printed intervals", "an effect", "1,000", "ranked first")
    assert first["cover the overlap-weighted difference, %"] == "100 ± 43"
    assert first["bias, points"] == "-5.0"
    ten = figures(page, "The printed intervals", "an effect", "1,000", "ranked 1 to 10")
    assert (ten["intervals"], ten["cover the overlap-weighted difference, %"], ten["bias, points"]) == (
        "2",
        "50",
        "12.5",
    )


def test_rivals_stand_beside_the_study_on_the_same_runs(page):
    study = figures(page, "Beside other methods", "**this study**")
    lift = figures(page, "Beside other methods", "lift")
    assert (study["hit@1"], lift["hit@1"], lift["hit@3"]) == ("100 ± 43 (1)", "0 ± 43 (1)", "100 ± 43 (1)")
    assert (study["declared: no effect"], lift["declared: no effect"]) == ("100 ± 43 (1)",) * 2
    assert lift["declared: hidden trait"] == "-"


def test_failed_runs_are_said_and_counted_nowhere_else(page):
    assert "1 of 9 runs count nowhere above" in page
    assert "ValueError: broken" in page
    assert figures(page, "When it says found", "random + random_null", "all")["runs"] == "6"


def test_an_empty_store_makes_a_page():
    assert publish([], "v").startswith("# How often it is right")
