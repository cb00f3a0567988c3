"""The profile of a study, and that the spec it suggests says no more and no less than it claims."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import discovery
from discovery.export.commented_spec import commented_spec
from discovery.spec import build_spec, load_spec
from discovery.suggest import settled
from tests.exports import amplitude, posthog, segment
from tests.exports.plain import loaded_flags, plain_log
from tests.intake.tables import clean_accounts, clean_events


@pytest.fixture(scope="module")
def world():
    return discovery.simulate_world("chain", accounts=400, seed=5)


@pytest.fixture(scope="module")
def profile(world):
    return discovery.Study(world.events, world.accounts).profile()


def test_the_profile_counts_what_there_is(world, profile):
    events, accounts = world.events.to_pandas(), world.accounts.to_pandas()
    assert (profile.events_rows, profile.accounts) == (len(events), len(accounts))
    assert profile.event_names == events.event.nunique()
    assert profile.users == events.groupby("account_id").user_id.nunique().sum()
    joined = events.merge(accounts, on="account_id")
    lag = joined.timestamp - joined.signup_at
    early = joined[(lag >= pd.Timedelta(0)) & (lag < pd.Timedelta(days=14))]
    for each in profile.events:
        rows = early[early.event == each.event]
        assert each.rows == (events.event == each.event).sum()
        assert each.reach == pytest.approx(rows.account_id.nunique() / len(accounts), abs=0.05)  # of the landmark


def test_the_settings_are_a_spec_and_the_choices_are_in_it(profile):
    assert build_spec(profile.settings)
    for choice in profile.choices:
        held = profile.settings.get(choice.section, {}).get(choice.key)
        assert (held or ()) == (choice.value or ()), choice


def test_an_answer_replaces_a_suggestion_and_nothing_else(profile):
    answers = {"outcome.by_day": 45, "product.motion": "plg", "kinds.vanity": ()}
    made = settled(profile.settings, profile.choices, answers)
    assert (made["outcome"]["by_day"], made["product"]["motion"]) == (45, "plg")
    assert "vanity" not in made["kinds"]
    assert made["events"] == profile.settings["events"]


def test_the_json_names_its_schema_and_holds_no_nan(profile):
    made = json.loads(profile.to_json())
    assert made["schema"] == 1
    assert "NaN" not in profile.to_json()
    assert len(profile.to_frame()) == len(profile.events)


def test_other_spellings_are_dropped_from_the_kinds():
    events = clean_events()
    events.loc[events.event == "opened", "event"] = "login"
    events.loc[events.index % 7 == 0, "event"] = events.event.str.title()
    made = discovery.Study(events, clean_accounts()).profile()
    assert {each.name: each.merge for each in made.aliases} == {"login": "yes", "shared": "yes"}
    assert made.settings["events"]["aliases"] == {"login": ("Login",), "shared": ("Shared",)}
    assert made.settings["kinds"]["vanity"] == ("login",)
    apart = settled(made.settings, made.choices, {"events.aliases": {}})
    assert set(apart["kinds"]["vanity"]) == {"login", "Login"}


def test_what_the_spec_says_is_kept_and_not_asked():
    asked = {"outcome": {"by_day": 20}, "kinds": {"value": ["opened", "gone"]}, "events": {"timezone": "UTC"}}
    made = discovery.Study(clean_events(), clean_accounts(), asked).profile()
    assert made.settings["outcome"].get("by_day", 90) == 20 or made.settings["outcome"]["kind"] == "active"
    assert set(made.settings["kinds"]["value"]) == {"opened", "gone"}
    assert "timezone" not in {choice.key for choice in made.choices}


def test_the_zone_and_the_account_are_asked_for_where_there_is_doubt():
    events = clean_events()
    made = discovery.Study(events.assign(workspace_id=events.account_id), clean_accounts()).profile()
    asked = {choice.key: choice for choice in made.choices if choice.rereads}
    assert asked["account"].options == ("account_id", "workspace_id")
    assert asked["timezone"].value == "UTC"


def test_accounts_read_off_the_events_are_asked_when_they_signed_up():
    events = clean_events()
    first = events.groupby("account_id").timestamp.min().reset_index()
    signups = first.assign(event="account_created", user_id=None, timestamp=first.timestamp - pd.Timedelta(seconds=1))
    made = discovery.Study(pd.concat([signups, events]), None).profile()
    assert made.accounts_derived
    assert made.settings["accounts"]["from"] == "events"
    (choice,) = (choice for choice in made.choices if choice.key == "signup_event")
    assert (choice.value, choice.options) == ("", ("account_created",))


def test_an_export_that_tells_signups_is_not_asked_for_them(tmp_path):
    export = next(each for each in posthog.EXPORTS if each.name == "posthog/jsonl")
    events, _ = export.write(plain_log(40), tmp_path)
    made = discovery.Study(str(events)).profile()
    assert (made.accounts_derived, made.signup_from) == (True, "posthog")
    assert "signup_event" not in {choice.key for choice in made.choices}
    assert made.events_used == sum(each.rows for each in made.events) < made.events_rows
    assert "at least 100 are needed" in made.shortfall
    reasons = {c.column: c.reason for c in made.recognised if c.role == "segment"}
    assert reasons["plan"].startswith("as first told")


def test_an_empty_window_has_a_profile_too():
    accounts = clean_accounts().assign(signup_at=pd.Timestamp("2024-06-01"))  # after all events
    made = discovery.Study(clean_events(), accounts).profile()
    assert made.landmark == 0
    assert all(each.reach == 0 and each.median_hours is None for each in made.events)


@pytest.mark.parametrize("export", [amplitude.EXPORTS[0], segment.EXPORTS[2]], ids=lambda export: export.name)
def test_an_export_read_by_its_suggested_spec_gives_the_same_flags(export, tmp_path):
    events, accounts = export.write(plain_log(40), tmp_path)
    made = discovery.Study(str(events), str(accounts) if accounts else None).profile()
    (tmp_path / "discover.toml").write_text(commented_spec(made, made.settings, tmp_path), encoding="utf-8")
    suggested = loaded_flags(None, None, load_spec(tmp_path / "discover.toml"))
    assert made.format == export.name.partition("/")[0]
    merged = build_spec({"events": {"aliases": made.settings["events"].get("aliases", {})}})
    assert suggested == loaded_flags(str(events), str(accounts) if accounts else None, merged)
