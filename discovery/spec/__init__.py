"""What is asked of a study: `StudySpec` and its sections, from TOML, keywords or `--set`.

The same names are used in all three. Everything is frozen and checked once, here; the rooms that
follow trust what they are given.
"""

from discovery.spec.questions import (
    AssignmentSpec,
    CandidatesSpec,
    ExperimentSpec,
    InferenceSpec,
    KindsSpec,
    LadderSpec,
    OutcomeSpec,
    ProductSpec,
)
from discovery.spec.reading import build_spec, load_spec, override
from discovery.spec.sources import DERIVED, FORMAT_NAMES, AccountsSpec, EventsSpec, Format, IdentitySpec
from discovery.spec.study import StudySpec

Day = 86_400_000_000
"""One day in microseconds, the unit of every clock inside."""

__all__ = [
    "DERIVED",
    "FORMAT_NAMES",
    "AccountsSpec",
    "AssignmentSpec",
    "CandidatesSpec",
    "Day",
    "EventsSpec",
    "ExperimentSpec",
    "Format",
    "IdentitySpec",
    "InferenceSpec",
    "KindsSpec",
    "LadderSpec",
    "OutcomeSpec",
    "ProductSpec",
    "StudySpec",
    "build_spec",
    "load_spec",
    "override",
]
