"""Every way a time is written gives the same microsecond."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

from discovery.errors import ColumnError

from .tables import START, Day, clean_accounts, clean_events, codes, micros, read, usable

EXACT = micros("2024-03-05 12:34:56.789012")
WHOLE = micros("2024-03-05 12:34:56")


def one_column(values, column_type=None) -> pa.Table:
    """Twenty events of one account, all with the same time."""
    array = pa.array([values] * 20, type=column_type)
    return pa.table(
        {"account_id": ["a00"] * 20, "user_id": [f"u{i}" for i in range(20)], "event": ["x"] * 20, "ts": array}
    )


def times(relations) -> set[int]:
    return {row[3] for row in usable(relations)}


@pytest.mark.parametrize(
    ("value", "column_type", "expected"),
    [
        (EXACT * 1000 + 999, pa.timestamp("ns"), EXACT),
        (EXACT, pa.timestamp("us"), EXACT),
        (EXACT // 1000, pa.timestamp("ms"), EXACT // 1000 * 1000),
        (WHOLE // 1_000_000, pa.timestamp("s"), WHOLE),
        (EXACT, pa.timestamp("us", tz="America/New_York"), EXACT),
        (EXACT * 1000 + 999, pa.timestamp("ns", tz="UTC"), EXACT),
        (WHOLE // 1_000_000, pa.int64(), WHOLE),
        (WHOLE // 1_000_000, pa.int32(), WHOLE),
        (EXACT // 1000, pa.int64(), EXACT // 1000 * 1000),
        (EXACT, pa.int64(), EXACT),
        (EXACT * 1000 + 1, pa.int64(), EXACT),
        (EXACT, pa.uint64(), EXACT),
        (EXACT / 1e6, pa.float64(), EXACT),
        (str(WHOLE // 1_000_000), pa.string(), WHOLE),
        ("1709642096.789012", pa.string(), EXACT),
        (f"{EXACT}000", pa.string(), EXACT),
        ("2024-03-05 12:34:56.789012", pa.string(), EXACT),
        ("2024-03-05T12:34:56.789012Z", pa.string(), EXACT),
        ("2024-03-05T12:34:56.789012999Z", pa.string(), EXACT),
        ("2024-03-05 12:34:56.789012 UTC", pa.string(), EXACT),
        ("2024-03-05T14:34:56.789012+02:00", pa.string(), EXACT),
        ("2024-03-05T07:34:56.789012-0500", pa.string(), EXACT),
        (" 2024-03-05 12:34 ", pa.string(), micros("2024-03-05 12:34")),
        ("2024/03/05 12:34:56", pa.string(), WHOLE),
    ],
)
def test_every_writing_gives_the_same_microsecond(value, column_type, expected):
    relations = read(one_column(value, column_type), clean_accounts())
    assert times(relations) == {expected}
    assert not relations.date_only


@pytest.mark.parametrize(
    ("value", "column_type"),
    [
        (19787, pa.date32()),
        ("2024-03-05", pa.string()),
        (20240305, pa.int64()),
        ("20240305", pa.string()),
        ("2024-03-05T00:00:00", pa.string()),
        (micros("2024-03-05"), pa.timestamp("us")),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "America/Sao_Paulo"])
def test_dates_are_calendar_days_in_every_zone(value, column_type, zone):
    accounts = clean_accounts().assign(signup_at=pd.Timestamp("2024-03-05 17:00"))
    relations = read(one_column(value, column_type), accounts, events={"timezone": zone})
    assert relations.date_only
    assert times(relations) == {micros("2024-03-05")}
    assert set(relations.accounts.signup) == {micros("2024-03-05")}
    assert set(relations.accounts.observed_until) == {micros("2024-03-06")}
    assert "date_only_time" in codes(relations)


@pytest.mark.parametrize("as_text", [True, False])
def test_naive_times_are_in_the_named_zone_on_both_sides(as_text):
    value = "2024-03-05 12:34:56" if as_text else WHOLE
    events = one_column(value, pa.string() if as_text else pa.timestamp("us"))
    relations = read(events, clean_accounts(), events={"timezone": "America/New_York"})
    assert times(relations) == {micros("2024-03-05 17:34:56")}
    assert relations.accounts.signup[0] == (START + pd.Timedelta(hours=5, seconds=1)).value // 1000


def test_text_with_and_without_a_zone_may_be_mixed():
    events = one_column("2024-07-05 12:00:00", pa.string()).to_pandas()
    events.loc[0, "ts"] = "2024-07-05T12:00:00Z"
    relations = read(events, clean_accounts(), events={"timezone": "Europe/Berlin"})
    assert times(relations) == {micros("2024-07-05 12:00"), micros("2024-07-05 10:00")}


@pytest.mark.parametrize("moment", ["2024-03-31 02:30:00", "2024-10-27 02:30:00"])
def test_clock_changes_do_not_stop_the_reading(moment):
    relations = read(one_column(moment, pa.string()), clean_accounts(), events={"timezone": "Europe/Berlin"})
    (t,) = times(relations)
    assert abs(t - micros(moment)) <= 2 * 3_600_000_000


def test_ambiguous_dates_are_not_guessed():
    relations = read(one_column("03/04/2024", pa.string()), clean_accounts())
    finding = codes(relations)["unreadable_time"]
    assert (finding.severity, finding.count, finding.examples) == ("error", 20, ("03/04/2024",))
    assert "ISO 8601" in finding.remedy
    assert usable(relations) == []


@pytest.mark.parametrize(
    ("value", "column_type"),
    [(45_000, pa.int64()), (0, pa.int64()), ("1970-01-01 00:00:00", pa.string()), ("infinity", pa.string())],
)
def test_numbers_and_dates_that_are_no_time_are_unreadable(value, column_type):
    assert codes(read(one_column(value, column_type), clean_accounts()))["unreadable_time"].count == 20


def test_a_few_unreadable_times_are_left_out_and_shown():
    events = clean_events().astype({"timestamp": str})
    events.loc[[3, 4], "timestamp"] = ["soon", "2024-13-45"]
    events.loc[5, "timestamp"] = "NaT"
    found = codes(read(events, clean_accounts()))
    assert (found["unreadable_time"].severity, found["unreadable_time"].count) == ("warning", 2)
    assert found["unreadable_time"].examples == ("2024-13-45", "soon")
    assert found["missing_time"].count == 1


def test_outliers_do_not_change_the_unit_of_a_column():
    events = clean_events()
    seconds = events["timestamp"].astype("int64") // 10**9
    seconds[0] = 1_704_067_200_000
    relations = read(events.assign(timestamp=seconds), clean_accounts())
    assert codes(relations)["unreadable_time"].count == 1
    assert relations.log_end == clean_events()["timestamp"].max().value // 1000


def test_signup_times_have_a_writing_of_their_own():
    accounts = clean_accounts()
    accounts["signup_at"] = accounts["signup_at"].astype("int64") // 10**6
    relations = read(clean_events(), accounts)
    assert relations.accounts.signup[1] == START.value // 1000 + Day + 1_000_000


def test_midnight_times_alone_are_dates_and_a_single_other_one_is_not():
    events = clean_events()
    events["timestamp"] = events["timestamp"].dt.floor("D")
    assert read(events, clean_accounts()).date_only
    events.loc[0, "timestamp"] += pd.Timedelta(seconds=1)
    assert not read(events, clean_accounts()).date_only


def test_a_zone_whose_midnight_may_be_missing_still_gives_dates():
    days = pd.date_range("2018-10-30", "2018-11-10").strftime("%Y-%m-%d")
    events = pd.DataFrame({"account_id": "a00", "event": "x", "date": days})
    relations = read(events, clean_accounts(), events={"timezone": "America/Sao_Paulo"})
    assert relations.date_only
    assert times(relations) == {micros(day) for day in days}


def test_a_time_column_of_words_is_no_time_column():
    events = clean_events().rename(columns={"timestamp": "when"}).assign(when="later")
    with pytest.raises(ColumnError, match=r"events\.time"):
        read(events, clean_accounts())
