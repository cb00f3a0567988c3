"""Ids that stand for nobody, for many, or for the wrong thing are found; ordinary ones are not."""

from __future__ import annotations

import tomllib

import numpy as np
import pandas as pd
import pytest

from discovery.study import Study

from .tables import START, clean_accounts, clean_events, codes, read

EVENTS, ACCOUNTS = clean_events(), clean_accounts()


def replaced(share: float, column: str, value: object) -> pd.DataFrame:
    """The clean events with another value in a share of the rows."""
    which = np.arange(len(EVENTS)) % 100 < 100 * share
    return EVENTS.assign(**{column: EVENTS[column].mask(which, value)})


@pytest.mark.parametrize("word", ["null", "Undefined", " anonymous ", "0", "(not set)"])
def test_a_user_that_stands_for_nobody(word):
    finding = codes(read(replaced(0.03, "user_id", word), ACCOUNTS))["shared_user_id"]
    assert finding.examples == (word,)
    assert not finding.names_accounts
    assert tomllib.loads(finding.paste) == {"events": {"leave_out_users": [word]}}
    assert "users_in_several_accounts" not in codes(read(replaced(0.03, "user_id", word), ACCOUNTS))


def test_a_user_of_most_accounts_is_shared_and_hidden():
    finding = codes(read(replaced(0.1, "user_id", "jo@acme.io"), ACCOUNTS))["shared_user_id"]
    assert (finding.count, finding.examples, finding.names_accounts) == (1, ("jo@acme.io",), True)
    assert "jo@acme.io" not in finding.message + finding.remedy


def test_an_account_that_stands_for_none():
    found = codes(read(replaced(0.02, "account_id", "unknown"), ACCOUNTS))
    assert found["placeholder_account"].count == sum(np.arange(len(EVENTS)) % 100 < 2)


@pytest.mark.parametrize(("share", "severity"), [(0.1, None), (0.3, "info"), (0.6, "warning")])
def test_events_without_a_user(share, severity):
    found = codes(read(replaced(share, "user_id", None), ACCOUNTS))
    assert ("events_without_user" in found) is (severity is not None)
    if severity:
        assert found["events_without_user"].severity == severity


def test_users_of_several_accounts():
    guest = EVENTS[EVENTS["account_id"] == "a03"].head(4).assign(account_id="a04")
    guest["timestamp"] += pd.Timedelta(days=9)
    finding = codes(read(pd.concat([EVENTS, guest]), ACCOUNTS))["users_in_several_accounts"]
    assert (finding.severity, finding.names_accounts) == ("info", True)
    assert finding.count == guest["user_id"].nunique()
    everywhere = EVENTS.assign(user_id=[f"u{i % 97}" for i in range(len(EVENTS))])
    assert codes(read(everywhere, ACCOUNTS))["users_in_several_accounts"].severity == "warning"


def test_an_account_that_is_a_person():
    finding = codes(read(EVENTS.assign(user_id=EVENTS["account_id"]), ACCOUNTS))["account_is_user"]
    assert finding.share == 1
    one_each = EVENTS.assign(user_id="u" + EVENTS["account_id"])
    assert "account_is_user" not in codes(read(one_each, ACCOUNTS))


def test_nothing_of_this_without_users():
    relations = read(EVENTS.drop(columns="user_id"), ACCOUNTS)
    assert relations.quality == ()
    states = {rule.code: rule for rule in relations.rules}
    assert states["shared_user_id"].state == "not applicable"
    assert states["shared_user_id"].reason == "the events name no user"


@pytest.mark.parametrize(
    ("account", "own"),
    [
        ("acme-test", True),
        ("Demo Company", True),
        ("qa", True),
        ("staging_2", True),
        ("test123", True),
        ("contest", False),
        ("latest", False),
        ("attested-demos-inc", False),
        ("quality", False),
        ("internally", False),
    ],
)
def test_accounts_of_ones_own_are_named_by_whole_words(account, own):
    accounts = ACCOUNTS.assign(account_id=ACCOUNTS["account_id"].replace("a07", account))
    events = EVENTS.assign(account_id=EVENTS["account_id"].replace("a07", account))
    found = codes(read(events, accounts))
    assert ("internal_accounts" in found) is own
    if own:
        assert found["internal_accounts"].names_accounts
        asked = tomllib.loads(found["internal_accounts"].paste)
        assert asked == {"accounts": {"leave_out": [account]}}
        assert "internal_accounts" not in codes(read(events, accounts, **asked))


def test_accounts_of_ones_own_by_their_name_or_address():
    named = ACCOUNTS.assign(company_name=["Acme"] * 19 + ["Internal Sandbox"], owner_email=["x@shop.io"] * 20)
    named.loc[4, "owner_email"] = "boss@example.com"
    named.loc[5, "owner_email"] = "jo+test@shop.io"
    assert codes(read(EVENTS, named))["internal_accounts"].examples == ("a04", "a05", "a19")


def test_users_of_ones_own():
    found = codes(read(replaced(0.01, "user_id", "qa+test@shop.io"), ACCOUNTS))
    assert found["internal_users"].examples == ("qa+test@shop.io",)
    assert found["internal_users"].names_accounts


def beside(times, user="u04_0", account="a04") -> pd.DataFrame:
    """The clean events and those of one user at the given seconds from the tenth day on."""
    moments = START + pd.Timedelta(days=9) + pd.to_timedelta(list(times), "s")
    own = pd.DataFrame({"account_id": account, "user_id": user, "event": "opened", "timestamp": moments})
    return pd.concat([EVENTS, own], ignore_index=True)


@pytest.mark.parametrize(
    ("times", "why"),
    [
        (np.arange(500) * 0.7, "an event a second for minutes"),
        (np.arange(600) * 600.0, "at regular intervals"),
        (np.random.default_rng(1).uniform(0, 20 * 86_400, 3000), "at all hours of most days"),
    ],
)
def test_users_that_behave_like_programs(times, why):
    finding = codes(read(beside(times, user="robot"), ACCOUNTS))["bot_like"]
    assert why in finding.message
    assert finding.examples == ("robot",)
    assert finding.names_accounts
    asked = tomllib.loads(finding.paste)
    assert asked == {"events": {"leave_out_users": ["robot"]}}
    assert "bot_like" not in codes(read(beside(times, user="robot"), ACCOUNTS, **asked))


def test_one_user_with_a_fifth_of_all_events():
    times = np.random.default_rng(2).uniform(9 * 3600, 17 * 3600, 900) + 86_400 * (np.arange(900) % 25)
    assert "a fifth of all events" in codes(read(beside(times, user="busy"), ACCOUNTS))["bot_like"].message


@pytest.mark.parametrize(
    "times",
    [
        np.repeat(np.arange(3), 300) * 1e5,  # batches that are written at once
        np.random.default_rng(3).uniform(9 * 3600, 17 * 3600, 350) + 86_400 * (np.arange(350) % 25),  # a busy person
    ],
)
def test_people_and_batches_are_no_programs(times):
    spread = pd.concat([beside(times), EVENTS.assign(event="read"), EVENTS.assign(event="saved")])
    assert "bot_like" not in codes(read(spread, ACCOUNTS))


@pytest.mark.parametrize("asked", [False, True])
def test_ids_and_the_lines_that_hold_them_leave_the_house_only_when_asked(asked):
    accounts = ACCOUNTS.assign(account_id=ACCOUNTS["account_id"].replace("a07", "acme-test"))
    events = EVENTS.assign(account_id=EVENTS["account_id"].replace("a07", "acme-test"))
    said = Study(events, accounts).check(show_accounts=asked).to_json()
    assert "internal_accounts" in said
    assert ("acme-test" in said) is asked


@pytest.mark.parametrize(("share", "severity"), [(0.03, "info"), (0.2, "warning")])
def test_events_without_an_account_are_said_once(share, severity, tmp_path):
    bare = replaced(share, "account_id", None)
    alone = codes(read(bare, ACCOUNTS))
    assert (alone["missing_account"].severity, "unmapped_events" in alone) == (severity, False)
    assert "visitors" in alone["missing_account"].remedy
    pd.DataFrame({"user_id": ["nobody"], "account_id": ["a00"]}).to_csv(tmp_path / "users.csv", index=False)
    relations = read(bare, ACCOUNTS, identity={"from": str(tmp_path / "users.csv")})
    found = codes(relations)
    assert "missing_account" not in found
    assert (found["unmapped_events"].severity, found["unmapped_events"].count) == (
        severity, alone["missing_account"].count,
    )  # fmt: skip
    reasons = {rule.code: rule.reason for rule in relations.rules}
    assert "belongs to that of its user" in reasons["missing_account"]


def test_rows_that_are_passed_over_are_no_examples():
    left_out = EVENTS.iloc[:4].assign(account_id=None, event="$identify")
    bare = EVENTS.assign(account_id=EVENTS["account_id"].mask(EVENTS.index % 50 == 0))
    relations = read(pd.concat([left_out, bare]), ACCOUNTS, events={"leave_out": ["$identify"]})
    assert "$identify" not in codes(relations)["missing_account"].examples
