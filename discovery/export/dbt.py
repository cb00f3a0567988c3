"""The SQL of a milestone as a dbt model: the same SELECT over sources, and tests of its columns."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from discovery.export.sql import MilestoneSelect, on_one_line
from discovery.exposure.portable import account_text, milestone_sql, table_parts
from discovery.spec import Day

MODEL = "first_value_moment"
"""Name of the model."""

_SOURCES = {"events": "dbt_source_of_events", "accounts": "dbt_source_of_accounts"}


def dbt_files(select: MilestoneSelect) -> dict[str, str]:
    """Return the files of the model by their path inside a dbt project.

    Parameters
    ----------
    select : MilestoneSelect
        The SELECT; its tables become sources of the project.

    Returns
    -------
    dict of str
        `models/first_value_moment/first_value_moment.sql`, `schema.yml` beside it, with the sources and the tests
        unique, not_null and relationships, and a singular test of the range of days_since_signup under `tests`.
    """
    return {
        f"models/{MODEL}/{MODEL}.sql": _model(select),
        f"models/{MODEL}/schema.yml": _schema(select),
        f"tests/{MODEL}_within_window.sql": _range_test(select),
    }


def write_dbt(select: MilestoneSelect, folder: Path) -> tuple[str, ...]:
    """Write the files of the model below `folder` and return their paths inside it."""
    files = dbt_files(select)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tuple(files)


def _model(select: MilestoneSelect) -> str:
    placed = replace(select.tables, events=_SOURCES["events"], accounts=_SOURCES["accounts"])
    sql = milestone_sql(placed, select.milestone, select.window_days * Day, select.dialect)
    written = _without_jinja(replace(select, sql=sql).commented)
    for table, placeholder in _SOURCES.items():
        written = written.replace(placeholder, f"{{{{ {_source(select, table)} }}}}")
    return "{{ config(materialized='table') }}\n\n" + written


def _source(select: MilestoneSelect, table: str) -> str:
    return f"source('{_source_names(select)[table]}', '{table}')"


def _source_names(select: MilestoneSelect) -> dict[str, str]:
    """Return the name of each table's source: one for both where they share a schema."""
    homes = [table_parts(name, select.dialect)[:2] for name in (select.tables.events, select.tables.accounts)]
    if homes[0] == homes[1]:
        return dict.fromkeys(_SOURCES, MODEL)
    return {table: f"{MODEL}_{table}" for table in _SOURCES}


def _schema(select: MilestoneSelect) -> str:
    source = _source(select, "accounts")
    field = account_text(select.tables, select.dialect)
    moment = "By the calendar." if select.tables.dates_only else "The moment at which it was reached."
    lines = [
        "version: 2",
        "",
        "sources:",
        *_sources(select),
        "",
        "models:",
        f"  - name: {MODEL}",
        f"    description: {_scalar(f'When every account reached the milestone {select.milestone}')}",
        "    columns:",
        "      - name: account_id",
        "        description: The account, as text.",
        "        data_tests:",
        "          - unique",
        "          - not_null",
        "          - relationships:",
        f"              to: {source}",
        f"              field: {_scalar(field)}",
        "      - name: reached_at",
        f"        description: {moment}",
        "        data_tests:",
        "          - not_null",
        "      - name: days_since_signup",
        f"        description: In days of 24 hours; {MODEL}_within_window tests its range.",
        "        data_tests:",
        "          - not_null",
    ]
    return "\n".join(lines) + "\n"


def _sources(select: MilestoneSelect) -> list[str]:
    names = _source_names(select)
    lines: list[str] = []
    for table, given in (("events", select.tables.events), ("accounts", select.tables.accounts)):
        catalog, schema, name = table_parts(given, select.dialect)
        if f"  - name: {names[table]}" not in lines:
            lines.append(f"  - name: {names[table]}")
            lines += [f"    database: {_scalar(catalog)}"] if catalog else []
            lines.append(f"    schema: {_scalar(schema) if schema else json.dumps('{{ target.schema }}')}")
            lines.append("    tables:")
        lines += [f"      - name: {table}", f"        identifier: {_scalar(name)}"]
    return lines


def _range_test(select: MilestoneSelect) -> str:
    hours = max(condition.within_hours or 24 * select.window_days for condition in select.milestone.conditions)
    return (
        "-- Fails for accounts that would have reached it before signup, or after every window is over.\n"
        "SELECT account_id, days_since_signup\n"
        f"FROM {{{{ ref('{MODEL}') }}}}\n"
        f"WHERE days_since_signup < 0 OR days_since_signup * 24 >= {hours}\n"
    )


def _scalar(text: str) -> str:
    """Return text as a YAML scalar that dbt does not render."""
    return json.dumps(_without_jinja(on_one_line(text)), ensure_ascii=False)


def _without_jinja(text: str) -> str:
    """Return text in which signs that begin a tag of Jinja stand for themselves."""
    return re.sub(r"\{[{%#]", lambda sign: f"{{{{ '{sign[0]}' }}}}", text)
