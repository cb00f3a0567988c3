"""The tables of a world: their shape, their clockwork, and their sameness from run to run."""

import hashlib
import json
import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.errors import InputError, OutputError
from discovery.milestone import Milestone
from discovery.simulate import WORLDS, simulate_world
from discovery.spec import StudySpec

EVENT_COLUMNS = ["account_id", "user_id", "event", "timestamp", "event_id"]
ACCOUNT_COLUMNS = ["account_id", "signup_at", "churned_at", "plan", "channel", "company_size", "seats"]
PLAIN = ["easy", "confounded", "chain", "leaky", "null", "confounded_null"]
FIRST_TABLES = {  # events and accounts of 400 accounts under seed 7, from before any other world was added
    "easy": (
        "df5ea95d27bf4592a6063533e5cfbf1619f9c654db4f72c58440cb5285245b9a",
        "02fcd3d8e8117d4867d1104a8a3f181d68b8d5e6346fdbec83d989b8de098f10",
    ),
    "confounded": (
        "f8fe8a3355c61ce822dddc152ec0ef61535b56cee5b04f98116ad19e3e1d44cb",
        "ffebc577dc25d8966e213db2a0c817f6d93fb3e525c4d3ad177fc116d7a5571a",
    ),
    "chain": (
        "db41a33ee4f5e7bf4b6cf44a072c4e0412c987c158e941816d8a0f52b485d018",
        "29135cf39383d086c354057ca7a3f46a6e608a646047cda57e9f9edcca05858e",
    ),
    "leaky": (
        "b7fd0748e3c0e084938c6c38a19eded46131f88fa62ce0e07f18c410f0ebd3c3",
        "2bca58bd0dfe55eb10219e7b4da23b89b78b04edc3eab0520b2fc5f9c0798416",
    ),
    "null": (
        "71ea785c7f580cd97bd70e492bf9e5576ff76c34e2b75f410282d6ce3bf0e22f",
        "d6f537bfc7d4153da85147ca0a80cd3f1219a6f1daa2aad73b526c2a83dcf2ff",
    ),
    "confounded_null": (
        "b22e68fd08a48a45332c18e94b5a4b844c6210564c85cbd0412e9f67d35e7fed",
        "9342725b0c48eb49ec2c41267dfd47abb513d95129b7de2ee353347c01514ba5",
    ),
}

LATER_TABLES = {  # the same of the other worlds, from before any company had run an experiment; 16 digits suffice
    "dose_response": "d35e4ddd2885a8ff",
    "multi_user": "ff6406b3535c3647",
    "conjunction": "a73d1174a1e66da8",
    "segment_only": "bb3a7be109517ae8",
    "hidden_trait": "9b92d97900d88164",
    "drift": "fcf382b4b46103a6",
    "early_churn": "e9e4a1e6c94eb003",
    "separable": "8a48b3e33e7cc0a5",
    "rare_outcome": "d921347b8beaf1de",
    "renewal": "950f4cb855a2e33c",
    "seasonal": "f1f284f96d980de7",
    "untracked": "d2f0862357dd7561",
    "duplicated": "a8d90d51763372fd",
    "launched": "a518f88408aa22b7",
    "uneven_sizes": "58fcd6141747d6a2",
    "inertia_null": "126e7dbfe32d5ddc",
    "inertia_planted": "590ae3621cc51887",
    "chain_skips": "2e5d34b0cf6f4b8d",
    "chain_untracked": "6cf55fc05adf6346",
    "chain_alternatives": "7a5d5f3bbeeadf59",
    "chain_branches": "5033f3a4495c2c50",
    "chain_launched": "408038a10c9cd315",
    "chain_errors": "1bca5cfa2dc291b2",
    "random": "4a2fc92f2bd76088",
    "random_null": "2125a4a88aef69f7",
    "random_hidden": "493acb563decf7b5",
    "random_segment": "7bb5c7da7086f116",
    "random_conjunction": "cf01b57fd357b16c",
    "random_chain": "a854e41444322c7e",
    "random_no_chain": "c420bff87d961b1e",
}


def with_lag(world) -> pd.DataFrame:
    events = world.events.to_pandas().merge(world.accounts.to_pandas(), on="account_id")
    events["lag"] = events.timestamp - events.signup_at
    return events


def digest(*tables: pa.Table) -> str:
    """Return the SHA-256 of every value in turn, times as microseconds."""
    values = ""
    for table in tables:
        plain = [c.cast(pa.int64()) if pa.types.is_timestamp(c.type) else c for c in table.columns]
        values += json.dumps([table.column_names, *(column.to_pylist() for column in plain)])
    return hashlib.sha256(values.encode()).hexdigest()


@pytest.mark.parametrize("name", WORLDS)
def test_tables_have_the_promised_columns_and_types(name):
    world = simulate_world(name, accounts=200, seed=3)
    assert world.events.column_names == EVENT_COLUMNS
    inertia = world.truth.spec["outcome"]["kind"] == "active"
    columns = [name for name in ACCOUNT_COLUMNS if not (inertia and name == "churned_at")]
    assert world.accounts.column_names == [*columns, *world.truth.experiments]
    moment = pa.timestamp("us", tz="UTC")
    assert world.events.schema.field("timestamp").type == moment
    assert world.accounts.schema.field("signup_at").type == moment
    assert inertia or world.accounts.schema.field("churned_at").type == moment
    assert world.events.schema.field("account_id").type == pa.string()
    assert world.accounts["account_id"][0].as_py() == "acc_00001"


@settings(max_examples=12, deadline=None)
@given(name=st.sampled_from(sorted(WORLDS)), accounts=st.integers(1, 60), seed=st.integers(0, 10_000))
def test_every_world_is_sound_however_small(name, accounts, seed):
    world = simulate_world(name, accounts=accounts, seed=seed)
    events = with_lag(world)
    assert len(world.accounts) == len(world.potential) == accounts
    assert len(events) == len(world.events)  # no event of an unknown account
    assert events.drop_duplicates().event_id.is_unique  # rows sent twice under one id are alike
    assert (events.lag >= pd.Timedelta(0)).all()
    assert "churned_at" not in events or not (events.timestamp >= events.churned_at).any()
    assert events.groupby("user_id").account_id.nunique().max() == 1
    assert (events.groupby("account_id").user_id.nunique() <= events.groupby("account_id").seats.first()).all()
    assert world.events["timestamp"].to_pandas().is_monotonic_increasing
    assert not world.events.to_pandas().isna().any().any()
    hidden = world.potential.to_pandas()
    assert ((hidden.stays == hidden.stays_with) | (hidden.stays == hidden.stays_without)).all()
    assert hidden[["stays", "stays_with", "stays_without"]].stack().between(0, 1).all()


@pytest.mark.parametrize("name", PLAIN)
def test_the_default_size_is_a_year_of_a_busy_product(name):
    world = simulate_world(name, seed=5)
    events = with_lag(world)
    accounts = world.accounts.to_pandas()
    assert 240_000 < len(events) < 360_000
    assert 18 <= events.event.nunique() <= 26
    assert world.truth.mature_accounts / world.truth.landmark_accounts > 0.8
    assert 0.03 < (accounts.churned_at - accounts.signup_at < pd.Timedelta(days=14)).mean() < 0.12
    assert 0.2 < accounts.churned_at.isna().mean() < 0.7
    created = events[events.event == "workspace_created"].groupby("account_id").lag.min()
    assert (created < pd.Timedelta(minutes=5)).all()
    assert len(created) == 5000
    week_four = events[(events.lag >= pd.Timedelta(days=21)) & (events.lag < pd.Timedelta(days=28))]
    assert 0.4 < week_four.account_id.nunique() / 5000 < 0.85
    per_account = events.groupby("account_id").size()
    assert per_account.quantile(0.99) > 3 * per_account.median()
    assert events.timestamp.dt.hour.between(8, 18).mean() > 0.8
    assert (events.timestamp.dt.dayofweek >= 5).mean() < 0.12


@pytest.mark.parametrize("name", ["easy", "random", "random_conjunction"])
def test_the_default_size_is_made_in_under_two_seconds(name):
    simulate_world(name, accounts=10)
    start = time.process_time()
    simulate_world(name, seed=1)
    assert time.process_time() - start < 2.0


@pytest.mark.parametrize("name", PLAIN)
def test_the_first_worlds_never_change(name):
    world = simulate_world(name, accounts=400, seed=7)
    assert tuple(digest(table) for table in (world.events, world.accounts)) == FIRST_TABLES[name]


@pytest.mark.parametrize("name", LATER_TABLES)
def test_the_worlds_without_experiments_never_change(name):
    world = simulate_world(name, accounts=400, seed=7)
    assert digest(world.events, world.accounts)[:16] == LATER_TABLES[name]


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        for kind in ("parquet", "csv"):
            simulate_world("leaky", accounts=150, seed=9).write(tmp_path / folder / kind, format=kind)
    assert (tmp_path / "one" / "csv" / "events.csv.gz").read_bytes()[4:8] == bytes(4)  # gzip's own clock is left out
    written = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*"))
    assert [path.name for path in written] == [
        "accounts.csv",
        "events.csv.gz",
        "truth.json",
        "accounts.csv",
        "events.parquet",
        "truth.json",
    ]
    for path in written:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes(), path


def test_another_seed_is_another_world_with_the_same_plant():
    one, two = simulate_world("easy", accounts=400, seed=1), simulate_world("easy", accounts=400, seed=2)
    assert one.truth.planted == two.truth.planted
    assert not one.accounts["seats"].equals(two.accounts["seats"])
    assert one.accounts["signup_at"].to_pylist() != two.accounts["signup_at"].to_pylist()
    rule = one.truth.planted[0]
    assert one.truth.effects[rule].average_difference != two.truth.effects[rule].average_difference


def test_both_formats_read_back_as_the_tables(tmp_path):
    world = simulate_world("chain", accounts=120, seed=4)
    parquet = pd.read_parquet(world.write(tmp_path / "p") / "events.parquet")
    pd.testing.assert_frame_equal(parquet, world.events.to_pandas())
    folder = world.write(tmp_path / "c", format="csv")
    events = pd.read_csv(folder / "events.csv.gz", parse_dates=["timestamp"])
    assert (events.timestamp.to_numpy("datetime64[s]") == parquet.timestamp.to_numpy("datetime64[s]")).all()
    accounts = pd.read_csv(folder / "accounts.csv", parse_dates=["signup_at", "churned_at"])
    expected = world.accounts.to_pandas()
    assert list(accounts.columns) == ACCOUNT_COLUMNS
    assert accounts.churned_at.isna().tolist() == expected.churned_at.isna().tolist()
    np.testing.assert_array_equal(accounts.churned_at.to_numpy("M8[s]"), expected.churned_at.to_numpy("M8[s]"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"world": "paradise"}, "easy, confounded, chain, leaky, null, confounded_null"),
        ({"world": "easy", "accounts": 0}, "at least 1 account, not 0"),
        ({"world": "easy", "seed": -1}, "0 or more, not -1"),
    ],
)
def test_impossible_worlds_are_refused_with_a_remedy(arguments, message):
    with pytest.raises(InputError, match=message):
        simulate_world(**arguments)


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path):
    (tmp_path / "taken").write_text("a file")
    world = simulate_world("null", accounts=5)
    with pytest.raises(OutputError, match="taken"):
        world.write(tmp_path / "taken")
    with pytest.raises(InputError, match="parquet or csv"):
        world.write(tmp_path / "free", format="xlsx")
    assert not (tmp_path / "free").exists()


@pytest.mark.parametrize("name", WORLDS)
def test_the_suggested_spec_is_a_spec_and_the_names_exist(name):
    world = simulate_world(name, accounts=300, seed=1)
    truth = world.truth
    spec = StudySpec.model_validate(truth.spec)
    assert set(spec.accounts.segments) <= set(ACCOUNT_COLUMNS)
    assert set(spec.kinds.outcome_adjacent) <= set(truth.outcome_adjacent)
    assert name not in PLAIN or spec.kinds.outcome_adjacent == truth.outcome_adjacent
    seen = set(world.events["event"].to_pylist())
    named = {*truth.planted_events, *truth.chain, *truth.vanity_events, *truth.decoy_events, *truth.outcome_adjacent}
    assert named <= seen
    json.dumps(dict(truth.settings), allow_nan=False)
    assert all(str(Milestone.parse(text)) == text for text in (*truth.planted, *truth.effects))
    assert truth.command == f"discover simulate {name} --accounts 300 --seed 1"
