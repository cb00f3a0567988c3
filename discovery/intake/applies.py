"""Why a check does not apply to the data at hand; empty where it does."""

from __future__ import annotations

from collections.abc import Callable

from discovery.intake.checked import Checked
from discovery.intake.quiet import SHORTEST_LOG
from discovery.intake.relations import UNKNOWN_TIME
from discovery.intake.shifts import FEWEST_WEEKS_IN_ALL


def always(checked: Checked) -> str:
    """Apply to any data."""
    return ""


def where_format_named(checked: Checked) -> str:
    """Ask for the format of an export, named in the spec or recognised."""
    return "" if checked.layout is not None and checked.layout.format != "table" else "the events are a plain table"


def with_events(checked: Checked) -> str:
    """Ask for usable events."""
    return "" if checked.events.usable_rows else "no event can be used"


def with_times_of_day(checked: Checked) -> str:
    """Ask for times of day."""
    return with_events(checked) or ("the events carry dates only" if checked.events.date_only else "")


def with_received(checked: Checked) -> str:
    """Ask for the time at which the server received each event."""
    return with_events(checked) or ("" if checked.events.has_received else "the events have no received time")


def with_sent_and_received(checked: Checked) -> str:
    """Ask for the device's time of sending as well."""
    return with_received(checked) or ("" if checked.events.has_sent else "the events have no time of sending")


def with_users(checked: Checked) -> str:
    """Ask for users."""
    return with_events(checked) or ("" if checked.events.has_users else "the events name no user")


def with_mapping(checked: Checked) -> str:
    """Ask for memberships of users beside the events."""
    told = checked.events.has_members or checked.spec.identity.source
    return "" if told else "no table says which account a user belongs to"


def without_mapping(checked: Checked) -> str:
    """Ask for accounts that stand in the events alone."""
    return "an event without an account belongs to that of its user" if checked.events.has_members else ""


def when_outcomes_are_read(checked: Checked) -> str:
    """Ask for more than the rows: discover check answers once what became of the accounts is read."""
    return "what became of the accounts was not read"


def with_persons(checked: Checked) -> str:
    """Ask for ids that are one person."""
    told = checked.events.merged or checked.spec.identity.persons
    return "" if told else "no table says which ids are one person"


def with_table_of_accounts(checked: Checked) -> str:
    """Ask for accounts that were not read off the events."""
    return "" if checked.roster.signup_from == "table" else "the accounts are read off the events"


def by_row_id(checked: Checked) -> str:
    """Ask for ids of rows that tell duplicates."""
    if checked.events.by_id:
        return ""
    return "no column holds the row's own id" if checked.spec.events.duplicates == "by_id" else _otherwise(checked)


def without_row_id(checked: Checked) -> str:
    """Ask for rows that no id tells apart."""
    return f"rows are told apart by their id ({checked.spec.events.id!r})" if checked.events.by_id else ""


def where_left_out(checked: Checked) -> str:
    """Ask for names in the spec that are left out."""
    asked = checked.spec.events.leave_out or checked.spec.events.leave_out_users
    return "" if asked else "the spec leaves no events or users out"


def where_aliases_are_given(checked: Checked) -> str:
    """Ask for other spellings in the spec."""
    return "" if checked.spec.events.aliases else "the spec gives no aliases"


def where_names_are_in_the_spec(checked: Checked) -> str:
    """Ask for names of events in the spec."""
    spec = checked.spec
    named = (spec.outcome.activity, spec.outcome.passive, *(names for _, names in spec.kinds))
    given = any(named) or spec.events.aliases or spec.events.leave_out or spec.events.leave_out_users
    return "" if given else "the spec names no events"


def with_segments(checked: Checked) -> str:
    """Ask for segments."""
    return "" if checked.roster.accounts.segments else "no segments are used"


def with_assignments(checked: Checked) -> str:
    """Ask for past tests."""
    return "" if checked.roster.accounts.assignments else "the spec names no past test"


def with_column(role: str) -> Callable[[Checked], str]:
    """Return a reason that asks for a column of the accounts."""

    def reason(checked: Checked) -> str:
        return "" if getattr(checked.spec.accounts, role) else f"the accounts have no column for {role!r}"

    return reason


def with_churn(checked: Checked) -> str:
    """Ask for an account that left."""
    left = (checked.roster.accounts.churned != UNKNOWN_TIME).any()
    return "" if left else "no account has a date of leaving"


def with_departures(checked: Checked) -> str:
    """Ask for dates of leaving that were recorded."""
    return with_churn(checked) or ("the dates of leaving only repeat the events" if checked.silence else "")


def with_own_end(checked: Checked) -> str:
    """Ask for an end of observation of each account."""
    given = checked.roster.own_end or "observed_until" in checked.roster.unread
    return "" if given else "no column says until when each account was observed"


def with_ten_days(checked: Checked) -> str:
    """Ask for a log long enough for silences."""
    log = checked.log
    if log is None:
        return "no event can be used"
    return "" if log.end - log.start >= SHORTEST_LOG else "the log is shorter than ten days"


def with_seven_weeks(checked: Checked) -> str:
    """Ask for a log long enough to compare weeks with those before."""
    volume = checked.volume
    if volume is None:
        return "no event can be used"
    return "" if volume.days // 7 >= FEWEST_WEEKS_IN_ALL else "the log is shorter than seven weeks"


def _otherwise(checked: Checked) -> str:
    return f"the spec asks for events.duplicates = {checked.spec.events.duplicates!r}"
