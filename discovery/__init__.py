"""Find the early behaviour that separates accounts that stay from accounts that leave.

::

    import discovery

    result = discovery.Study("events.parquet", "accounts.csv").run()
    result.verdict.sentence
    result.to_frame()
    result.report("report.html")

Heavy libraries are imported when they are first used, so that importing this package is quick.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from discovery import results as _results
from discovery.results import CheckResult, StudyResult, ValidationResult
from discovery.version import __version__

if TYPE_CHECKING:
    from discovery import plots
    from discovery.errors import Caution, DiscoveryError, InputError
    from discovery.milestone import Condition, Milestone, PropertyTest
    from discovery.results import read_result, read_validation
    from discovery.simulate import simulate_world
    from discovery.spec import StudySpec, load_spec
    from discovery.study import Study

_HOMES = {
    "Study": "discovery.study",
    "StudySpec": "discovery.spec",
    "load_spec": "discovery.spec",
    "Milestone": "discovery.milestone",
    "Condition": "discovery.milestone",
    "PropertyTest": "discovery.milestone",
    "simulate_world": "discovery.simulate",
    "read_result": "discovery.results",
    "read_validation": "discovery.results",
    "DiscoveryError": "discovery.errors",
    "InputError": "discovery.errors",
    "Caution": "discovery.errors",
}

__all__ = [
    "Caution",
    "CheckResult",
    "Condition",
    "DiscoveryError",
    "InputError",
    "Milestone",
    "PropertyTest",
    "Study",
    "StudyResult",
    "StudySpec",
    "ValidationResult",
    "__version__",
    "load_spec",
    "plots",
    "read_result",
    "read_validation",
    "simulate_world",
]


def __getattr__(name: str) -> Any:
    if name == "plots":
        return import_module("discovery.plots")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'discovery' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


class _HtmlReport:
    """Hands results to the report room, which is imported on first use."""

    def write(self, result: StudyResult | ValidationResult | CheckResult, path: Path) -> Path:
        from discovery import report

        return report.write(result, path)

    def cards(self, result: StudyResult | ValidationResult | CheckResult) -> str:
        from discovery import report

        return report.render_cards(result)


_results.attach(_HtmlReport())
