"""Back from `result.json` to results, so that a later command can take up what an earlier one found."""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path

from discovery.errors import SourceError
from discovery.results.ladders import Ladder
from discovery.results.study import SCHEMA, CandidateTable, StudyResult


def read_result(path: str | PathLike[str]) -> StudyResult:
    """Read a `result.json`; the table of candidates is not in it and comes back empty.

    Raises
    ------
    SourceError
        If the file is missing, is not JSON, or is not a result of this schema.
    """
    from pydantic import TypeAdapter, ValidationError

    path = Path(path)
    values = _json(path)
    if not isinstance(values, dict) or values.get("schema") != SCHEMA:
        raise SourceError(
            f"{path} is not a result of schema {SCHEMA}. Give the result.json that discover run has written."
        )
    content = {key: value for key, value in values.items() if key != "schema"}
    try:
        return TypeAdapter(StudyResult).validate_python({**content, "candidates": CandidateTable(columns={})})
    except ValidationError as error:
        faults = [".".join(map(str, e["loc"])) + f": {e['msg']}" for e in error.errors()]
        raise SourceError(
            f"{path} does not read as a result: {len(faults)} field(s) do not fit (first: {'; '.join(faults[:3])}). "
            "It may come from another version; run discover run again."
        ) from error


def read_ladder(reference: str) -> tuple[StudyResult, Ladder]:
    """Read one ladder of a result, referred to as `result.json#1`; without a number, the first.

    Raises
    ------
    SourceError
        If the result cannot be read, or has no ladder of that number; the message lists those there are.
    """
    name, hash_, number = reference.rpartition("#")
    if not hash_ or not number.strip().isdecimal():
        name, number = reference, "1"
    result = read_result(name)
    for ladder in result.ladders:
        if ladder.rank == int(number):
            return result, ladder
    there_are = "; ".join(f"#{ladder.rank} to {ladder.milestone}" for ladder in result.ladders[:5])
    raise SourceError(
        f"{name} has no ladder {number!r}. "
        + (f"It has {len(result.ladders)}: {there_are}." if there_are else "It has none: no milestone was supported.")
    )


def _json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SourceError(f"There is no file {path}. Check the path.") from None
    except (OSError, ValueError) as error:
        raise SourceError(f"{path} cannot be read as JSON ({error}). Give a result.json.") from error
