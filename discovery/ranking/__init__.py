"""Estimates into graded candidates, families and the verdict."""

from discovery.ranking.families import Finalist, candidate_table, describe_families
from discovery.ranking.grading import Evidence, GradedFamily, Grading, grade
from discovery.ranking.verdict import decide, insufficient, shortfall

__all__ = [
    "Evidence",
    "Finalist",
    "GradedFamily",
    "Grading",
    "candidate_table",
    "decide",
    "describe_families",
    "grade",
    "insufficient",
    "shortfall",
]
