"""Events into account x event aggregates of the observation window, and those into flags."""

from discovery.exposure.aggregates import Exposure, events_at_signup, measure
from discovery.exposure.conjunctions import Conjunctions, pair_flags, triple_flags
from discovery.exposure.decisions import DecisionCounts, decision_times
from discovery.exposure.flags import Flags, candidate_flags, flag
from discovery.exposure.moments import active_between, event_names, reach_times
from discovery.exposure.query import exposure_query
from discovery.exposure.rhythm import Rhythm, account_rhythm, volume_axes

__all__ = [
    "Conjunctions",
    "DecisionCounts",
    "Exposure",
    "Flags",
    "Rhythm",
    "account_rhythm",
    "active_between",
    "candidate_flags",
    "decision_times",
    "event_names",
    "events_at_signup",
    "exposure_query",
    "flag",
    "measure",
    "pair_flags",
    "reach_times",
    "triple_flags",
    "volume_axes",
]
