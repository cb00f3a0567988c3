"""The language of behaviour: conditions on events, and milestones made of them.

::

    report_shared                                   at least once within the observation window
    report_shared >= 3 within 7d                    threshold and window
    report_shared >= 3 within 7d by 2 users         breadth: at least two distinct users
    "Deal Created" within 3d and email_synced       each part with its own window
    (deal_created and email_synced) within 7d       one window for all
    csv_uploaded or salesforce_connected            alternatives
    report_shared[channel = "email"] >= 3           only rows whose property meets the test
    task_completed[by_other = true] within 72h      by a user who is not the account's first

`within 7d` means `signup <= t < signup + 7 x 24 h`. `str(Milestone.parse(text))` is canonical: equal
milestones print alike, and the printed form parses back to an equal milestone.
"""

from discovery.milestone.parts import Condition, Milestone
from discovery.milestone.properties import BY_OTHER, EXACT, NUMBER, Operator, PropertyTest, Scalar

__all__ = ["BY_OTHER", "EXACT", "NUMBER", "Condition", "Milestone", "Operator", "PropertyTest", "Scalar"]
