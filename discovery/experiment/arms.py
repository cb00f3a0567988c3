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
class Assigned:
    """Accounts and what they were assigned to.

    `signup` int64[a] in microseconds, `assignments` object[a] by column: the variant, None where in no test.
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
    test: AssignmentSpec,
    signup: Times,
    assignments: Variants,
    early: Assigned | None = None,
    everybody: Assigned | None = None,
) -> tuple[Arms, ...]:
    """Return each variant of a past test beside its control; nothing where nobody who was in it is known of yet.

    `start` and `end` are midnights in UTC. Which variants there are is read from `everybody`, so that an arm of which
    nobody is judged yet is an empty arm. The control is looked for among them, then in the whole column.

    Raises
    ------
    SpecError
        If the control cannot be told by its name, is not among the variants, or the planned shares do not add up.
    """
    judged = _of_test(test, Assigned(signup=signup, assignments=assignments))
    left = _of_test(test, early) if early else np.empty(0, dtype=object)
    known = _names(judged) | _names(left)
    if not known:
        return ()
    variants = known | {*test.shares} | (_names(_of_test(test, everybody)) if everybody else set())
    column = variants | (_names(everybody.assignments[test.column]) if everybody else set())
    control = _control(test, sorted(variants), sorted(column))
    shares = _shares(test, sorted({*variants, control}))
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


def _of_test(test: AssignmentSpec, accounts: Assigned) -> NDArray[np.object_]:
    """Return the variant of each account, None for those that signed up outside the test."""
    values = accounts.assignments[test.column].copy()
    outside = np.zeros(len(values), dtype=bool)
    if test.start:
        outside |= accounts.signup < _midnight(test.start)
    if test.end:
        outside |= accounts.signup >= _midnight(test.end)
    values[outside] = None
    return values


def _names(values: NDArray[np.object_]) -> set[str]:
    return {str(value) for value in {*values.tolist()} - {None}}


def _midnight(day: date) -> int:
    return (day - _EPOCH).days * Day


def _control(test: AssignmentSpec, variants: Sequence[str], column: Sequence[str]) -> str:
    named = f"experiment.assignment of {test.column!r}"
    remedy = f'Name it: assignment = [{{column = "{test.column}", control = "..."}}].'
    shown = ", ".join(map(repr, variants[:8])) + (f" and {len(variants) - 8} more" if len(variants) > 8 else "")
    if test.control:
        if test.control not in column:
            raise SpecError(f"{named} names the control {test.control!r}, but its variants are {shown}. {remedy}")
        return test.control
    alike = _like_a_control(variants) or _like_a_control(column)
    if len(alike) != 1:
        found = f"{len(alike)} of them are" if alike else "none of them is"
        raise SpecError(f"{named} has the variants {shown}; {found} named like a control. {remedy}")
    return alike[0]


def _like_a_control(names: Sequence[str]) -> list[str]:
    return [name for name in names if _plain(name) in CONTROL_NAMES]


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
