"""What must not matter to a whole study: names, order, repeats, the hour it is run at, and the future."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import discovery

from ..study.habits import without_habits

SPEC = {"accounts": {"segments": ["plan"]}, "outcome": {"kind": "retained"}, "candidates": {"conjunctions": 1}}
OUTCOMES = {
    "retained": SPEC,
    "active": {**SPEC, "outcome": {"kind": "active"}},
}


@pytest.fixture(scope="module")
def world():
    made = discovery.simulate_world("easy", accounts=700, seed=11)
    return made.events.to_pandas(), made.accounts.to_pandas()


@pytest.fixture(scope="module", params=OUTCOMES)
def asked(request, world):
    spec = OUTCOMES[request.param]
    return spec, text(discovery.Study(*world, spec).run())


def text(result):
    """Return the bytes of `result.json` without what says where it came from."""
    values = json.loads(result.to_json())
    for key in ("provenance", "recognised", "quality"):
        values.pop(key)
    return json.dumps(values)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(world, asked):
    spec, expected = asked
    assert text(discovery.Study(*world, spec).run()) == expected
    assert text(discovery.Study(*world, spec, inference={"seed": 7}).run()) != expected


def test_names_order_and_repeated_rows_are_irrelevant(world, asked):
    spec, expected = asked
    events, accounts = (table.copy() for table in world)
    names = dict(zip(accounts["account_id"], np.random.default_rng(3).permutation(10**6)[: len(accounts)], strict=True))
    for table in (events, accounts):
        table["account_id"] = "x" + table["account_id"].map(names).astype(str)
    events["user_id"] = "u" + events["user_id"].astype(str)
    events = pd.concat([events, events.sample(frac=0.2, random_state=1)]).sample(frac=1, random_state=2)
    assert text(discovery.Study(events, accounts.sample(frac=1, random_state=3), spec).run()) == expected


def early_only(world):
    """Return a log that ends with each account's window, with one end of observation for all, and lives in days."""
    events, accounts = world
    events = events.merge(accounts[["account_id", "signup_at"]], on="account_id")
    events = events[events["timestamp"] < events["signup_at"] + pd.Timedelta(days=14)].drop(columns="signup_at")
    return events, accounts, accounts["signup_at"].max() + pd.Timedelta(days=91)


def test_who_stays_decides_nothing_about_what_is_compared(world):
    """The same lives after the landmark, dealt to other accounts: rules, reach and eligibility stay the same."""
    events, accounts, end = early_only(world)
    spec = {**SPEC, "accounts": {"segments": ["plan"], "observed_until": f"{end:%Y-%m-%d}"}}
    lived = accounts["churned_at"] - accounts["signup_at"]
    alive = np.flatnonzero(~(lived < pd.Timedelta(days=14)))
    dealt = lived.to_numpy().copy()
    dealt[alive] = dealt[np.random.default_rng(5).permutation(alive)]
    moved = accounts.assign(churned_at=accounts["signup_at"] + pd.Series(dealt, index=accounts.index))
    one, other = (discovery.Study(events, these, spec).run() for these in (accounts, moved))
    assert one.population == other.population
    same = ["family", "milestone", "eligible", "reach", "n_reached"]
    pd.testing.assert_frame_equal(one.candidates.to_frame()[same], other.candidates.to_frame()[same])
    assert one.searched == other.searched
    assert {f.family for f in one.ranking if f.rank is None} == {f.family for f in other.ranking if f.rank is None}
    assert one.candidates.to_frame()["score"].corr(other.candidates.to_frame()["score"]) < 0.9


def test_events_after_the_window_change_nothing_that_is_ranked(world):
    """Whatever accounts do later, of old and of new names."""
    events, accounts, end = early_only(world)
    spec = {**SPEC, "accounts": {"segments": ["plan"], "observed_until": f"{end:%Y-%m-%d}"}}
    rng = np.random.default_rng(6)
    later = accounts.sample(frac=0.8, random_state=7)
    days = pd.to_timedelta(rng.uniform(14, 20, len(later)), unit="D")
    noise = pd.DataFrame(
        {
            "account_id": later["account_id"],
            "user_id": "late",
            "event": rng.choice([*events["event"].unique(), "something_new"], len(later)),
            "timestamp": later["signup_at"] + days,
            "event_id": [f"late{i}" for i in range(len(later))],
        }
    )
    both = pd.concat([events, noise[events.columns]])
    one, other = (discovery.Study(log, accounts, spec).run() for log in (events, both))
    assert without_habits(json.loads(text(one))) == without_habits(json.loads(text(other)))
