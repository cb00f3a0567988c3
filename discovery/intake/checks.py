"""Every check of the rows, in the order in which a reader would ask."""

from __future__ import annotations

from collections.abc import Iterator

from discovery.intake.account_checks import account_findings
from discovery.intake.checked import Checked
from discovery.intake.event_checks import event_findings
from discovery.intake.outcome_checks import outcome_findings
from discovery.intake.tracking_checks import tracking_findings
from discovery.results import QualityFinding

__all__ = ["Checked", "check_quality"]

_ORDER = {"error": 0, "warning": 1, "info": 2}


def check_quality(checked: Checked) -> tuple[QualityFinding, ...]:
    """Return every finding, errors first; a check that finds nothing says nothing."""
    return tuple(sorted(_all(checked), key=lambda finding: _ORDER[finding.severity]))


def _all(checked: Checked) -> Iterator[QualityFinding]:
    yield from event_findings(checked)
    yield from account_findings(checked)
    yield from outcome_findings(checked)
    yield from tracking_findings(checked)
