"""PostHog's exports: recognised, laid out, and read as the log that was lived."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from discovery.engines.duckdb import DuckDBEngine
from discovery.errors import ColumnError
from discovery.intake import load
from discovery.intake.formats import layout_of, posthog
from discovery.intake.formats.layout import Layout, Look
from discovery.intake.memory import open_source
from discovery.intake.sources import copy_rows, sample_rows
from discovery.spec import EventsSpec, build_spec
from tests.exports.plain import Export, PlainLog, flags_of, loaded_flags
from tests.exports.posthog import EXPORTS, write_persons
from tests.intake.formats.conftest import Written
from tests.intake.formats.looking import look_at, opened
from tests.intake.tables import codes, usable

DEMO = Path(__file__).parents[3] / "data_fixtures" / "demo" / "events.parquet"


def row(event: str = "report shared", /, *, at: int = 0, **changes: Any) -> dict[str, Any]:
    """Return an event of a batch export as a table of a database has it, `at` minutes into 2025."""
    moment = pd.Timestamp("2025-01-01", tz="UTC") + pd.Timedelta(minutes=at)
    whole = {
        "uuid": f"id-{event}-{at}-{sorted(changes.items())}",
        "event": event,
        "distinct_id": "ada",
        "person_id": "P-ada",
        "properties": {"$groups": {"company": "acme"}, "$group_0": "acme"},
        "timestamp": moment,
        "created_at": moment + pd.Timedelta(seconds=2),
        "elements_chain": "",
    }
    return whole | changes


def table(*rows: dict[str, Any], twice: bool = False) -> pa.Table:
    """Return rows as a table whose properties are JSON text; `twice` writes it as JSON once more."""
    frame = pd.DataFrame(list(rows))
    text = frame["properties"].map(lambda p: json.dumps(p) if isinstance(p, dict) else p)
    frame["properties"] = text.map(json.dumps) if twice else text
    return pa.Table.from_pandas(frame, preserve_index=False)


def laid_out(engine: DuckDBEngine, given: object, **spec: Any) -> Layout:
    look = look_at(engine, given, **spec)
    return posthog.layout(look, posthog.likeness(look))


def pairs(engine: DuckDBEngine, select: str) -> dict[str, str]:
    found = engine.rows(select)
    assert len(found) == len(dict(found)), "one row per id"
    return dict(found)


def read(given: object, accounts: object = None, **spec: Any) -> Any:
    return load(given, accounts, build_spec(spec))


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.name)
def test_an_export_gives_the_flags_of_the_plain_log(
    export: Export, plain: dict[str, frozenset[str]], exported: Written
) -> None:
    relations = load(*exported(export), build_spec(export.settings))
    assert relations.layout == "posthog"
    assert flags_of(relations) == plain
    relations.engine.close()


def test_the_spec_as_run_gives_the_same_again(plain: dict[str, frozenset[str]], exported: Written) -> None:
    first = read(*exported(EXPORTS[0]))
    spec = first.spec
    assert (spec.events.format, spec.events.account, spec.events.user) == (
        "posthog",
        "properties.$group_0",
        "person_id",
    )
    first.engine.close()
    assert loaded_flags(None, None, spec) == plain


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.name)
def test_recognised_in_every_shape_and_laid_out_alike_when_named(export: Export, exported: Written) -> None:
    events, _ = exported(export)
    with opened(events) as look, opened(events, format="posthog") as named:
        assert posthog.likeness(look).startswith("the columns event, distinct_id, timestamp and properties")
        recognised = layout_of(look)
        assert replace(layout_of(named), reason=recognised.reason) == recognised


def test_recognised_as_rows_of_the_api(engine: DuckDBEngine) -> None:
    answer = [
        {
            "id": f"018f-{i}",
            "distinct_id": "ada",
            "properties": {"$lib": "web", "$groups": {"company": "acme"}, "$group_0": "acme"},
            "event": "report shared",
            "timestamp": pd.Timestamp("2025-01-01", tz="UTC"),
            "person": {"is_identified": True},
        }
        for i in range(3)
    ]
    laid = laid_out(engine, pa.Table.from_pylist(answer))
    assert laid.reason.endswith("with PostHog's own properties such as $lib")
    assert {role: laid.roles[role].column for role in ("account", "user", "id")} == {
        "account": "properties.$group_0",
        "user": "distinct_id",
        "id": "id",
    }


@pytest.mark.parametrize("prefix", ["", "*."])
def test_recognised_as_a_table_with_a_column_for_each_property(engine: DuckDBEngine, prefix: str) -> None:
    names = ["uuid", "event", "distinct_id", "timestamp", "properties.$lib", "properties.$group_0", "properties.size"]
    values = ["1", "report shared", "ada", "2025-01-01T00:00:00Z", "web", "acme", "3"]
    laid = laid_out(engine, pa.table({prefix + n: [v] for n, v in zip(names, values, strict=True)}))
    assert laid.reason
    assert laid.roles["account"].column == f"{prefix}properties.$group_0"
    assert pairs(engine, f"SELECT user_id, account_id FROM ({laid.members})") == {"ada": "acme"}


def test_recognised_with_columns_in_capitals(engine: DuckDBEngine) -> None:
    given = table(row()).rename_columns([name.upper() for name in table(row()).column_names])
    laid = laid_out(engine, given)
    assert laid.roles["account"].column == "PROPERTIES.$group_0"
    assert pairs(engine, f"SELECT user_id, account_id FROM ({laid.members})") == {"P-ada": "acme"}


def test_other_tables_are_not_recognised(engine: DuckDBEngine, plain_files: tuple[Path, Path]) -> None:
    generic = {
        "uuid": ["1"],
        "event": ["shared"],
        "distinct_id": ["ada"],
        "timestamp": ["2025-01-01"],
        "properties": ['{"size": 3, "note": "not $group_0"}'],
    }
    mixpanel = {"event": ["shared"], "properties": ['{"distinct_id": "ada", "$insert_id": "1", "mp_lib": "web"}']}
    segment = {"messageId": ["1"], "event": ["shared"], "timestamp": ["2025-01-01"], "properties": ["{}"]}
    for given in (*(pa.table(t) for t in (generic, mixpanel, segment)), DEMO, plain_files[0]):
        assert posthog.likeness(look_at(engine, given)) == ""


def test_the_group_that_most_events_carry_is_the_account(engine: DuckDBEngine) -> None:
    first = {"$group_1": "p1"}
    rows = [row(at=i, properties=first | ({"$group_0": f"c{i}"} if i < 2 else {"$group_1": "p2"})) for i in range(10)]
    assert laid_out(engine, table(*rows)).roles["account"].column == "properties.$group_1"


def test_a_group_called_a_company_goes_before_one_that_is_not(engine: DuckDBEngine) -> None:
    def properties(i: int) -> dict[str, Any]:
        project = {"$group_0": f"p{i}", "$groups": {"project": f"p{i}"}}
        company = {"$group_3": f"c{i}", "$groups": {"project": f"p{i}", "Company": f"c{i}"}}
        return project | (company if i < 7 else {})

    laid = laid_out(engine, table(*(row(at=i, properties=properties(i)) for i in range(10))))
    assert laid.roles["account"].column == "properties.$group_3"
    assert laid.roles["account"].why == (
        "the group $group_3, of type 'Company': 70 % of the events looked at carry it; "
        "preferred to $group_0, of type 'project'"
    )


def test_a_group_with_one_value_is_no_account(engine: DuckDBEngine) -> None:
    rows = [row(at=i, properties={"$group_0": "this instance", "$group_1": f"c{i}"}) for i in range(4)]
    assert laid_out(engine, table(*rows)).roles["account"].column == "properties.$group_1"


def test_groups_by_name_where_none_is_numbered(engine: DuckDBEngine) -> None:
    rows = [row(at=i, properties={"$groups": {"org.unit/x": "u", "organization": f"o{i}"}}) for i in range(3)]
    laid = laid_out(engine, table(*rows))
    assert laid.roles["account"].column == "properties.$groups.organization"
    assert pairs(engine, f"SELECT account_id, user_id FROM ({laid.members})") == dict.fromkeys(
        ("o0", "o1", "o2"), "P-ada"
    )


@pytest.mark.parametrize("of", ["properties", "person_properties"])
def test_a_property_named_like_an_account_where_there_are_no_groups(engine: DuckDBEngine, of: str) -> None:
    rows = [
        row(at=i, properties={"$lib": "web"}, person_properties="{}", team_id=7)
        | {of: {"company_id": f"c{i}"} if of == "properties" else json.dumps({"company_id": f"c{i}"})}
        for i in range(3)
    ]
    laid = laid_out(engine, table(*rows))
    assert laid.roles["account"].column == f"{of}.company_id"
    assert not laid.accounts


def test_a_group_is_found_where_the_first_rows_have_none(engine: DuckDBEngine) -> None:
    visits = [row("$pageview", at=i, properties={"$lib": "web"}) for i in range(3)]
    source = open_source(engine, table(*visits, row(at=9)), "events", "given")
    sample_rows(engine, source, "looked_at", 3)
    laid = posthog.layout(Look(engine=engine, source=source, rows="looked_at", spec=EventsSpec()), "why")
    assert laid.roles["account"].column == "properties.$group_0"


def test_the_project_is_never_the_account() -> None:
    rows = [row(at=i, properties={"$lib": "web"}, team_id=4711) for i in range(3)]
    with pytest.raises(ColumnError, match="account"):
        read(table(*rows))


def test_the_account_that_the_spec_names_is_used(engine: DuckDBEngine) -> None:
    properties = {"$group_0": "acme", "$group_1": "p1", "$groups": {"company": "acme", "project": "p1"}}
    laid = laid_out(engine, table(row(properties=properties)), account="properties.$group_1")
    assert pairs(engine, f"SELECT user_id, account_id FROM ({laid.members})") == {"P-ada": "p1"}
    assert [account for account, *_ in engine.rows(laid.accounts)] == ["p1"]


def test_a_format_that_is_named_and_does_not_fit_is_no_crash() -> None:
    plain = pd.DataFrame({"account_id": ["a"], "event": ["x"], "timestamp": ["2025-01-01"]})
    assert len(usable(read(plain, events={"format": "posthog"}))) == 1
    with pytest.raises(ColumnError, match="the time of the event"):
        read(pd.DataFrame({"account_id": ["a"], "event": ["x"]}), events={"format": "posthog"})


def test_properties_written_as_json_twice_are_read() -> None:
    rows = [row(at=i, properties={"$group_0": f"c{i}", "size": i}) for i in range(4)]
    relations = read(table(*rows, twice=True), candidates={"properties": ["size"]})
    assert [account for account, *_ in usable(relations)] == ["c0", "c1", "c2", "c3"]
    sizes = relations.engine.rows(f'SELECT property_0 FROM "{relations.events_table}" ORDER BY t')
    assert sizes == [("0",), ("1",), ("2",), ("3",)]


def test_numeric_group_keys_are_the_same_account_as_text() -> None:
    rows = [row(at=0, properties={"$group_0": 42}), row(at=1, properties={"$group_0": "42"})]
    accounts = pd.DataFrame({"account_id": [42], "signup_at": ["2024-12-31"]})
    assert [account for account, *_ in usable(read(table(*rows), accounts))] == ["42", "42"]


def test_rows_that_hold_no_json_or_no_properties_are_read() -> None:
    rows = [row(at=0), row(at=1, properties="{broken"), row(at=2, properties=None), row(at=3, properties="[1]")]
    relations = read(table(*rows))
    assert len(usable(relations)) == 4  # the group is that of the user
    relations.engine.close()


def test_records_of_the_library_are_passed_over_and_behaviour_is_not() -> None:
    said = ["$identify", "$set", "$groupidentify", "$create_alias", "$merge_dangerously", "$feature_flag_called"]
    said += ["$web_vitals", "$opt_in", "$performance_event"]
    kept = ["$autocapture", "$pageview", "$pageleave", "$exception", "$rageclick", "survey sent", "report shared"]
    relations = read(table(*(row(name, at=i) for i, name in enumerate([*said, *kept]))))
    assert {event for _, event, *_ in usable(relations)} == set(kept)


def test_an_event_delivered_twice_counts_once() -> None:
    again = row(at=5) | {"created_at": pd.Timestamp("2025-02-01", tz="UTC")}
    relations = read(table(row(at=5), again, row(at=6)))
    assert len(usable(relations)) == 2
    assert codes(relations)["duplicate_ids"].count == 1


def test_sent_and_received_are_known(engine: DuckDBEngine) -> None:
    sent = {"$group_0": "acme", "$sent_at": "2025-01-01T02:00:00Z"}
    roles = laid_out(engine, table(row(properties=sent))).roles
    assert (roles["sent"].column, roles["received"].column) == ("properties.$sent_at", "created_at")


def test_a_person_identified_later_is_the_same_one(engine: DuckDBEngine) -> None:
    identify = {"$anon_distinct_id": "device-1", "$group_0": "acme"}
    laid = laid_out(
        engine,
        table(
            row(at=0, distinct_id="device-1", person_id="P-device", properties={}),
            row("$identify", at=1, properties=identify),
            row(at=2),
        ),
    )
    assert pairs(engine, laid.persons) == {"P-device": "P-ada"}


def test_an_event_before_the_group_belongs_to_the_first_group_of_its_user() -> None:
    rows = [
        row("page opened", at=0, distinct_id="device-1", person_id="P-device", properties={}),
        row("$identify", at=1, properties={"$anon_distinct_id": "device-1"}),
        row(at=2),
        row("page opened", at=3, distinct_id="visitor", person_id="P-visitor", properties={}),
    ]
    accounts = pd.DataFrame({"account_id": ["acme"], "signup_at": ["2024-12-31"]})
    relations = read(table(*rows), accounts)
    assert [(account, event, user) for account, event, user, _ in usable(relations)] == [
        ("acme", "page opened", "P-ada"),
        ("acme", "report shared", "P-ada"),
    ]
    assert codes(relations)["unmapped_events"].count == 1


def test_a_person_replaced_by_another_is_the_same_one(engine: DuckDBEngine) -> None:
    laid = laid_out(engine, table(row(at=0, person_id="P-old"), row(at=1), row(at=2)))
    assert pairs(engine, laid.persons) == {"P-old": "P-ada"}


def test_people_who_share_a_device_stay_apart(engine: DuckDBEngine) -> None:
    laid = laid_out(
        engine,
        table(
            row("$identify", at=0, distinct_id="ada", person_id="P-ada", properties={"$anon_distinct_id": "device"}),
            row("$identify", at=1, distinct_id="bob", person_id="P-bob", properties={"$anon_distinct_id": "ada"}),
            row("$identify", at=2, distinct_id="bob", person_id="P-bob", properties={"$anon_distinct_id": "device"}),
        ),
    )
    merged = pairs(engine, laid.persons)
    assert merged.get("device") == "P-ada"
    assert not {"P-ada", "P-bob"} & merged.keys()


def test_a_forced_merge_is_believed(engine: DuckDBEngine) -> None:
    laid = laid_out(
        engine,
        table(
            row("$identify", at=0, distinct_id="ada.old", person_id="P-old", properties={"$anon_distinct_id": "x"}),
            row("$merge_dangerously", at=1, properties={"alias": "ada.old"}),
            row(at=2),
        ),
    )
    assert pairs(engine, laid.persons)["P-old"] == "P-ada"


def test_identities_do_not_depend_on_the_order_of_rows(engine: DuckDBEngine) -> None:
    rows = [
        row(at=0, person_id="P-a", distinct_id="x"),
        row(at=0, person_id="P-b", distinct_id="x"),
        row("$identify", at=0, person_id="P-b", properties={"$anon_distinct_id": "y"}),
        row(at=0, person_id="P-c", distinct_id="y"),
    ]
    told = [pairs(engine, laid_out(engine, table(*order)).persons) for order in (rows, rows[::-1])]
    assert told[0] == told[1]


def test_a_person_taken_into_two_others_is_the_later_one(engine: DuckDBEngine) -> None:
    rows = [
        row(at=0, person_id="P-x", distinct_id="one"),
        row(at=5, person_id="P-a", distinct_id="one"),
        row(at=1, person_id="P-x", distinct_id="two"),
        row(at=6, person_id="P-b", distinct_id="two"),
    ]
    for order in (rows, rows[::-1]):
        assert pairs(engine, laid_out(engine, table(*order)).persons) == {"P-x": "P-b"}


def test_without_persons_the_user_is_the_distinct_id() -> None:
    rows = [
        row(at=0, distinct_id="device-1", properties={"$group_0": "acme"}),
        row("$create_alias", at=1, properties={"alias": "device-1"}),
        row(at=2),
    ]
    relations = read(table(*rows).drop_columns(["person_id"]))
    assert {user for _, _, user, _ in usable(relations)} == {"ada"}


def test_events_of_nobody_fall_back_to_the_distinct_id() -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    rows = [row(at=0), row(at=1), row(at=2, distinct_id="cron", person_id=nobody), row(at=3, person_id=None)]
    relations = read(table(*rows))
    assert [user for _, _, user, _ in usable(relations)] == ["P-ada", "P-ada", "P-ada", "cron"]


def test_the_table_of_persons_says_who_is_one_person(log: PlainLog, exported: Written, tmp_path: Path) -> None:
    events, accounts = exported(EXPORTS[0])
    persons = write_persons(log, tmp_path / "persons.csv")
    relations = read(events, accounts, events={"user": "distinct_id"}, identity={"persons": str(persons)})
    assert len({user for _, _, user, _ in usable(relations)}) == len({event.user for event in log.events}) + 1
    relations.engine.close()


def group(key: str, at: int, kind: str = "company", **told: Any) -> dict[str, Any]:
    """Return the record of a group as a server writes it, which no event carries."""
    record = {"$group_type": kind, "$group_key": key, "$group_set": told}
    return row("$groupidentify", at=at, distinct_id=f"${kind}_{key}", person_id=f"P-{key}", properties=record)


def told(engine: DuckDBEngine, *rows: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = engine.table(laid_out(engine, table(*rows)).accounts).to_pylist()
    kept = [{name: value for name, value in row.items() if not name.startswith("(told) ")} for row in found]
    return {account["account_id"]: account for account in kept}


def test_accounts_are_as_they_were_first_told_and_left_as_they_last_did(engine: DuckDBEngine) -> None:
    accounts = told(
        engine,
        group("acme", 9, plan="enterprise", churned_at="2025-03-09"),
        group("acme", 1, created_at="2024-12-24T00:00:00Z", plan="free", churned_at="2025-03-01", Plan="x"),
        row(at=5),
    )
    assert accounts["acme"]["signup_at"] == pd.Timestamp("2024-12-24")
    assert (accounts["acme"]["plan"], accounts["acme"]["churned_at"]) == ("free", "2025-03-09")


@pytest.mark.parametrize("written", ["2024-12-24T01:00:00+01:00", 1735000000 - 1735000000 % 86400, 1734998400000])
def test_the_signup_is_read_however_it_is_written(engine: DuckDBEngine, written: object) -> None:
    accounts = told(engine, group("acme", 1, signed_up_at=written), row(at=5))
    assert accounts["acme"]["signup_at"] == pd.Timestamp("2024-12-24")


def test_a_record_that_no_event_carries_tells_no_signup(engine: DuckDBEngine) -> None:
    accounts = told(engine, row(at=7), group("acme", 0, plan="free"), group("silent", 0, plan="free"))
    assert accounts["acme"]["signup_at"] == pd.Timestamp("2025-01-01 00:07")
    assert accounts["silent"]["signup_at"] is None


def test_a_record_of_an_unknown_type_is_no_account_of_its_own(engine: DuckDBEngine) -> None:
    accounts = told(engine, row(at=7, properties={"$group_0": "acme"}), group("p1", 0, kind="project", plan="free"))
    assert accounts.keys() == {"acme"}


def test_groups_of_another_type_are_no_accounts(engine: DuckDBEngine) -> None:
    accounts = told(engine, row(at=1), group("p1", 2, kind="project", plan="x"), group("acme", 3, plan="free"))
    assert {key: account["plan"] for key, account in accounts.items()} == {"acme": "free"}


def test_a_user_of_two_groups_belongs_to_the_one_of_the_time(engine: DuckDBEngine) -> None:
    other = {"$groups": {"company": "beta"}, "$group_0": "beta"}
    laid = laid_out(engine, table(row(at=0), row(at=10, properties=other), row(at=90), row(at=100, properties={})))
    since = [(account, t // 60_000_000 % 1440) for _, account, t in engine.rows(f"{laid.members} ORDER BY since")]
    assert since == [("acme", 0), ("beta", 10), ("acme", 90)]


GROUPS = pd.DataFrame(
    {
        "group_type_index": [0, 0, 1, 0],
        "group_key": ["acme", "acme", "p1", "beta"],
        "created_at": ["2025-01-05", "2025-01-04", "2025-01-01", "2025-01-06"],
        "updated_at": ["2025-01-05", "2025-03-04", "2025-01-01", "2025-01-06"],
        "group_properties": ['{"plan": "free"}', '{"plan": "team", "ünit": 1}', "{}", '{"created_at": "2024-12-01"}'],
    }
)


@pytest.mark.parametrize("shape", ["api", "query"])
def test_a_table_of_groups_is_a_table_of_accounts(engine: DuckDBEngine, shape: str) -> None:
    names = {"group_type_index": "index", "group_key": "key", "group_properties": "properties"}
    source = open_source(engine, GROUPS if shape == "api" else GROUPS.rename(columns=names), "accounts", "given")
    copy_rows(engine, source, "all_rows", "*")
    found = posthog.accounts(engine, source, "all_rows")
    assert found is not None
    accounts = engine.rows(f'SELECT account_id, signup_at, plan, "ünit" FROM {found.table()} ORDER BY account_id')
    assert accounts == [
        ("acme", pd.Timestamp("2025-01-04", tz="UTC"), "team", "1"),
        ("beta", pd.Timestamp("2024-12-01", tz="UTC"), None, None),
    ]
    assert found.digest() == source.digest()


def test_a_plain_table_of_accounts_is_no_table_of_groups(engine: DuckDBEngine, plain_files: tuple[Path, Path]) -> None:
    source = open_source(engine, plain_files[1], "accounts", "given")
    copy_rows(engine, source, "all_rows", "*")
    assert posthog.accounts(engine, source, "all_rows") is None


def test_an_empty_file_of_groups_is_refused_kindly(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_text("index,key,properties,created_at\n", encoding="utf-8")
    source = open_source(engine, path, "accounts", "given")
    copy_rows(engine, source, "all_rows", "*")
    found = posthog.accounts(engine, source, "all_rows")
    assert found is not None
    assert engine.rows(f"SELECT count(*) FROM {found.table()}") == [(0,)]
