"""Each export is taken for that of its own tool, and for no other's."""

from __future__ import annotations

import pytest

from discovery.intake.formats import FORMATS, accounts_of
from discovery.intake.memory import open_source
from discovery.intake.sources import sample_rows
from tests.exports.write import EXPORTS
from tests.intake.formats.looking import look_at

TABLES_OF_ACCOUNTS = {"segment/warehouse": "segment", "posthog/parquet": "posthog", "mixpanel/milliseconds": "mixpanel"}


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.name)
def test_an_export_is_that_of_its_tool_alone(engine, export, exported):
    events, accounts = exported(export)
    look = look_at(engine, events)
    assert {name for name, module in FORMATS.items() if module.likeness(look)} == {export.name.partition("/")[0]}
    if accounts is not None:
        source = open_source(engine, accounts, "accounts", "accounts_given")
        sample_rows(engine, source, "accounts_rows", 20_000)
        told = accounts_of(engine, source, "accounts_rows")
        assert (told[0] if told else None) == TABLES_OF_ACCOUNTS.get(export.name)
