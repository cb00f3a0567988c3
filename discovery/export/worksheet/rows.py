"""What a worksheet is made of: titled sections of labelled rows, each filled, blank, or marked as advice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RowKind = Literal["data", "team", "advice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorksheetRow:
    """One line: `data` says what the study knows, `advice` what the literature says; `team` is left blank.

    `text` is plain text, not yet escaped for any format; empty where the team is to write.
    """

    label: str
    text: str = ""
    kind: RowKind = "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorksheetSection:
    """One part of the worksheet under its own heading."""

    title: str
    rows: tuple[WorksheetRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Worksheet:
    """A ladder as a plan to be completed: what the data know, and blanks for what only people know."""

    title: str
    sections: tuple[WorksheetSection, ...]


def from_data(label: str, *sentences: str) -> tuple[WorksheetRow, ...]:
    """Return one row with the sentences that are not empty; no row where all are."""
    said = " ".join(sentence for sentence in sentences if sentence)
    return (WorksheetRow(label=label, text=said),) if said else ()


def for_team(*labels: str) -> tuple[WorksheetRow, ...]:
    """Return a blank row for each label."""
    return tuple(WorksheetRow(label=label, kind="team") for label in labels)


def as_advice(label: str, text: str) -> WorksheetRow:
    """Return a row that is advice and not a result."""
    return WorksheetRow(label=label, text=text, kind="advice")
