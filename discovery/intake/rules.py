"""The catalogue of every check: its name, what it asks, and what makes it not apply."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from discovery.intake import applies
from discovery.intake.checked import Checked
from discovery.results import QualityFinding, RuleChecked, RuleState, Subject

Reason = Callable[[Checked], str]

_STATES: Final[tuple[RuleState, ...]] = ("error", "warning", "info")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRule:
    """One check. `code` is also that of its findings; `unless` says why it does not apply, empty where it does."""

    code: str
    subject: Subject
    question: str
    unless: Reason = applies.always


def rules_checked(checked: Checked, findings: Sequence[QualityFinding]) -> tuple[RuleChecked, ...]:
    """Return every rule of the catalogue and how the data stand to it."""
    return tuple(standing(rule, checked, findings) for rule in RULES)


def standing(rule: NamedRule, checked: Checked, findings: Sequence[QualityFinding]) -> RuleChecked:
    """Return how the data stand to one rule."""
    found = [finding for finding in findings if finding.code == rule.code]
    reason = "" if found else rule.unless(checked)
    state: RuleState = "not applicable" if reason else "passed"
    for severity in reversed(_STATES):
        if any(finding.severity == severity for finding in found):
            state = severity
    return RuleChecked(
        code=rule.code,
        subject=rule.subject,
        question=rule.question,
        state=state,
        count=sum(finding.count for finding in found),
        share=found[0].share if len(found) == 1 else None,
        reason=reason,
    )


def _of(subject: Subject, *rules: tuple[str, str] | tuple[str, str, Reason]) -> tuple[NamedRule, ...]:
    return tuple(
        NamedRule(code=rule[0], subject=subject, question=rule[1], unless=rule[2] if len(rule) == 3 else applies.always)
        for rule in rules
    )


RULES: Final[tuple[NamedRule, ...]] = (
    *_of(
        "rows",
        ("unreadable_rows", "Can every line of both files be read?"),
        (
            "format_not_recognised",
            "Do the events look like the format that the spec names?",
            applies.where_format_named,
        ),
        ("guessed_encoding", "Is the text UTF-8?"),
        ("blank_rows", "Is there something in every row?"),
        ("missing_event_name", "Does every event have a name?"),
        ("no_usable_events", "Is there any event with an account, a name and a time?"),
        ("duplicate_ids", "Is every row's own id there once?", applies.by_row_id),
        ("duplicate_rows", "Is every event there once?", applies.without_row_id),
        ("records_passed_over", "Are all records events, or do some tell who is who?"),
        ("left_out", "Are events left out, as the spec asks?", applies.where_left_out),
    ),
    *_of(
        "times",
        ("missing_time", "Does every event have a time?"),
        ("unreadable_time", "Do all times read as a time?"),
        ("date_only_time", "Do times have a time of day?", applies.with_events),
        ("round_times", "Are times written to the second?", applies.with_times_of_day),
        ("stray_times", "Do all events lie in the time of the log?", applies.with_events),
        ("future_events", "Did every event happen before it was received, and before today?", applies.with_events),
        ("shifted_times", "Are times and the server's clock in one zone?", applies.with_received),
        ("late_events", "Do events come within a day of happening?", applies.with_received),
        ("clock_skew", "Do the clocks of devices agree with the server's?", applies.with_sent_and_received),
    ),
    *_of(
        "identity",
        ("missing_account", "Does every event have an account?", applies.without_mapping),
        ("unknown_accounts", "Is the account of every event among the accounts?", applies.with_table_of_accounts),
        ("placeholder_account", "Does every account id stand for an account?", applies.with_events),
        ("events_without_user", "Do events name the user who did them?", applies.with_users),
        ("shared_user_id", "Does every user id stand for one person?", applies.with_users),
        ("users_in_several_accounts", "Does every user belong to one account?", applies.with_users),
        ("account_is_user", "Is the account more than a person?", applies.with_users),
        ("before_joining", "Did users join their account before they did anything?", applies.with_mapping),
        ("unmapped_events", "Does every event, or else its user, have an account?", applies.with_mapping),
        ("ambiguous_users", "Is it clear which account each user belongs to?", applies.with_mapping),
        ("merged_users", "Do people have one id each?", applies.with_persons),
        ("internal_users", "Are all users customers, not testers or your own people?", applies.with_users),
        ("bot_like", "Do all users behave like people, not like programs?", applies.with_events),
    ),
    *_of(
        "accounts",
        ("accounts_derived", "Is there a table of accounts?"),
        ("accounts_without_id", "Does every account have an id?"),
        ("duplicate_accounts", "Is every account there once?"),
        ("missing_signup", "Does every account have a signup?"),
        ("unreadable_signup", "Do all signups read as a time?"),
        ("no_usable_signup", "Is there any account with a signup?"),
        ("signups_before_log", "Did accounts sign up after the log begins?", applies.with_events),
        ("signups_after_log", "Did accounts sign up before the log ends?", applies.with_events),
        ("events_before_signup", "Do events come after their account's signup?", applies.with_events),
        ("accounts_without_events", "Does every account have an event?", applies.with_events),
        ("too_few_accounts", "Are there enough accounts with a known outcome?", applies.when_outcomes_are_read),
        ("low_coverage", "Do most accounts have an event?", applies.with_events),
        ("internal_accounts", "Are all accounts customers, not tests, demos or your own?"),
        ("constant_segment", "Does every segment tell accounts apart?", applies.with_segments),
        ("unusable_seats", "Do all seats read as a number above zero?", applies.with_column("seats")),
        ("several_variants", "Does every account have one variant of each past test?", applies.with_assignments),
        ("one_variant", "Does every past test have several variants?", applies.with_assignments),
    ),
    *_of(
        "outcome",
        ("unreadable_churned", "Do all dates of leaving read as a time?", applies.with_column("churned")),
        ("churn_before_signup", "Did accounts leave after they signed up?", applies.with_column("churned")),
        ("activity_after_churn", "Do events end when an account leaves?", applies.with_departures),
        ("churn_is_silence", "Do dates of leaving say more than when an account was last seen?", applies.with_churn),
        ("unreadable_converted", "Do all dates of converting read as a time?", applies.with_column("converted")),
        ("unreadable_observed_until", "Do all ends of observation read as a time?", applies.with_own_end),
        ("observed_until_is_churn", "Were accounts that left observed until then and after?", applies.with_own_end),
        ("observed_until_is_last_event", "Were accounts observed beyond their last event?", applies.with_own_end),
        ("observed_past_log", "Does the log reach to where accounts are observed?", applies.with_events),
    ),
    *_of(
        "tracking",
        ("names_not_in_log", "Do the event names in the spec occur?", applies.where_names_are_in_the_spec),
        ("near_duplicate_names", "Does every event have one name?", applies.with_events),
        ("aliases_applied", "Are events renamed, as the spec asks?", applies.where_aliases_are_given),
        ("tracking_starts", "Is every event tracked from the log's beginning?", applies.with_ten_days),
        ("tracking_stops", "Is every event tracked to the log's end?", applies.with_ten_days),
        ("tracking_gaps", "Is there no gap in the log, or in the life of an event?", applies.with_ten_days),
        ("renamed_event", "Does no event take over where another ends?", applies.with_ten_days),
        ("volume_jump", "Does the volume of every event stay of one order?", applies.with_seven_weeks),
    ),
)
