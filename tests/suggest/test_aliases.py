"""Names that look like one event: what is offered as one, what is left to the reader, and what is kept apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from discovery.spec import Day, build_spec
from discovery.suggest import Spelling, suggested_aliases
from discovery.suggest.aliases import as_setting


def spelling(name: str, rows: int = 10, first: int = 0, last: int = 100) -> Spelling:
    return Spelling(name=name, rows=rows, first=first * Day, last=last * Day)


def never(name: str, other: str) -> float:
    return 0.0


def test_spellings_are_offered_under_the_most_frequent_name():
    (found,) = suggested_aliases(
        [spelling("Report Shared", 5), spelling("report_shared", 50), spelling("reportShared", 7), spelling("login")],
        never,
    )
    assert (found.name, found.spellings, found.rows) == ("report_shared", ("reportShared", "Report Shared"), (50, 7, 5))
    assert found.merge == "yes"


def test_a_weaker_likeness_is_left_to_the_reader():
    (found,) = suggested_aliases([spelling("report_shared", 5), spelling("share_report", 4)], never)
    assert found.merge == "perhaps"


def test_names_that_occur_in_the_same_second_are_never_merged():
    names = [spelling("Report Shared", 50), spelling("report_shared", 40), spelling("reportShared", 7)]
    found = suggested_aliases(names, lambda name, other: 0.8 if other == "report_shared" else 0.0)
    assert [(each.merge, each.name, each.spellings) for each in found] == [
        ("yes", "Report Shared", ("reportShared",)),
        ("no", "Report Shared", ("report_shared",)),
    ]
    assert "80 %" in found[1].reason


def test_the_reason_tells_of_a_change_of_the_tracking():
    (found,) = suggested_aliases([spelling("Report Shared", 50, 0, 40), spelling("report_shared", 60, 41, 100)], never)
    assert '"Report Shared" ends and "report_shared" begins around 1970-02-11' in found.reason


NAMES = ("report_shared", "Report-Shared", "share_report", "shares", "a", "A_", "a1", "b")


@given(st.lists(st.sampled_from(NAMES), unique=True))
def test_what_is_offered_is_a_setting_that_holds(names):
    found = [each for each in suggested_aliases([spelling(name) for name in names], never) if each.merge != "no"]
    aliases = build_spec({"events": {"aliases": as_setting(found)}}).events.aliases
    assert set(aliases) <= set(names)
