"""The spec that explains itself: it holds the settings and nothing else, whatever events are called."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.export.commented_spec import commented_spec
from discovery.results import AliasSuggestion, Choice, EventProfile, Profile, PropertyProfile, QualityFinding
from discovery.spec import build_spec, load_spec


def event(name, kind=None, *, sure=False, passive=False, reason="its name"):
    return EventProfile(
        event=name, rows=10, share=0.1, accounts=5, users=None, reach=0.5, median_hours=1.0, users_per_account=None,
        rows_per_account=2.0, at_signup=False, kind=kind, passive=passive, sure=sure, reason=reason,
    )  # fmt: skip


def profile(**parts) -> Profile:
    usual = {
        "format": "table", "format_reason": "a plain table", "events_rows": 100, "events_used": 100,
        "event_names": 3, "accounts": 5, "users": 7, "starts": "2025-01-01T00:00:00+00:00",
        "ends": "2025-06-01T00:00:00+00:00", "landmark": 5, "with_outcome": 4, "base_rate": 0.5, "shortfall": "",
        "accounts_derived": False, "signup_from": "table", "recognised": (), "events": (), "properties": (),
        "aliases": (), "choices": (), "settings": {}, "quality": (),
    }  # fmt: skip
    return Profile(**{**usual, **parts})


SETTINGS = {
    "events": {"from": "/here/events.csv", "account": "account_id", "time": "at"},
    "accounts": {"from": "/here/accounts.csv", "segments": ("channel",)},
    "outcome": {"kind": "retained", "by_day": 60},
    "candidates": {"window_days": 14},
}


def written(made: Profile, settings=SETTINGS, folder="/here") -> str:
    return commented_spec(made, settings, folder)


def test_the_file_loads_to_the_settings(tmp_path):
    (tmp_path / "discover.toml").write_text(written(profile(), folder="/here"), encoding="utf-8")
    loaded = load_spec(tmp_path / "discover.toml")
    expected = build_spec(
        {
            **SETTINGS,
            "events": {**SETTINGS["events"], "from": str(tmp_path / "events.csv")},
            "accounts": {**SETTINGS["accounts"], "from": str(tmp_path / "accounts.csv")},
        }
    )
    assert loaded == expected


@pytest.mark.parametrize(
    ("source", "folder", "expected"),
    [
        ("/here/events.csv", "/here", "events.csv"),
        ("/here/export/events.csv", "/here", "export/events.csv"),
        ("/here/export/*.parquet", "/here/study", "../export/*.parquet"),
        ("/elsewhere/far/off/events.csv", "/here/is/the/study", "/elsewhere/far/off/events.csv"),
        ("duckdb:///here/crm.duckdb", "/here", "duckdb://crm.duckdb"),
        ("postgres://crm/events", "/here", "postgres://crm/events"),
    ],
)
def test_paths_near_the_spec_are_written_as_seen_from_it(source, folder, expected):
    made = written(profile(), {"events": {"from": source}}, folder)
    assert tomllib.loads(made)["events"]["from"] == expected


def test_a_file_called_events_is_not_taken_for_derived_accounts():
    made = tomllib.loads(written(profile(), {"accounts": {"from": "/here/events"}}))
    assert made["accounts"]["from"] == "./events"
    assert tomllib.loads(written(profile(), {"accounts": {"from": "events"}}))["accounts"]["from"] == "events"


def test_a_guess_that_is_not_taken_waits_inside_the_list():
    made = profile(events=(event("login", "vanity", sure=True), event("page_seen", "vanity", reason="looking")))
    text = written(made, {"kinds": {"vanity": ("login",)}})
    assert tomllib.loads(text)["kinds"] == {"vanity": ["login"]}
    taken = tomllib.loads(text.replace('# "page_seen"', '"page_seen"'))
    assert taken["kinds"] == {"vanity": ["login", "page_seen"]}


def test_an_event_in_one_list_is_not_suggested_for_another():
    made = profile(events=(event("shared", "value"), event("shared", "collaboration")))
    assert "perhaps" not in written(made, {"kinds": {"setup": ("shared",)}})


def test_aliases_that_are_not_taken_are_commented_out_and_those_recorded_together_only_said():
    made = profile(
        aliases=(
            AliasSuggestion(name="a", spellings=("A",), rows=(3, 2), merge="yes", reason="case"),
            AliasSuggestion(name="b", spellings=("bs",), rows=(3, 2), merge="perhaps", reason="number"),
            AliasSuggestion(name="c", spellings=("C",), rows=(3, 2), merge="no", reason="same second"),
        )
    )
    text = written(made, {"events": {"aliases": {"a": ("A",)}}})
    assert tomllib.loads(text)["events"]["aliases"] == {"a": ["A"]}
    assert '# b = ["bs"]' in text
    assert "not merged: c (3 rows), C (2 rows): same second" in text
    assert '# c = ["C"]' not in text


def test_a_merge_and_what_is_kept_apart_from_it_are_both_said():
    made = profile(
        aliases=(
            AliasSuggestion(name="a", spellings=("A",), rows=(3, 2), merge="yes", reason="case"),
            AliasSuggestion(name="a", spellings=("a ",), rows=(3, 2), merge="no", reason="same second"),
        )
    )
    text = written(made, {"events": {"aliases": {"a": ("A",)}}})
    assert "# a (3 rows), A (2 rows): case" in text
    assert "not merged: a (3 rows), a (2 rows): same second" in text


def test_properties_and_questions_without_an_answer_are_commented_out():
    channel = PropertyProfile(
        name="channel", holds="text", filled=0.5, distinct=2, examples=("a", "b"), suggested=True, reason="2 values"
    )
    motion = Choice(
        section="product", key="motion", question="How?", value="", options=("plg", "sales"), reason="it says"
    )
    text = written(profile(properties=(channel,), choices=(motion,)))
    assert "properties" not in tomllib.loads(text)["candidates"]
    assert '#     "channel",  # 2 values (a, b)' in text
    assert '# motion = "plg"  # or "sales"' in text
    everything = "\n".join(re.sub(r"^# (?=motion|properties|    \"|\])", "", line) for line in text.splitlines())
    opened = build_spec(tomllib.loads(everything))
    assert (opened.candidates.properties, opened.product.motion) == (("channel",), "plg")


def test_what_a_finding_suggests_is_pasted_commented_out():
    finding = QualityFinding(
        code="internal_users", severity="warning", message="1 user is named like a tester.", count=1, share=0.1,
        examples=(), remedy="Leave it out.", paste='[events]\nleave_out_users = ["qa"]',
    )  # fmt: skip
    text = written(profile(quality=(finding,)))
    assert '# leave_out_users = ["qa"]' in text
    assert "leave_out_users" not in tomllib.loads(text)["events"]
    assert "internal_users: 1 user is named like a tester." in text


LONG = "its name speaks of setting up; done 3 times in the median account, first 4 hours after signup, by few"


def test_a_reason_too_long_for_the_line_stands_above_the_name():
    texts = PropertyProfile(
        name="kind", holds="text", filled=0.5, distinct=2, examples=("a" * 30,), suggested=True, reason=LONG
    )
    made = profile(
        events=(event("csv_imported", "setup", sure=True, reason=LONG), event("invited", "setup", reason=LONG)),
        properties=(texts,),
    )
    text = written(made, {"kinds": {"setup": ("csv_imported",)}, "candidates": {"window_days": 14}})
    assert [line for line in text.splitlines() if len(line) > 100] == []
    assert re.search(r"\n    # its name speaks[^\n]*\n    # [^\n]*few\n    \"csv_imported\",\n", text)
    assert text.count("# perhaps: ") == 1
    assert re.search(r"few\n    # \"invited\",\n\]", text)
    everything = re.sub(r"^# (?=properties|    |\])", "", text, flags=re.MULTILINE)
    assert tomllib.loads(everything)["candidates"]["properties"] == ["kind"]


def test_silence_is_not_offered_as_leaving():
    derived = profile(accounts_derived=True, signup_from="posthog", format="posthog")
    settings = {"accounts": {"from": "events", "segments": ()}}
    text = written(derived, settings)
    assert "silence" not in text
    assert "Signup: as PostHog's groups tell, else each account's first event." in " ".join(text.split("\n# "))
    asked = written(derived, {"accounts": {"from": "events", "silence_days": 30}})
    assert "never counts as leaving" in asked


def test_too_little_for_an_answer_is_said_where_the_outcome_is_the_one_looked_at():
    made = profile(shortfall="only 53 accounts have a known outcome", settings=SETTINGS)
    assert "insufficient: only 53 accounts have a known outcome." in written(made)
    assert "insufficient" not in written(made, {**SETTINGS, "outcome": {"kind": "retained", "by_day": 30}})


def test_segments_without_any_say_what_follows():
    none = written(profile(), {"accounts": {"segments": ()}})
    assert "# Without a trait known at signup the best possible verdict is a lead.\nsegments = []" in none
    assert "a lead" not in written(profile(), SETTINGS)


def test_rows_that_are_no_events_are_told_apart():
    assert "# Read: 100 rows, 80 of them events that count, of 3 names" in written(profile(events_used=80))
    assert "# Read: 100 events, of 3 names" in written(profile())


def test_a_reason_that_begins_with_a_name_keeps_it():
    choice = Choice(
        section="outcome", key="by_day", question="?", value=60, options=(60,), reason="context.groupId: 60 different"
    )
    assert "# context.groupId: 60 different." in written(profile(choices=(choice,)))


NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)


@given(st.lists(NAMES, min_size=1, max_size=8, unique=True), NAMES)
def test_any_name_is_written_and_read_as_it_is(names, reason):
    taken, weak = names[: len(names) // 2], names[len(names) // 2 :]
    made = profile(
        events=(
            *(event(name, "risk", sure=True, reason=reason) for name in taken),
            *(event(name, "risk", reason=reason) for name in weak),
        ),
        aliases=(AliasSuggestion(name=names[0], spellings=(reason,), rows=(1, 1), merge="perhaps", reason=reason),),
    )
    settings = {"kinds": {"risk": tuple(taken)}, "events": {"aliases": {names[0]: (reason,)}}}
    read = tomllib.loads(written(made, settings))
    assert read.get("kinds", {}).get("risk", []) == taken
    assert read["events"]["aliases"] == {names[0]: [reason]}


def test_every_setting_stands_in_the_order_of_the_documentation():
    text = written(profile(), {**SETTINGS, "ladder": {"rungs": (3, 6)}, "identity": {"from": "/here/users.csv"}})
    assert re.findall(r"^\[(\w+)\]", text, re.MULTILINE) == [
        "events", "accounts", "identity", "outcome", "candidates", "ladder"
    ]  # fmt: skip
    assert Path(tomllib.loads(text)["identity"]["from"]).name == "users.csv"
