"""Events into account x event aggregates of the observation window, and those into flags."""

from discovery.exposure.aggregates import Exposure, events_at_signup, measure
from discovery.exposure.flags import Flags, candidate_flags, flag
from discovery.exposure.moments import active_between, event_names, reach_times
from discovery.exposure.query import exposure_query

__all__ = [
    "Exposure",
    "Flags",
    "active_between",
    "candidate_flags",
    "event_names",
    "events_at_signup",
    "exposure_query",
    "flag",
    "measure",
    "reach_times",
]
