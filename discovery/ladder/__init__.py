"""Findings into ordered ladders: the steps required on the way, and what is known about each."""

from discovery.ladder.build import Goal, Habit, Seen, build_ladder, in_rank
from discovery.ladder.climb import Climb
from discovery.ladder.drops import Leg
from discovery.ladder.launch import appeared_late
from discovery.ladder.names import is_failure, is_presence
from discovery.ladder.path import Path, find_path
from discovery.ladder.stages import HABIT_DAYS, Cohort, ends_setup
from discovery.ladder.steps import Place, Step

__all__ = [
    "HABIT_DAYS",
    "Climb",
    "Cohort",
    "Goal",
    "Habit",
    "Leg",
    "Path",
    "Place",
    "Seen",
    "Step",
    "appeared_late",
    "build_ladder",
    "ends_setup",
    "find_path",
    "in_rank",
    "is_failure",
    "is_presence",
]
