"""Every check of the rows, in the order in which a reader would ask."""

from __future__ import annotations

from collections.abc import Iterator

from discovery.intake.account_checks import account_findings
from discovery.intake.checked import Checked
from discovery.intake.coverage_checks import coverage_findings
from discovery.intake.event_checks import event_findings
from discovery.intake.identity_checks import identity_findings
from discovery.intake.outcome_checks import outcome_findings
from discovery.intake.rules import rules_checked
from discovery.intake.time_checks import time_findings
from discovery.intake.tracking_checks import tracking_findings
from discovery.intake.traffic_checks import traffic_findings
from discovery.results import QualityFinding, RuleChecked

__all__ = ["Checked", "check_rules"]

_ORDER = {"error": 0, "warning": 1, "info": 2}


def check_rules(checked: Checked) -> tuple[tuple[QualityFinding, ...], tuple[RuleChecked, ...]]:
    """Return every finding, errors first, and how the data stand to each rule."""
    found = tuple(sorted(_all(checked), key=lambda finding: _ORDER[finding.severity]))
    rules = rules_checked(checked, found)
    checked.clear()
    return found, rules


def _all(checked: Checked) -> Iterator[QualityFinding]:
    yield from event_findings(checked)
    yield from time_findings(checked)
    yield from identity_findings(checked)
    yield from account_findings(checked)
    yield from outcome_findings(checked)
    yield from tracking_findings(checked)
    yield from coverage_findings(checked)
    yield from traffic_findings(checked)
