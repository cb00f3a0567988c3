"""The scorecard of a proposal as people read it: a question, a mark, a number and what the number is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from discovery import wording
from discovery.report.phrases import signed_tenths
from discovery.results import Criterion, CriterionName

Standing = Literal["pass", "warn", "fail", "not judged"]
_COUNTED: Final[dict[Standing, tuple[str, str]]] = {
    "pass": ("pass", "passes"),
    "warn": ("warning", "warnings"),
    "fail": ("failure", "failures"),
    "not judged": ("not judged", "not judged"),
}
MARKS: Final[dict[Standing, str]] = {"pass": "✓", "warn": "!", "fail": "✗", "not judged": "–"}
"""Each standing has a shape of its own, so that none hangs on colour."""
QUESTIONS: Final[dict[CriterionName, str]] = {
    "predictive": "Do accounts that reach it do better than accounts alike that do not?",
    "better than vanity": "Does it say more than being active, or events that stand for no value?",
    "adds beyond onboarding": "Does it add anything to finishing setup?",
    "observable": "Is it on record for every cohort, without gaps?",
    "early": "Is it reached soon after signup?",
    "narrow but reachable": "Do some reach it and some not?",
    "precedes separation": "Does it come before accounts part?",
    "stable": "Is it the same for every cohort and segment?",
    "specific threshold": "Is this the right threshold?",
    "repeatable": "Do accounts do it again?",
    "not the outcome in disguise": "Is it more than another name for the outcome?",
    "confounding": "Could something unmeasured explain it?",
    "beaten by none": "Does no other behaviour do better?",
    "experimental evidence": "Does a past experiment speak for it?",
}
_MEANT: Final[dict[tuple[CriterionName, str], str]] = {
    ("predictive", "points"): "adjusted difference",
    ("better than vanity", "points"): "left beside them",
    ("adds beyond onboarding", "points"): "added to setup",
    ("observable", "share"): "weeks without a gap",
    ("early", "days"): "median time",
    ("narrow but reachable", "share"): "reach it",
    ("precedes separation", "share"): "of pairs: busier before",
    ("stable", "p"): "smallest p",
    ("specific threshold", "count"): "just as good",
    ("repeatable", "share"): "do it again",
    ("beaten by none", "count"): "score higher",
    ("confounding", "ratio"): "E-value",
    ("experimental evidence", "points"): "among those moved",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreLine:
    """One criterion laid out; `meant` says what its number is."""

    name: CriterionName
    question: str
    standing: Standing
    mark: str
    number: str
    meant: str
    sentence: str
    decides: bool


def score_line(criterion: Criterion) -> ScoreLine:
    """Lay out one criterion."""
    standing: Standing = criterion.status if criterion.judged else "not judged"
    number = _number(criterion.value, criterion.unit) if criterion.judged else ""
    return ScoreLine(
        name=criterion.name,
        question=QUESTIONS[criterion.name],
        standing=standing,
        mark=MARKS[standing],
        number=number,
        meant=_MEANT.get((criterion.name, criterion.unit), "") if number else "",
        sentence=criterion.sentence,
        decides=criterion.decides and standing == "fail",
    )


def in_short(lines: Sequence[ScoreLine]) -> str:
    """Return how many criteria stand how: `9 passes, 3 warnings, 1 failure, 1 not judged`."""
    counted = Counter(line.standing for line in lines)
    return ", ".join(f"{n} {words[n > 1]}" for standing, words in _COUNTED.items() if (n := counted[standing]))


def failed(lines: Sequence[ScoreLine]) -> tuple[str, ...]:
    """Return the names of the criteria that failed."""
    return tuple(line.name for line in lines if line.standing == "fail")


def _number(value: float | None, unit: str) -> str:
    if value is None or not wording.known(value):
        return ""
    written: dict[str, Callable[[float], str]] = {
        "points": signed_tenths,
        "share": wording.percent,
        "days": wording.days,
        "p": wording.p_value,
        "ratio": wording.ratio,
        "count": wording.count,
    }
    return written.get(unit, wording.decimal)(value)
