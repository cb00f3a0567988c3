"""Event names that speak of the decision to stay or go rather than of early behaviour.

Billing, renewing, upgrading, cancelling and leaving follow from the decision, so such events separate
perfectly and teach nothing. They are suggested here by name; a kind given by the user overrides this.
"""

from __future__ import annotations

import re

_STEMS = (
    "bill",
    "cancel",
    "charg",
    "checkout",
    "churn",
    "contract",
    "credit_card",
    "deactivat",
    "downgrad",
    "dunning",
    "invoice",
    "offboard",
    "paid",
    "payment",
    "plan_change",
    "plan_expire",
    "purchas",
    "refund",
    "renew",
    "resubscri",
    "seat_add",
    "seat_remov",
    "seats_add",
    "seats_remov",
    "subscri",
    "terminat",
    "trial_convert",
    "trial_end",
    "trial_expire",
    "unsubscri",
    "upgrad",
)
_SPEAKS = re.compile(rf"(?<![^_])(?:{'|'.join(_STEMS)})[^_]*")
_WORD_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^0-9A-Za-z]+")


def outcome_word(event: str) -> str | None:
    """Return the words of an event name that speak of staying or going, or None.

    Words are split at punctuation and at capitals, and matched from their beginning, so that
    `Plan Upgraded` and `planUpgraded` match while `unpaid_leave_requested` does not.

    Examples
    --------
    >>> outcome_word("Subscription Cancelled")
    'subscription'
    >>> outcome_word("report_shared") is None
    True
    """
    spelled = "_".join(word.lower() for word in _WORD_BREAK.split(event) if word)
    found = _SPEAKS.search(spelled)
    return found.group(0).replace("_", " ") if found else None
