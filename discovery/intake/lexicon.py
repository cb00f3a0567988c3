"""The usual names of columns, each role's in order of preference, and which account columns are traits."""

from __future__ import annotations

import re


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ENTITIES = (
    "account",
    "organization",
    "organisation",
    "org",
    "workspace",
    "company",
    "tenant",
    "team",
    "group",
    "customer",
    "client",
)
_ACCOUNT = (
    *(f"{entity}_{end}" for entity in _ENTITIES for end in ("id", "key", "uuid", "code")),
    *_ENTITIES,
    *(f"{entity}_name" for entity in _ENTITIES),
)

EVENT_ROLES: dict[str, tuple[str, ...]] = {
    "account": _ACCOUNT,
    "user": _names(
        "user_id user_uuid user_key user distinct_id member_id actor_id person_id member actor "
        "employee_id contact_id profile_id anonymous_id username user_name user_email"
    ),
    "event": _names("event event_name event_type event_title event_action action_name action activity name type"),
    "time": _names(
        "timestamp event_time event_timestamp occurred_at event_at event_date event_datetime event_ts time ts datetime "
        "date_time happened_at performed_at logged_at created_at sent_at received_at created created_time "
        "event_created_at server_time date day"
    ),
    "id": _names("event_id insert_id message_id event_uuid row_id record_id uuid id"),
}

SENT_AND_RECEIVED = {"sent": ("sent_at",), "received": ("received_at",)}
"""When the sender sent an event, and when it arrived; looked at where they are not the time itself."""

PROPERTY_COLUMNS = ("properties", "event_properties", "event_params", "props", "attributes", "event_data", "payload")
"""Columns of a plain table under which properties of events may lie."""

MEMBERSHIP: dict[str, tuple[str, ...]] = {
    "user": (*EVENT_ROLES["user"], *_names("email id")),
    "account": _ACCOUNT,
    "since": _names("since joined_at member_since user_since valid_from added_at assigned_at joined_on start_date"),
}
"""Columns of a table of users and their accounts."""

PERSONS: dict[str, tuple[str, ...]] = {
    "user": _names(
        "anonymous_id alias alias_id previous_id previous_user_id old_id old_user_id distinct_id amplitude_id user_id "
        "user id"
    ),
    "person": _names(
        "person_id canonical_id canonical_user_id resolved_id resolved_user_id resolved_distinct_id main_id "
        "main_user_id merged_amplitude_id new_id new_user_id identity_id user_id user distinct_id"
    ),
    "version": _names("person_distinct_id_version version"),
}
"""Columns of a table of user ids and the person each is."""

ACCOUNT_ROLES: dict[str, tuple[str, ...]] = {
    "account": (*_ACCOUNT, "id", "uuid", "name"),
    "signup": _names(
        "signup_at signed_up_at sign_up_at signup_date signup_time signup_timestamp signup_ts signup sign_up_date "
        "signed_up registered_at registration_date registered_on registered trial_started_at trial_start_at "
        "trial_start_date trial_start joined_at join_date created_at account_created_at created_on created_date "
        "creation_date date_created created start_date started_at"
    ),
    "churned": _names(
        "churned_at churn_at churn_date churned_on churn_time cancelled_at canceled_at cancelled_on canceled_on "
        "cancellation_date cancel_date ended_at deactivated_at deactivation_date closed_at terminated_at left_at "
        "subscription_ended_at subscription_end_date unsubscribed_at deleted_at"
    ),
    "converted": _names(
        "converted_at conversion_date converted_on paid_at first_paid_at first_payment_at first_payment_date "
        "upgraded_at upgrade_date trial_converted_at subscribed_at subscription_started_at became_paying_at"
    ),
    "observed_until": _names("observed_until observed_to observation_end censored_at"),
    "seats": _names("seats n_seats num_seats seat_count seats_count licenses licences n_licenses n_licences"),
    "exclude": _names(
        "is_internal internal is_internal_account internal_account is_test test is_test_account test_account "
        "is_demo is_excluded exclude excluded"
    ),
}

_TRAITS = re.compile(
    r"(.*_)?(channel|source|referral|referrer|country|country_code|region|continent|industry|vertical|sector|motion)"
    r"|utm_.+"
)
_OUTCOMES = re.compile(
    r"(is_|has_)?(churn|churned|cancel|cancelled|canceled|active|retained|converted|paying|paid|inactive|deleted)"
    r"(_flag)?|churn_.+|(account_|subscription_|lifecycle_)?(status|state|stage)|health(_score)?"
)
_LATER = re.compile(
    r"last_.+|.*_last|.*_lifetime|lifetime_.+|ltv|total_.+|(n|num|number_of|count_of)_.+|.+_count|.+_total|"
    r"(users|logins|sessions|events|days_active|tenure.*|nps|csat)"
)


def normalised(name: str) -> str:
    """Return a name in snake case: `accountId`, `Account ID` and `$account_id` are all `account_id`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"[\W_]+", "_", spaced.lower()).strip("_")


def last_part(path: str) -> str:
    """Return the last name of a dotted path."""
    return path.rpartition(".")[2]


def by_preference(columns: tuple[str, ...], names: tuple[str, ...]) -> list[str]:
    """Return the columns that have one of these names, the most usual name first."""
    rank = {name: i for i, name in enumerate(names)} | {name.replace("_", ""): i for i, name in enumerate(names)}
    known = [(rank[n], i, c) for i, c in enumerate(columns) if (n := normalised(c)) in rank]
    return [column for _, _, column in sorted(known)]


def is_trait_by_nature(column: str) -> bool:
    """Say whether a column of this name is constant by nature: how the account came, where it is, what it does."""
    return _TRAITS.fullmatch(normalised(column)) is not None


def why_left_out(column: str, *, first_told: bool = False) -> str:
    """Return why an account column is not used as a segment unless the user names it.

    With `first_told` it holds what an export told first of the account, up to a day after its signup, else what was
    true when it was exported.
    """
    name = normalised(column)
    remedy = "name it in accounts.segments if it is the value at signup"
    if _OUTCOMES.fullmatch(name):
        return "says how the account ended up, so it cannot be a trait known at signup"
    if _LATER.fullmatch(name):
        return f"sums up what happened after signup; {remedy}"
    if first_told:
        return "as first told, up to a day after signup; name it in accounts.segments to adjust for it"
    return f"may be a consequence of staying as of the export; {remedy}"
