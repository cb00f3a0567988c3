"""Estimates into graded candidates, families and the verdict."""

from discovery.ranking.families import Finalist, candidate_table, describe_families
from discovery.ranking.grading import MIN_SIDE, Evidence, GradedFamily, Grading, grade, set_apart
from discovery.ranking.verdict import decide, insufficient, shortfall

__all__ = [
    "MIN_SIDE",
    "Evidence",
    "Finalist",
    "GradedFamily",
    "Grading",
    "candidate_table",
    "decide",
    "describe_families",
    "grade",
    "insufficient",
    "set_apart",
    "shortfall",
]
