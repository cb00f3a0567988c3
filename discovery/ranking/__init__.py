"""Estimates into graded candidates, families and the verdict."""

from discovery.ranking.eligibility import (
    JUDGED_BY,
    MIN_ACCOUNTS,
    MIN_SIDE,
    eligible_candidates,
    is_trait,
    set_apart,
)
from discovery.ranking.evidence import Candidates, CloserLook, Evidence
from discovery.ranking.families import Finalist, candidate_table, describe_families
from discovery.ranking.grading import GradedFamily, Grading, grade
from discovery.ranking.lexicon import OutcomeTerm, outcome_term
from discovery.ranking.standing import NO_MILESTONE
from discovery.ranking.verdict import (
    MIN_EITHER_OUTCOME,
    MIN_MATURE,
    MORE_OR_LONGER,
    decide,
    insufficient,
    of_all,
    shortfall,
)

__all__ = [
    "JUDGED_BY",
    "MIN_ACCOUNTS",
    "MIN_EITHER_OUTCOME",
    "MIN_MATURE",
    "MIN_SIDE",
    "MORE_OR_LONGER",
    "NO_MILESTONE",
    "Candidates",
    "CloserLook",
    "Evidence",
    "Finalist",
    "GradedFamily",
    "Grading",
    "OutcomeTerm",
    "candidate_table",
    "decide",
    "describe_families",
    "eligible_candidates",
    "grade",
    "insufficient",
    "is_trait",
    "of_all",
    "outcome_term",
    "set_apart",
    "shortfall",
]
