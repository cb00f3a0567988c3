"""Back from what was written to results, so that a later command can take up what an earlier one found."""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path
from typing import TypeVar

from discovery.errors import SourceError
from discovery.results.estimates import SCHEMA
from discovery.results.ladders import Ladder
from discovery.results.study import CandidateTable, StudyResult
from discovery.results.validation import ValidationResult

_Result = TypeVar("_Result", StudyResult, ValidationResult)
_STUDY, _VALIDATION = ("result.json", "discover run"), ("validation.json", "discover validate")


def read_result(path: str | PathLike[str]) -> StudyResult:
    """Read a `result.json`; the table of candidates is not in it and comes back empty.

    Raises
    ------
    SourceError
        If the file is missing, is not JSON, or is not a result of this schema.
    """
    return _study(Path(path), _json(Path(path), _STUDY[0]))


def read_validation(path: str | PathLike[str]) -> ValidationResult:
    """Read a `validation.json`.

    Raises
    ------
    SourceError
        If the file is missing, is not JSON, or is not a validation of this schema.
    """
    return _validation(Path(path), _json(Path(path), _VALIDATION[0]))


def read_earlier(path: str | PathLike[str]) -> StudyResult | ValidationResult:
    """Read a `result.json` or a `validation.json`, told apart by what they hold.

    Raises
    ------
    SourceError
        If the file is missing, is not JSON, or is neither of the two.
    """
    path = Path(path)
    values = _json(path, f"{_STUDY[0]} or a {_VALIDATION[0]}")
    return _validation(path, values) if _holds(values, "proposals") else _study(path, values)


def ladder_reference(text: str) -> tuple[str, int]:
    """Return the file and the number that a reference such as `result.json#1` names; without a number, the first.

    Examples
    --------
    >>> ladder_reference("result.json#2"), ladder_reference("a#b.json")
    (('result.json', 2), ('a#b.json', 1))
    """
    path, hash_, number = text.rpartition("#")
    return (path, int(number)) if hash_ and number.strip().isdecimal() else (text, 1)


def read_ladder(reference: str) -> tuple[StudyResult, Ladder]:
    """Read one ladder of a result, referred to as `result.json#1`; without a number, the first.

    Raises
    ------
    SourceError
        If the result cannot be read, or has no ladder of that number; the message lists those there are.
    """
    path, number = ladder_reference(reference)
    result = read_result(path)
    for ladder in result.ladders:
        if ladder.rank == number:
            return result, ladder
    there_are = "; ".join(f"#{ladder.rank} to {ladder.milestone}" for ladder in result.ladders[:5])
    raise SourceError(
        f"{path} has no ladder {number}. "
        + (f"It has {len(result.ladders)}: {there_are}." if there_are else _why_none(result))
    )


def _why_none(result: StudyResult) -> str:
    left_out = result.ladders_left_out
    return f"It has none. {left_out}" if left_out else "It has none: no milestone was supported."


def _study(path: Path, values: object) -> StudyResult:
    if _holds(values, "proposals"):
        raise SourceError(f"{path} is a validation, not a study. Give the result.json that discover run has written.")
    return _checked(path, values, StudyResult, _STUDY, candidates=CandidateTable(columns={}))


def _validation(path: Path, values: object) -> ValidationResult:
    if _holds(values, "ranking"):
        raise SourceError(
            f"{path} is a study, not a validation. Give the validation.json that discover validate has written."
        )
    return _checked(path, values, ValidationResult, _VALIDATION)


def _checked(path: Path, values: object, kind: type[_Result], made: tuple[str, str], **added: object) -> _Result:
    """Return the values of a file as a result of one kind, checked field by field."""
    from pydantic import TypeAdapter, ValidationError

    name, command = made
    if not isinstance(values, dict) or values.get("schema") != SCHEMA:
        raise SourceError(f"{path} is not a result of schema {SCHEMA}. Give the {name} that {command} has written.")
    content = {key: value for key, value in values.items() if key != "schema"}
    try:
        return TypeAdapter(kind).validate_python({**content, **added})
    except ValidationError as error:
        faults = [".".join(map(str, e["loc"])) + f": {e['msg']}" for e in error.errors()]
        raise SourceError(
            f"{path} does not read as a result: {len(faults)} field(s) do not fit (first: {'; '.join(faults[:3])}). "
            f"It may come from another version; run {command} again."
        ) from error


def _holds(values: object, field: str) -> bool:
    return isinstance(values, dict) and field in values


def _json(path: Path, wanted: str) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SourceError(f"There is no file {path}. Check the path.") from None
    except (OSError, ValueError) as error:
        raise SourceError(f"{path} cannot be read as JSON ({error}). Give a {wanted}.") from error
