"""The page of validations: every share is of what its title says."""

import re

from benchmarks.accuracy.validation.judge import Judged, Tried, ValidationRow, failure
from benchmarks.accuracy.validation.table import publish


def proposal(kind, alone="holds", **more):
    known = {
        "milestone": "shared >= 3 within 7d", "phi": None, "searched": "not enough data", "estimate": 0.12,
        "lower": 0.05, "upper": 0.19, "detectable": 0.1, "overlap": 0.12, "better": None, "better_alike": None,
    }  # fmt: skip
    return Judged(kind=kind, alone=alone, **{**known, **more})


def row(*proposals, world="random", seed=1, **more):
    known = {"accounts": 2500, "version": "v", "seconds": 3.0, "group": "planted"}
    return ValidationRow(world=world, seed=seed, proposals=proposals, **{**known, **more})


def tried(kind, with_it, **more):
    known = {
        "without": "holds", "claims": "complier", "shape": "interval", "estimate": 0.1, "lower": 0.0, "upper": 0.2,
        "effect": 0.1, "broken": False, "mismatch": False,
    }  # fmt: skip
    return Tried(kind=kind, with_it=with_it, **{**known, **more})


def cells(page, title, line=0) -> dict[str, str]:
    """Return one line of a section's table, by the titles of its columns."""
    section = page.split(f"## {title}\n")[1].split("\n## ")[0]
    head, _, *body = [text.strip("| ").split(" | ") for text in re.findall(r"^\|.*$", section, re.MULTILINE)]
    return dict(zip(head, body[line], strict=True))


def test_the_true_milestone_is_counted_by_verdict_and_where_it_can_be_seen():
    rows = [
        row(proposal("planted", searched="holds")),
        row(proposal("planted", "not enough data", overlap=0.09), seed=2),
        row(proposal("planted", "does not hold"), seed=3),
        row(proposal("planted", detectable=None), seed=4),
    ]
    shown = cells(publish(rows, "v"), "The true milestone")
    assert shown["holds"].startswith("50 ")
    assert shown["holds, where it can be seen"].startswith("50 ")
    assert shown["holds, where it can be seen"].endswith("(2)")
    assert shown["not enough data"].startswith("25 ")
    assert shown["does not hold"].startswith("25 ")
    assert shown["holds, as searched"].startswith("25 ")


def test_an_effect_in_one_segment_stands_apart():
    rows = [row(proposal("planted")), row(proposal("planted", "does not hold"), segment="plan=team", seed=2)]
    page = publish(rows, "v")
    assert cells(page, "The true milestone")["holds"].startswith("100 ")
    apart = cells(page, "An effect in one segment only")
    assert (apart["world"], apart["holds"][:2]) == ("random, one segment", "0 ")


def test_vanity_and_ordinary_are_counted_over_proposals_and_runs():
    none, some = "does not hold", "holds"
    rows = [
        row(proposal("vanity", some), proposal("vanity", none), proposal("ordinary", none), group="null"),
        row(proposal("vanity", none), proposal("vanity", none), proposal("ordinary", none), group="null", seed=2),
    ]
    shown = cells(publish(rows, "v"), "Milestones without an effect")
    assert shown["vanity holds, %"].startswith("25 ")
    assert shown["ordinary holds, %"].startswith("0 ")
    assert shown["any of them"].startswith("50 ")


def test_a_better_threshold_counts_only_within_the_behaviour():
    same, other = "shared >= 2 within 7d", "imported"
    rows = [
        row(proposal("planted", better=other), proposal("wrong threshold", better=same, better_alike=0.97, phi=0.4)),
        row(proposal("planted"), proposal("wrong threshold", better=same, better_alike=0.9, phi=0.7), seed=2),
        row(proposal("planted", better=same), proposal("wrong threshold", better=other, phi=0.7), seed=3),
        row(proposal("planted"), proposal("wrong threshold", phi=0.75), seed=4),
        row(proposal("planted"), seed=5),
    ]
    page = publish(rows, "v")
    shown = cells(page, "A wrong threshold")
    assert shown["another threshold is named"].startswith("50 ")
    assert shown["of the named, the true one"].startswith("50 ")
    assert shown["of the true rule: another threshold called better"].startswith("25 ")
    assert shown["another behaviour called better"].startswith("25 ")
    assert [cells(page, "A wrong threshold, by how wrong it is", line)["runs"] for line in (0, 1)] == ["1", "3"]


def test_coverage_is_that_of_the_true_difference():
    rows = [row(proposal("vanity", overlap=0.0)), row(proposal("vanity", overlap=0.06), seed=2)]
    shown = cells(publish(rows, "v"), "The ordinary intervals")
    assert (shown["intervals"], shown["cover the true difference, %"][:3]) == ("2", "50 ")
    assert shown["bias, points"].startswith("9.0")
    assert shown["half-width, points"].startswith("7.0")


def test_experiments_are_counted_with_and_without():
    rows = [
        row(
            tried=(
                tried("wrong milestone", "does not hold", effect=0.3),
                tried("planted", "holds", effect=0.3, upper=0.9, claims="intention to treat"),
            ),
            world="past_experiment",
        ),
        row(tried=(tried("wrong milestone", "holds", mismatch=True),), world="past_experiment", seed=2),
    ]
    shown = cells(publish(rows, "v"), "Past experiments")
    assert shown["wrong holds, without"].startswith("100 ")
    assert shown["wrong holds, with"].startswith("50 ")
    assert shown["wrong refused, with"].startswith("50 ")
    assert shown["right holds, with"].startswith("100 ")
    assert shown["claims the intention to treat alone, %"].startswith("33 ")
    assert shown["split said to be broken, %"].startswith("33 ")
    assert shown["of the claimed, the set holds the true effect, %"].startswith("50 ")
    assert shown["half-width, points"].startswith("10.0")


def test_failures_count_nowhere_and_are_named():
    page = publish([row(proposal("planted")), failure(("easy", 10, 7), "v", "RuntimeError: no")], "v")
    assert cells(page, "The true milestone")["runs"] == "1"
    assert "`easy`, 10 accounts, seed 7: RuntimeError: no" in page
    assert "0 runs" in publish([], "v")
