"""What is wrong with an input is found in aggregates of it as in the input itself, but for what asks single events."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from discovery.export.exposure import exposure_select
from discovery.intake import Relations, load
from discovery.intake.aggregates import load_aggregates
from discovery.intake.heads import look
from discovery.spec import build_spec

from .unclean import PAST_THE_LOG, SPEC, unclean

ASK_SINGLE_EVENTS = {
    *("round_times", "future_events", "shifted_times", "late_events", "clock_skew", "unreadable_time"),
    *("duplicate_ids", "duplicate_rows", "aliases_applied", "events_without_user", "events_before_signup"),
    *("placeholder_account", "shared_user_id", "users_in_several_accounts", "account_is_user", "bot_like"),
    *("internal_users", "tracking_starts", "tracking_stops", "tracking_gaps", "renamed_event", "volume_jump"),
}
OF_THE_QUESTION = {"names_not_in_log", "constant_segment", "unusable_seats"}
OF_ALL = {
    *("missing_account", "missing_event_name", "missing_time", "unknown_accounts", "stray_times", "left_out"),
    *("near_duplicate_names", "duplicate_accounts", "accounts_without_id", "accounts_without_events"),
    "internal_accounts",
    *("signups_before_log", "signups_after_log", "churn_before_signup", "missing_signup"),
}


def found(relations: Relations) -> dict[str, tuple[str, int]]:
    with closing(relations.engine):
        said = [(f.code, (f.severity, f.count)) for f in relations.quality if f.code not in ASK_SINGLE_EVENTS]
        assert len(dict(said)) == len(said)
        return dict(said)


def asked_both_ways(given: tuple[Any, Any], spec_given: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    spec = build_spec(spec_given)
    events, accounts = (str(folder / f"{name}.parquet") for name in ("events", "accounts"))
    for table, path in zip(given, (events, accounts), strict=True):
        pq.write_table(table, path)
    of_columns = build_spec({**spec_given, "events": {**spec_given["events"], "leave_out": []}})
    select = exposure_select(spec, "duckdb", heads=look(events, accounts, of_columns))
    with duckdb.connect() as connection:
        for name, path in (("events", events), ("accounts", accounts)):
            connection.execute(f"CREATE VIEW {name} AS FROM '{path}'")
        answer = connection.sql(select.sql).to_arrow_table()
    return [found(load(events, accounts, spec)), found(load_aggregates(answer, accounts, spec))]


@pytest.mark.parametrize(
    ("silent", "spec", "further"),
    [
        (True, SPEC, {"churn_is_silence"}),
        (False, SPEC, {"activity_after_churn"}),
        (False, PAST_THE_LOG, {"activity_after_churn", "observed_past_log"}),
    ],
)
def test_the_same_is_found(silent: bool, spec: dict[str, Any], further: set[str], tmp_path: Path) -> None:
    of_events, of_aggregates = asked_both_ways(unclean(silent=silent), spec, tmp_path)
    assert of_aggregates.pop("aggregates_only")[0] == "info"
    assert of_aggregates == of_events
    assert of_events.keys() >= {*OF_THE_QUESTION, *OF_ALL, *further}


def test_dates_are_said_to_be_dates(tmp_path: Path) -> None:
    events, accounts = unclean(silent=False)
    place = events.column_names.index("time")
    events = events.set_column(place, "time", events["time"].cast("date32", safe=False))
    of_events, of_aggregates = asked_both_ways((events, accounts), SPEC, tmp_path)
    assert of_aggregates["date_only_time"] == of_events["date_only_time"]
