"""Who was in which arm of a past test: its dates, its control, and the split that was planned."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from discovery.errors import SpecError
from discovery.spec import AssignmentSpec, Day

Bools = NDArray[np.bool_]
Times = NDArray[np.int64]
Variants = Mapping[str, NDArray[np.object_]]

CONTROL_NAMES = frozenset(
    ("control", "ctrl", "off", "holdout", "hold out", "none", "baseline", "original", "a", "0", "false", "no")
)
_EPOCH = date(1970, 1, 1)
_BREAK = re.compile(r"[-_\s]+")
_NOT_THE_NAME = frozenset(("group", "arm", "variant", "version"))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EarlyLeavers:
    """Accounts decided before the landmark: assigned like the others, but not among those that are judged.

    `signup` int64[e] in microseconds, `assignments` object[e] by column: the variant, None where in no test. Only
    accounts whose outcome would be known by now, like that of the judged ones.
    """

    signup: Times
    assignments: Variants


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arms:
    """One variant beside its control, over n judged accounts: bool[n] each; `early` is (control, variant) left early.

    `share` is the planned share of the variant among the two.
    """

    column: str
    control: str
    variant: str
    in_control: Bools
    in_variant: Bools
    early: tuple[int, int]
    share: float

    @property
    def both(self) -> Bools:
        """The judged accounts of the two arms."""
        return self.in_control | self.in_variant

    @property
    def judged(self) -> tuple[int, int]:
        """How many are judged in the control and with the variant."""
        return int(self.in_control.sum()), int(self.in_variant.sum())

    @property
    def assigned(self) -> tuple[int, int]:
        """How many were assigned to each, those that left early included."""
        return self.judged[0] + self.early[0], self.judged[1] + self.early[1]


def arms_of(
    test: AssignmentSpec, signup: Times, assignments: Variants, early: EarlyLeavers | None = None
) -> tuple[Arms, ...]:
    """Return each variant of a past test beside its control; nothing where nobody was assigned yet.

    `start` and `end` are midnights in UTC.

    Raises
    ------
    SpecError
        If the control cannot be told by its name, is not among the variants, or the planned shares do not add up.
    """
    judged = _within(test, signup, assignments)
    left = _within(test, early.signup, early.assignments) if early else np.empty(0, dtype=object)
    there_are = sorted({str(value) for value in (*judged, *left) if value is not None})
    if not there_are:
        return ()
    control = _control(test, there_are)
    shares = _shares(test, sorted({*there_are, control, *test.shares}))
    return tuple(
        Arms(
            column=test.column,
            control=control,
            variant=variant,
            in_control=np.asarray(judged == control, dtype=bool),
            in_variant=np.asarray(judged == variant, dtype=bool),
            early=(int((left == control).sum()), int((left == variant).sum())),
            share=shares[variant] / (shares[variant] + shares[control]),
        )
        for variant in shares
        if variant != control
    )


def _within(test: AssignmentSpec, signup: Times, assignments: Variants) -> NDArray[np.object_]:
    """Return the variant of each account, None for those that signed up outside the test."""
    values = assignments[test.column].copy()
    outside = np.zeros(len(signup), dtype=bool)
    if test.start:
        outside |= signup < _midnight(test.start)
    if test.end:
        outside |= signup >= _midnight(test.end)
    values[outside] = None
    return values


def _midnight(day: date) -> int:
    return (day - _EPOCH).days * Day


def _control(test: AssignmentSpec, there_are: Sequence[str]) -> str:
    named = f"experiment.assignment of {test.column!r}"
    remedy = f'Name it: assignment = [{{column = "{test.column}", control = "..."}}].'
    shown = ", ".join(map(repr, there_are[:8])) + (f" and {len(there_are) - 8} more" if len(there_are) > 8 else "")
    if test.control:
        if test.control not in there_are:
            raise SpecError(f"{named} names the control {test.control!r}, but its variants are {shown}. {remedy}")
        return test.control
    alike = [name for name in there_are if _plain(name) in CONTROL_NAMES]
    if len(alike) != 1:
        found = f"{len(alike)} of them are" if alike else "none of them is"
        raise SpecError(f"{named} has the variants {shown}; {found} named like a control. {remedy}")
    return alike[0]


def _plain(name: str) -> str:
    return " ".join(word for word in _BREAK.split(name.casefold()) if word and word not in _NOT_THE_NAME)


def _shares(test: AssignmentSpec, variants: Sequence[str]) -> dict[str, float]:
    """Return the planned share of each variant; what is not planned is split equally."""
    unplanned = [name for name in variants if name not in test.shares]
    left = 1 - sum(test.shares.values())
    if left < -1e-6 or (unplanned and left <= 1e-6):
        raise SpecError(
            f"The shares of {test.column!r} add up to {1 - left:g}, and "
            + (f"leave nothing for {', '.join(map(repr, unplanned[:5]))}" if unplanned else "that is more than 1")
            + ". Give every variant its planned share."
        )
    return {name: test.shares.get(name, left / max(1, len(unplanned))) for name in variants}
