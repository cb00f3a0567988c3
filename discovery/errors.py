"""Every exception and every named warning of the project.

::

    DiscoveryError                  anything this project raises on purpose
    ├── InputError                  what was given cannot be used (the CLI exits with 2)
    │   ├── SpecError               the spec, or one of its values, is not valid
    │   ├── MilestoneSyntaxError    a milestone is not written in the language of `discovery.milestone`
    │   ├── SourceError             a file, folder or table is missing, empty or unreadable
    │   ├── ColumnError             a column that is needed was not found, or has the wrong type
    │   └── QualityError            the rows were read, but a check found an error in them
    ├── OutputError                 the folder to write to cannot be used
    └── EngineError                 the engine refused or failed a query

A message says what is wrong, how many rows it touches, the first few of them, and the remedy.

Warnings are values, not side effects: a `Caution` is recorded in the result next to the number it
qualifies, so that the report can show it where it matters.
"""

from __future__ import annotations

from enum import StrEnum


class DiscoveryError(Exception):
    """Any error this project raises on purpose; its text is meant for the user."""


class InputError(DiscoveryError):
    """What was given cannot be used."""


class SpecError(InputError):
    """The spec, or one of its values, is not valid."""


class MilestoneSyntaxError(InputError):
    """A milestone is not written in the language of `discovery.milestone`."""


class SourceError(InputError):
    """A file, folder or table is missing, empty or unreadable."""


class ColumnError(InputError):
    """A column that is needed was not found, or has the wrong type."""


class QualityError(InputError):
    """The rows were read, but a check found an error in them."""


class OutputError(DiscoveryError):
    """The folder to write to cannot be used."""


class EngineError(DiscoveryError):
    """The engine refused or failed a query."""


class Caution(StrEnum):
    """A named warning beside a number. The value is the code written to `result.json`."""

    RARE_FLAG = "rare_flag"
    SEPARATED = "separated"
    NOT_CONVERGED = "not_converged"
    NON_PROPORTIONAL = "non_proportional"
    NO_TRAITS = "no_traits"
    HIDDEN_TRAIT = "hidden_trait"
    FADES = "fades"
    POOR_OVERLAP = "poor_overlap"
    FEW_RUNGS = "few_rungs"
    UNSTEADY_RUNG = "unsteady_rung"
    LATER_COHORTS = "later_cohorts"
    DATES_ONLY = "dates_only"

    @property
    def sentence(self) -> str:
        """The warning in words, for people."""
        return _SENTENCES[self]


_SENTENCES = {
    Caution.RARE_FLAG: "Few accounts are on one side of this rule; its numbers are unsteady.",
    Caution.SEPARATED: ("One side of this rule holds only one outcome; the ratio is a bias-reduced (Firth) estimate."),
    Caution.NOT_CONVERGED: "A model did not converge; its number is not shown.",
    Caution.NON_PROPORTIONAL: ("The hazard ratio changes over time; read the curves rather than the single number."),
    Caution.NO_TRAITS: (
        "No trait of the account known at signup was adjusted for; unmeasured differences between "
        "accounts may explain this."
    ),
    Caution.HIDDEN_TRAIT: (
        "Something unmeasured that makes accounts both do this and stay could explain it: it fades as more of the "
        "account's activity is taken into account, and the exact threshold does not matter."
    ),
    Caution.FADES: "Among the latest signups the difference is not seen.",
    Caution.POOR_OVERLAP: (
        "Few accounts could have gone either way, given how active they are; the difference rests on those few."
    ),
    Caution.FEW_RUNGS: "Fewer steps than asked for are required on the way to this milestone.",
    Caution.UNSTEADY_RUNG: "In other random halves of the accounts this step often is no rung.",
    Caution.DATES_ONLY: "Times in this log are dates: what happens on one day has no order, and is counted as it falls "
    "on other days.",
    Caution.LATER_COHORTS: "A rung appeared in the log later than the study begins; only accounts that signed up since "
    "then are counted.",
}
