"""Columns with the variants of past tests: read on request, never taken for anything else, checked like the rest."""

from __future__ import annotations

import numpy as np
import pytest

from discovery.errors import ColumnError

from .tables import clean_accounts, clean_events, codes, read

EVENTS = clean_events()
ACCOUNTS = clean_accounts().assign(variant=["control", "checklist", None, " "] * 5)


def asked(*columns: str) -> dict:
    return {"assignment": list(columns)}


def test_variants_come_as_text_and_none():
    relations = read(EVENTS, ACCOUNTS, experiment=asked("variant"))
    assert list(relations.accounts.assignments) == ["variant"]
    assert relations.accounts.assignments["variant"].tolist() == ["control", "checklist", None, None] * 5
    assert codes(relations) == {}


def test_without_being_asked_nothing_is_read():
    relations = read(EVENTS, ACCOUNTS)
    assert dict(relations.accounts.assignments) == {}
    assert "variant" not in relations.accounts.segments


@pytest.mark.parametrize("name", ["channel", "is_internal"])
def test_an_assignment_column_is_nothing_else(name):
    marks = ["no", "yes"] * 10
    accounts = clean_accounts().drop(columns="channel").assign(**{name: marks})
    relations = read(EVENTS, accounts, experiment=asked(name))
    assert name not in relations.accounts.segments
    assert not relations.accounts.excluded.any()
    assert relations.accounts.assignments[name].tolist() == marks
    roles = {c.role for c in relations.recognised if c.table == "accounts" and c.column == name}
    assert roles == {"assignment"}


@pytest.mark.parametrize(
    "values", [[0, 1] * 10, [0.0, 1.0] * 10, ["0", "1"] * 10, ["0.0", "1.0"] * 10, np.tile([0, 1], 10).astype("int8")]
)
def test_numbers_are_written_as_whole_numbers(values):
    relations = read(EVENTS, clean_accounts().assign(arm=values), experiment=asked("arm"))
    assert relations.accounts.assignments["arm"].tolist() == ["0", "1"] * 10


def test_numbers_with_gaps_stay_whole():
    relations = read(EVENTS, clean_accounts().assign(arm=[0.0, 1.0, np.nan, 1.0] * 5), experiment=asked("arm"))
    assert relations.accounts.assignments["arm"].tolist() == ["0", "1", None, "1"] * 5


def test_the_word_none_is_a_variant():
    relations = read(EVENTS, clean_accounts().assign(arm=["none", "mail"] * 10), experiment=asked("arm"))
    assert relations.accounts.assignments["arm"].tolist() == ["none", "mail"] * 10


def test_a_missing_column_says_which_there_are():
    with pytest.raises(ColumnError, match=r"'varient', which .* Did you mean 'variant'\? The columns .*signup_at"):
        read(EVENTS, ACCOUNTS, experiment=asked("varient"))


def test_what_was_assigned_is_no_segment():
    with pytest.raises(ColumnError, match=r"both in accounts\.segments and in experiment\.assignment"):
        read(EVENTS, ACCOUNTS, accounts={"segments": ["variant"]}, experiment=asked("variant"))


@pytest.mark.parametrize("role", ["account", "signup", "seats"])
def test_what_was_assigned_has_no_other_role(role):
    named = {"account": "account_id", "signup": "signup_at", "seats": "plan"}
    with pytest.raises(ColumnError, match="and for something else"):
        read(EVENTS, ACCOUNTS, accounts={role: named[role]}, experiment=asked(named[role]))


def test_an_account_in_two_arms_is_in_none():
    twice = ACCOUNTS.iloc[[0, 1]].assign(variant=["checklist", None])
    import pandas as pd

    relations = read(EVENTS, pd.concat([ACCOUNTS, twice], ignore_index=True), experiment=asked("variant"))
    finding = codes(relations)["several_variants"]
    assert (finding.severity, finding.count, finding.examples) == ("warning", 1, ("a00",))
    assert finding.names_accounts
    assert relations.accounts.assignments["variant"].tolist()[:2] == [None, "checklist"]


@pytest.mark.parametrize(("values", "said"), [(["on"] * 20, "one variant"), ([None] * 20, "No account has a variant")])
def test_one_variant_is_no_test(values, said):
    relations = read(EVENTS, clean_accounts().assign(arm=values), experiment=asked("arm"))
    assert said in codes(relations)["one_variant"].message


def test_two_tests_and_two_periods_of_one_column():
    both = [{"column": "variant", "end": "2024-01-03"}, {"column": "variant", "start": "2024-01-03"}, "plan"]
    relations = read(EVENTS, ACCOUNTS, experiment={"assignment": both})
    assert list(relations.accounts.assignments) == ["variant", "plan"]
    assert relations.accounts.assignments["plan"].tolist() == ["free"] * 20
