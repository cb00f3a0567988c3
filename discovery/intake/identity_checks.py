"""Who is who: users and accounts that are placeholders, that are mixed up, or that the export does not tell."""

from __future__ import annotations

from collections.abc import Iterator

from discovery.engines.expressions import quoted
from discovery.intake.checked import SHOWN, Checked, finding, setting
from discovery.intake.sql import word_list
from discovery.intake.wording import counted, percent
from discovery.results import QualityFinding

PLACEHOLDERS = (
    "null", "undefined", "none", "nil", "nan", "n/a", "na", "0", "-1", "anonymous", "anon", "unknown", "system",
    "guest", "default", "(not set)", "not set", "[object object]", "00000000-0000-0000-0000-000000000000",
)  # fmt: skip
"""What programs write, in any case, where they do not know an id."""

FEW_WITHOUT_ACCOUNT = 0.05
"""The share of events without an account up to which these may be visitors, as every log has them."""

FEW_WITHOUT_USER = 0.2
"""The share of events without a user up to which nothing is said; server events often have none."""

_MOST = 0.5
_MANY_ACCOUNTS, _SHARE_OF_ACCOUNTS = 10, 0.2
_SAME = 0.5
_COMMON = 0.2


def identity_findings(checked: Checked) -> Iterator[QualityFinding]:
    """Yield what is wrong with the ids of users and accounts."""
    yield from _mapping(checked)
    if not checked.events.usable_rows:
        return
    yield from _placeholder_accounts(checked)
    if checked.events.has_users:
        yield from _without_user(checked)
        yield from _accounts_that_are_users(checked)
        yield from _shared_ids(checked)
        yield from _in_several_accounts(checked)


def is_placeholder(column: str) -> str:
    """Return a condition that holds where an id stands for none."""
    return f"lower(trim({column})) IN {word_list(PLACEHOLDERS)}"


def _placeholder_accounts(checked: Checked) -> Iterator[QualityFinding]:
    found = checked.engine.rows(
        f"SELECT account_id, sum(n) AS n FROM {checked.pairs} WHERE {is_placeholder('account_id')} "
        "GROUP BY account_id ORDER BY n DESC, account_id"
    )
    if found:
        ids, rows = [str(key) for key, _ in found], sum(int(n) for _, n in found)
        yield finding(
            "placeholder_account",
            "warning",
            f"{counted(rows, 'event')} ({percent(rows / checked.events.usable_rows)}) belong to an account whose id "
            "stands for none: events of many accounts would count as those of one.",
            count=rows,
            of=checked.events.usable_rows,
            examples=ids,
            remedy="Fill the account in the export, or say which account each user belongs to with identity.from. "
            "Where the id is also among the accounts, leave it out.",
            paste=setting("accounts", "leave_out", ids),
        )


def _without_user(checked: Checked) -> Iterator[QualityFinding]:
    rows = checked.events.usable_rows
    bare = int(checked.engine.rows(f"SELECT coalesce(sum(n), 0) FROM {checked.pairs} WHERE user_id IS NULL")[0][0])
    if bare >= FEW_WITHOUT_USER * rows:
        names = checked.engine.rows(
            f"SELECT event FROM {quoted(checked.events.usable)} GROUP BY event "
            f"HAVING count(user_id) * 10 < count(*) ORDER BY count(*) DESC, event LIMIT {SHOWN}"
        )
        yield finding(
            "events_without_user",
            "warning" if bare >= _MOST * rows else "info",
            f"{counted(bare, 'event')} ({percent(bare / rows)}) name no user, while others do: rules of the form "
            "'by 2 users' overlook them.",
            count=bare,
            of=rows,
            examples=[str(name) for (name,) in names],
            remedy="Export the user of these events too, if somebody did them; what the system did by itself has none.",
        )


def _accounts_that_are_users(checked: Checked) -> Iterator[QualityFinding]:
    same, of = checked.engine.rows(f"SELECT count_if(account_id = user_id), count(user_id) FROM {checked.pairs}")[0]
    if of and same >= _SAME * of:
        yield finding(
            "account_is_user",
            "warning",
            f"In {percent(same / of)} of {counted(int(of), 'pair')} of account and user both ids are the same: what is "
            f"read as the account ({checked.spec.events.account!r}) looks like a person.",
            count=int(same),
            of=int(of),
            examples=checked.first("account_id", checked.pairs, "account_id = user_id"),
            remedy="If companies or workspaces stay or leave, name the column with their id in events.account and "
            "accounts.account. If a person is your account, leave events.user empty: rules 'by 2 users' mean nothing.",
            names_accounts=True,
        )


def _shared_ids(checked: Checked) -> Iterator[QualityFinding]:
    words = checked.engine.rows(
        f"SELECT user_id, n FROM {checked.users} WHERE {is_placeholder('user_id')} ORDER BY n DESC, user_id"
    )
    rows = checked.events.usable_rows
    if words:
        ids, events = [str(key) for key, _ in words], sum(int(n) for _, n in words)
        yield finding(
            "shared_user_id",
            "warning",
            f"{counted(events, 'event')} ({percent(events / rows)}) name a user that stands for nobody: different "
            "people count as one.",
            count=events,
            of=rows,
            examples=ids,
            remedy="Leave the user empty in the export where it is not known. Left out, these events would be lost.",
            paste=setting("events", "leave_out_users", ids),
        )
    accounts = int(checked.engine.rows(f"SELECT count(DISTINCT account_id) FROM {checked.pairs}")[0][0])
    many = max(_MANY_ACCOUNTS, _SHARE_OF_ACCOUNTS * accounts)
    shared = checked.engine.rows(
        f"SELECT user_id, accounts FROM {checked.users} WHERE accounts > {many} AND NOT {is_placeholder('user_id')} "
        "ORDER BY accounts DESC, user_id"
    )
    if shared:
        most = int(shared[0][1])
        yield finding(
            "shared_user_id",
            "warning",
            f"{counted(len(shared), 'user id')} {'acts' if len(shared) == 1 else 'act'} in more than "
            f"{percent(many / accounts)} of the accounts ({most:,} of {accounts:,} at most): support staff, a service, "
            "or an id that several people share.",
            count=len(shared),
            of=_users(checked),
            examples=[str(key) for key, _ in shared],
            remedy="If these are your own people or programs, leave them out.",
            names_accounts=True,
            paste=setting("events", "leave_out_users", [str(key) for key, _ in shared]),
        )


def _in_several_accounts(checked: Checked) -> Iterator[QualityFinding]:
    several, of = checked.engine.rows(
        f"SELECT count_if(accounts > 1), count(*) FROM {checked.users} WHERE NOT {is_placeholder('user_id')}"
    )[0]
    if several:
        yield finding(
            "users_in_several_accounts",
            "warning" if several >= _COMMON * of else "info",
            f"{counted(int(several), 'user')} ({percent(several / of)}) {'acts' if several == 1 else 'act'} in more "
            "than one account, and count as a user of each.",
            count=int(several),
            of=int(of),
            examples=checked.first("user_id", checked.users, f"accounts > 1 AND NOT {is_placeholder('user_id')}"),
            remedy="Nothing to do where people belong to several accounts. If most do, check that the right column is "
            "read as the account.",
            names_accounts=True,
        )


def _mapping(checked: Checked) -> Iterator[QualityFinding]:
    """Yield what the identities given beside the events did to them."""
    events = checked.events
    if events.merged:
        yield finding(
            "merged_users",
            "info",
            f"{counted(events.merged, 'event')} ({percent(events.merged / max(events.rows, 1))}) carry a user id that "
            "is another id of the same person, and count as that person's.",
            count=events.merged,
            of=events.rows,
            examples=(),
            remedy="Nothing to do; identity.persons, or the export itself, says which ids are one person.",
        )
    if events.before_joining:
        yield _before_joining(checked)
    if events.has_members and events.missing_account > events.before_joining:
        bare = events.missing_account - events.before_joining
        yield finding(
            "unmapped_events",
            "warning" if bare >= FEW_WITHOUT_ACCOUNT * events.rows else "info",
            f"{counted(bare, 'event')} ({percent(bare / events.rows)}) {'has' if bare == 1 else 'have'} no account, "
            f"and {'its' if bare == 1 else 'their'} user belongs to none that is known; "
            f"{'it is' if bare == 1 else 'they are'} left out.",
            count=bare,
            of=events.rows,
            examples=checked.first("event", quoted(events.typed), "account_id IS NULL AND passed_over IS NULL"),
            remedy="Nothing to do if these are visitors who never joined an account; give other users their account "
            "in identity.from.",
        )
    if events.ambiguous_users:
        yield finding(
            "ambiguous_users",
            "warning",
            f"{counted(events.ambiguous_users, 'user')} {'belongs' if events.ambiguous_users == 1 else 'belong'} to "
            "several accounts, and nothing says since when; their events without an account of their own are left out.",
            count=events.ambiguous_users,
            of=0,
            examples=events.examples_ambiguous,
            remedy="Name the column with the day each membership began in identity.since, or send the account with "
            "every event.",
            names_accounts=True,
        )


def _before_joining(checked: Checked) -> QualityFinding:
    count, of = checked.events.before_joining, checked.events.rows
    return finding(
        "before_joining",
        "warning" if count >= FEW_WITHOUT_ACCOUNT * of else "info",
        f"{counted(count, 'event')} ({percent(count / max(of, 1))}) {'was' if count == 1 else 'were'} done more than "
        f"a day before {'its' if count == 1 else 'their'} user joined an account, and "
        f"{'belongs' if count == 1 else 'belong'} to none: counted as early behaviour, the flag of an account would "
        "depend on who joins it later.",
        count=count,
        of=of,
        examples=(),
        remedy="Nothing to do if these are visitors who joined later. If they were in the account all along, send the "
        "account with every event, or say in identity.from since when each user belongs to it.",
    )


def _users(checked: Checked) -> int:
    return int(checked.engine.rows(f"SELECT count(*) FROM {checked.users}")[0][0])
