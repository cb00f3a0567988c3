"""Tests of an event's properties, as in `report_shared[channel = "email", size >= 10]`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from discovery.errors import MilestoneSyntaxError
from discovery.milestone.writing import canonical_number, number_written, property_written, quoted

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "in"]
Scalar: TypeAlias = str | bool | int | float

OPERATORS: tuple[Operator, ...] = get_args(Operator)
BY_OTHER = "by_other"
"""The property that no column holds: done by a user who is not the account's first, or not the object's creator."""
NUMBER = "^[ ]*[+-]?([0-9]{1,60}[.]?[0-9]{0,60}|[.][0-9]{1,60})([eE][+-]?[0-9]{1,2})?[ ]*$"
"""Text that reads as a number, as a regular expression that every SQL engine knows: `1_000` and `inf` do not."""
EXACT = 2**53
"""From here on neighbouring whole numbers are one and the same double."""


@dataclass(frozen=True, slots=True, eq=False)
class PropertyTest:
    """One test of a row's property: a row without the property meets none, not even `!=`.

    Texts and truth values are compared as text, numbers as numbers. Tests are equal where they are written alike.
    """

    name: str
    operator: Operator
    value: Scalar | tuple[Scalar, ...]

    def __post_init__(self) -> None:
        if not self.name:
            raise MilestoneSyntaxError("A test of a property needs the property's name; it is empty.")
        if self.operator not in OPERATORS:
            raise MilestoneSyntaxError(f"{self.operator!r} is no operator; write one of {' '.join(OPERATORS)}.")
        operator, value = _canonical(self.name, self.operator, self.value)
        object.__setattr__(self, "operator", operator)
        object.__setattr__(self, "value", value)

    @property
    def values(self) -> tuple[Scalar, ...]:
        """What is compared with: several values for `in`, else one."""
        return self.value if isinstance(self.value, tuple) else (self.value,)

    def fields(self) -> dict[str, Any]:
        """Return the test with the field names of `result.json`."""
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        return {"property": self.name, "operator": self.operator, "value": value}

    def __str__(self) -> str:
        listed = ", ".join(map(_written, self.values))
        return f"{property_written(self.name)} {self.operator} {f'({listed})' if self.operator == 'in' else listed}"

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other) if isinstance(other, PropertyTest) else NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))

    def __lt__(self, other: PropertyTest) -> bool:
        return str(self) < str(other)

    def __le__(self, other: PropertyTest) -> bool:
        return str(self) <= str(other)

    def __gt__(self, other: PropertyTest) -> bool:
        return str(self) > str(other)

    def __ge__(self, other: PropertyTest) -> bool:
        return str(self) >= str(other)


def _canonical(
    name: str, operator: Operator, value: Scalar | tuple[Scalar, ...]
) -> tuple[Operator, Scalar | tuple[Scalar, ...]]:
    several = isinstance(value, tuple)
    if several != (operator == "in"):
        raise MilestoneSyntaxError(
            f"{name!r} {operator} does not fit its value: in takes values in brackets, every other operator takes one."
        )
    found = dict(sorted((_written(one), one) for one in map(_scalar, value if isinstance(value, tuple) else (value,))))
    if not found:
        raise MilestoneSyntaxError(f"{name!r} in () names no value; give at least one.")
    values = tuple(found.values())
    if operator in ("<", "<=", ">", ">=") and isinstance(values[0], str | bool):
        raise MilestoneSyntaxError(
            f"{name} {operator} {_written(values[0])} asks for an order, which only numbers have; texts and true or "
            "false can be compared with = != and in."
        )
    if operator in ("=", "!=", "in"):
        _refuse_inexact(name, operator, values)
    if name == BY_OTHER:
        return "=", _yes_or_no(operator, values)
    if operator == "in":
        return ("in", values) if len(values) > 1 else ("=", values[0])
    return operator, values[0]


def _refuse_inexact(name: str, operator: Operator, values: tuple[Scalar, ...]) -> None:
    large = [value for value in values if not isinstance(value, str | bool) and abs(value) >= EXACT]
    if large:
        raise MilestoneSyntaxError(
            f"{large[0]:.0f}, asked of {name}, cannot be told from its neighbours: numbers are compared in double "
            f"precision, which holds whole numbers up to {EXACT - 1}. Write it in quotes, to be compared as text."
        )


def _yes_or_no(operator: Operator, values: tuple[Scalar, ...]) -> bool:
    """Return what `by_other` must be; `!= true` is `= false`, since it is one of the two wherever it is known."""
    first = values[0]
    if len(values) > 1 or not isinstance(first, bool) or operator not in ("=", "!=", "in"):
        raise MilestoneSyntaxError("by_other is true or false; write by_other = true or by_other = false.")
    return first if operator != "!=" else not first


def _scalar(value: Scalar) -> Scalar:
    if isinstance(value, str):
        if not value:
            raise MilestoneSyntaxError("A property is compared with an empty text, which counts as missing.")
        return value
    if isinstance(value, bool):
        return value
    if abs(value) > sys.float_info.max or value != value:
        raise MilestoneSyntaxError("A property is compared with a number that is too large.")
    return canonical_number(value)


def _written(value: Scalar) -> str:
    if isinstance(value, str):
        return quoted(value)
    return str(value).lower() if isinstance(value, bool) else number_written(value)
