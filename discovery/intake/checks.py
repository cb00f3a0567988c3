"""Every check of the rows, in the order in which a reader would ask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from discovery.intake.account_checks import account_findings, constant_segments, observed_past_log, unusable_seats
from discovery.intake.checked import Checked
from discovery.intake.coverage_checks import coverage_findings
from discovery.intake.event_checks import event_findings, names_not_in_log
from discovery.intake.identity_checks import identity_findings
from discovery.intake.outcome_checks import churn_is_silence, outcome_findings
from discovery.intake.rules import RULES, rules_checked, standing
from discovery.intake.time_checks import time_findings
from discovery.intake.tracking_checks import tracking_findings
from discovery.intake.traffic_checks import traffic_findings
from discovery.results import QualityFinding, RuleChecked

__all__ = ["OF_THE_QUESTION", "Checked", "asked_again", "check_rules", "question_findings", "worst_first"]

OF_THE_QUESTION = (
    "names_not_in_log",
    "observed_past_log",
    "churn_is_silence",
    "constant_segment",
    "unusable_seats",
)
"""The rules that `question_findings` asks."""

_ORDER = {"error": 0, "warning": 1, "info": 2}


def check_rules(checked: Checked) -> tuple[tuple[QualityFinding, ...], tuple[RuleChecked, ...]]:
    """Return every finding, errors first, and how the data stand to each rule."""
    found = worst_first(_all(checked))
    rules = rules_checked(checked, found)
    checked.clear()
    return found, rules


def asked_again(
    checked: Checked, quality: Iterable[QualityFinding], rules: Iterable[RuleChecked]
) -> tuple[tuple[QualityFinding, ...], tuple[RuleChecked, ...]]:
    """Return findings and rules of the same rows under another outcome, other kinds of events or other traits."""
    of_rows = [finding for finding in quality if finding.code not in OF_THE_QUESTION]
    found = worst_first([*of_rows, *question_findings(checked)])
    asked = {rule.code: standing(rule, checked, found) for rule in RULES if rule.code in OF_THE_QUESTION}
    return found, tuple(asked.get(rule.code, rule) for rule in rules)


def worst_first(findings: Iterable[QualityFinding]) -> tuple[QualityFinding, ...]:
    """Return findings by severity, errors first, else in the order in which they were found."""
    return tuple(sorted(findings, key=lambda finding: _ORDER[finding.severity]))


def question_findings(checked: Checked) -> Iterator[QualityFinding]:
    """Yield what depends on the outcome, the names and the traits in the spec; all else is of the rows alone."""
    yield from names_not_in_log(checked)
    yield from observed_past_log(checked)
    yield from churn_is_silence(checked)
    yield from constant_segments(checked)
    yield from unusable_seats(checked)


def _all(checked: Checked) -> Iterator[QualityFinding]:
    yield from event_findings(checked)
    yield from time_findings(checked)
    yield from identity_findings(checked)
    yield from account_findings(checked)
    yield from outcome_findings(checked)
    yield from tracking_findings(checked)
    yield from coverage_findings(checked)
    yield from traffic_findings(checked)
    yield from question_findings(checked)
