"""Checks of the outcome: does the recorded leaving agree with what accounts did."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from discovery.engines.expressions import quoted
from discovery.intake.checked import SHOWN, Checked, finding
from discovery.intake.relations import UNKNOWN_TIME
from discovery.intake.wording import counted, percent
from discovery.results import QualityFinding
from discovery.spec import Day

_USE_ACTIVE = "Else use outcome.kind = 'active', which asks for activity in a fixed later period."
_OTHERWISE = {
    "active": "Else nothing is to be done: the outcome asks for activity in a fixed later period.",
    "converted": "Else nothing is to be done: the outcome asks who converted.",
}


def outcome_findings(checked: Checked) -> Iterator[QualityFinding]:
    """Yield where the churn dates and the events disagree."""
    left = checked.roster.accounts.churned != UNKNOWN_TIME
    if left.any() and not checked.silence:
        yield from _activity_after_churn(checked, int(left.sum()))


def churn_is_silence(checked: Checked) -> Iterator[QualityFinding]:
    """Yield where the churn dates only repeat the events."""
    left = checked.roster.accounts.churned != UNKNOWN_TIME
    if left.any() and checked.silence:
        yield _churn_is_silence(checked, int(left.sum()))


def _churn_is_silence(checked: Checked, left: int) -> QualityFinding:
    asked, kind = checked.spec.accounts, checked.spec.outcome.kind
    message = (
        f"Of the {counted(left, 'date')} in {asked.churned!r} at least 90 % {checked.silence}: they say when an "
        "account fell silent, not that it left."
    )
    if not asked.churned:  # the dates were made
        message = (
            f"{counted(left, 'account')} fell silent for {counted(asked.silence_days, 'day')}, as "
            "accounts.silence_days asks: no departure was recorded."
        )
    if kind == "retained":
        message += (
            " They are not used as departures, so no account counts as having left, and a study of outcome.kind = "
            "'retained', which the spec asks for, cannot say anything."
        )
    else:
        message += f" They are not used as departures; the outcome is {kind!r}."
    return finding(
        "churn_is_silence",
        "warning" if asked.churned or kind == "retained" else "info",
        message,
        count=left,
        of=len(checked.roster.accounts),
        examples=checked.roster.accounts.account_id[checked.roster.accounts.churned != UNKNOWN_TIME][:SHOWN],
        remedy="Export the date of cancellation if there is one. " + _OTHERWISE.get(kind, _USE_ACTIVE),
        names_accounts=True,
    )


def _activity_after_churn(checked: Checked, left: int) -> Iterator[QualityFinding]:
    accounts, name = checked.roster.accounts, quoted(f"{checked.roster.table}_left")
    gone = np.flatnonzero(accounts.churned != UNKNOWN_TIME)
    ids = pa.array(accounts.account_id[gone], type=pa.string())
    checked.engine.register(
        f"{checked.roster.table}_left", pa.table({"account_id": ids, "churned": accounts.churned[gone]})
    )
    found = checked.engine.rows(
        f"SELECT l.account_id FROM {name} l SEMI JOIN {checked.pairs} p "
        f"ON l.account_id = p.account_id AND p.last > l.churned + {Day} ORDER BY l.account_id"
    )
    checked.engine.execute(f"DROP TABLE {name}")
    if found:
        yield finding(
            "activity_after_churn",
            "warning",
            f"{counted(len(found), 'account')} ({percent(len(found) / left)} of those that left) have events more than "
            "a day after they left.",
            count=len(found),
            of=left,
            examples=[str(key) for (key,) in found[:SHOWN]],
            remedy="Check whether they came back, or whether the churn date is that of one subscription among several.",
            names_accounts=True,
        )
