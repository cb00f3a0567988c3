"""A proposed milestone into a verdict with its reasons."""

from discovery.validation.case import Case, Presence, Repeats, Rule, Setup, Tracking
from discovery.validation.compare import compare
from discovery.validation.judge import Aside, judge, not_judged
from discovery.validation.verdict import Decision, Effect, decide, effect_of

__all__ = [
    "Aside",
    "Case",
    "Decision",
    "Effect",
    "Presence",
    "Repeats",
    "Rule",
    "Setup",
    "Tracking",
    "compare",
    "decide",
    "effect_of",
    "judge",
    "not_judged",
]
