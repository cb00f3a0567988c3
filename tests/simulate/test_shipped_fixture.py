"""The shipped world is the one its command makes, small, and clear enough to be found."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from discovery.simulate import simulate_world

DEMO = Path(__file__).parents[2] / "data_fixtures" / "demo"
TRUTH = json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def remade(tmp_path_factory):
    world = simulate_world(TRUTH["world"], accounts=TRUTH["accounts"], seed=TRUTH["seed"])
    return world, world.write(tmp_path_factory.mktemp("remade"))


def test_the_command_in_the_readme_is_the_one_in_the_truth():
    assert f"{TRUTH['command']} --out data_fixtures/demo\n" in (DEMO / "README.md").read_text(encoding="utf-8")


def test_remaking_the_fixture_changes_nothing(remade):
    world, folder = remade
    assert pq.read_table(DEMO / "events.parquet").equals(world.events)
    assert (DEMO / "accounts.csv").read_text() == (folder / "accounts.csv").read_text()
    written = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    for told in ("effects", "candidates"):
        remade_effects = pd.DataFrame(written.pop(told)).T.astype(float)
        shipped_effects = pd.DataFrame(TRUTH[told]).T.astype(float)
        pd.testing.assert_frame_equal(remade_effects, shipped_effects, rtol=1e-6, atol=1e-8)
    shipped = {key: value for key, value in TRUTH.items() if key not in ("effects", "candidates")}
    since_then = {"rungs": [[step] for step in TRUTH["chain"][1:-1]], "hindrance": None}
    since_then |= {"wrong_milestone": None, "experiments": {}}
    assert written == since_then | shipped


def test_the_numbers_in_the_readme_are_those_of_the_truth():
    readme = (DEMO / "README.md").read_text(encoding="utf-8")
    effect = TRUTH["effects"][TRUTH["planted"][0]]
    assert f"{pq.read_metadata(DEMO / 'events.parquet').num_rows:,} events" in readme
    assert f"{TRUTH['accounts']:,} accounts" in readme
    assert f"worth {100 * effect['average_difference']:.1f}" in readme
    assert f"draw is {100 * effect['naive_difference']:.1f} points" in readme


def test_the_fixture_is_under_a_megabyte():
    assert sum(path.stat().st_size for path in DEMO.iterdir()) < 1_000_000


def test_the_planted_rule_passes_a_bonferroni_bound_within_strata_of_volume():
    """Mantel-Haenszel within plan x fifths of the other events' volume; |z| > 4.1 is 0.05 over 1,000 candidates."""
    accounts = pd.read_csv(DEMO / "accounts.csv", parse_dates=["signup_at", "churned_at"], index_col="account_id")
    events = pd.read_parquet(io.BytesIO((DEMO / "events.parquet").read_bytes()))
    stay = accounts.churned_at - accounts.signup_at
    mature = accounts.signup_at + pd.Timedelta(days=90) <= events.timestamp.max()
    frame = accounts[mature & ~(stay < pd.Timedelta(days=14))].copy()
    frame["retained"] = ~(stay[frame.index] < pd.Timedelta(days=90))
    lag = events.timestamp - events.account_id.map(accounts.signup_at)
    shared = events[(events.event == "report_shared") & (lag < pd.Timedelta(days=7))].groupby("account_id").size()
    other = events[(events.event != "report_shared") & (lag < pd.Timedelta(days=14))].groupby("account_id").size()
    frame["met"] = shared.reindex(frame.index, fill_value=0) >= 2
    frame["volume"] = pd.qcut(other.reindex(frame.index, fill_value=0), 5, labels=False)
    excess = variance = 0.0
    for _, cell in frame.groupby(["plan", "volume"]):
        n, a, r = len(cell), cell.met.sum(), cell.retained.sum()
        excess += (cell.met & cell.retained).sum() - a * r / n
        variance += a * (n - a) * r * (n - r) / (n**2 * (n - 1))
    assert excess / np.sqrt(variance) > 5
