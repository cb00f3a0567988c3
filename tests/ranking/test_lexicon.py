"""Names that speak of the decision to stay or go, and names that only look like it."""

import pytest

from discovery.ranking.lexicon import outcome_word


@pytest.mark.parametrize(
    "event",
    [
        "subscription_ended", "churn_event", "Plan Upgraded", "planUpgraded", "invoice.paid", "trial_ended",
        "paid_subscription_started", "CANCEL CLICKED", "renewal_discussed", "seats added", "card-payment_failed",
    ],
)  # fmt: skip
def test_decisions_are_recognised(event):
    assert outcome_word(event)


@pytest.mark.parametrize(
    "event",
    ["report_shared", "unpaid_leave_requested", "trial_started", "repaired", "scheduled", "🎉", ""],
)
def test_ordinary_use_is_not(event):
    assert outcome_word(event) is None


def test_the_words_are_given_whole():
    assert outcome_word("Subscription Ended") == "subscription"
    assert outcome_word("userPlanChanged") == "plan changed"
