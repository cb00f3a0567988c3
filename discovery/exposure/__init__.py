"""Events into account x event aggregates of the observation window, and those into flags."""

from discovery.exposure.acts import EventColumns, never_met, with_acts
from discovery.exposure.aggregates import Exposure, events_at_signup
from discovery.exposure.arrays import Among
from discovery.exposure.conjunctions import Conjunctions, pair_flags, triple_flags
from discovery.exposure.daily import daily_actions
from discovery.exposure.decisions import DecisionCounts, decision_times
from discovery.exposure.first_times import first_reached
from discovery.exposure.flags import Flags, candidate_flags, flag
from discovery.exposure.habit import active_users, core_weeks
from discovery.exposure.journey import Met, met_between
from discovery.exposure.measuring import COUNTING, measure
from discovery.exposure.moments import active_between, event_names, reach_times
from discovery.exposure.query import exposure_query
from discovery.exposure.ranges import accounts_at, enough_of, rest
from discovery.exposure.reach import reached_query
from discovery.exposure.repeats import used_again
from discovery.exposure.rhythm import Rhythm, account_rhythm, volume_axes
from discovery.exposure.sessions import session_numbers
from discovery.exposure.user_counts import UserCounts, user_counts
from discovery.exposure.values import PropertyValues, Sameness, ValueCounts, ValueReach, usual_values
from discovery.exposure.weekly import WeeklyRows, weekly_presence, weekly_rows

__all__ = [
    "COUNTING",
    "Among",
    "Conjunctions",
    "DecisionCounts",
    "EventColumns",
    "Exposure",
    "Flags",
    "Met",
    "PropertyValues",
    "Rhythm",
    "Sameness",
    "UserCounts",
    "ValueCounts",
    "ValueReach",
    "WeeklyRows",
    "account_rhythm",
    "accounts_at",
    "active_between",
    "active_users",
    "candidate_flags",
    "core_weeks",
    "daily_actions",
    "decision_times",
    "enough_of",
    "event_names",
    "events_at_signup",
    "exposure_query",
    "first_reached",
    "flag",
    "measure",
    "met_between",
    "never_met",
    "pair_flags",
    "reach_times",
    "reached_query",
    "rest",
    "session_numbers",
    "triple_flags",
    "used_again",
    "user_counts",
    "usual_values",
    "volume_axes",
    "weekly_presence",
    "weekly_rows",
    "with_acts",
]
