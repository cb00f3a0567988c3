"""From TOML, keywords or `--set` to a checked spec, with every fault named."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from discovery.errors import SpecError
from discovery.spec.secrets import holds_secret
from discovery.spec.sources import DERIVED
from discovery.spec.study import StudySpec

_LOCATIONS = (("events", "from"), ("accounts", "from"), ("identity", "from"), ("identity", "persons"))
_DUCKDB = "duckdb://"


def build_spec(values: Mapping[str, Any], *, origin: str = "the spec") -> StudySpec:
    """Check nested plain values and return the spec.

    Raises
    ------
    SpecError
        If a section or key is unknown, or a value has the wrong type or lies out of range. Every
        fault found is named, with the nearest known name for an unknown one.
    """
    try:
        return StudySpec.model_validate(dict(values))
    except ValidationError as error:
        faults = [_fault(e["loc"], e["msg"], e["type"], e.get("input")) for e in error.errors()]
        raise SpecError(f"{origin} is not valid: " + "; ".join(faults) + ".") from error


def load_spec(path: str | Path, settings: Iterable[str] = ()) -> StudySpec:
    """Read a TOML spec; `settings` are overrides written `section.key=value`.

    Relative paths in `from` are read from the folder of the spec.

    Raises
    ------
    SpecError
        If the file is missing, is not TOML, or does not validate.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SpecError(f"There is no spec at {path}. Check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"The spec {path} cannot be read ({error}).") from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path} is not valid TOML: {error}. Mend that line.") from error
    for section, key in _LOCATIONS:
        source = values.get(section, {}).get(key) if isinstance(values.get(section), dict) else None
        if isinstance(source, str):
            values[section][key] = _located(section, source, path.parent)
    return build_spec(override(values, settings), origin=str(path))


def _located(section: str, source: str, folder: Path) -> str:
    """Return a relative path as seen from the folder of the spec."""
    if not source or (section == "accounts" and source == DERIVED):
        return source
    if source.startswith(_DUCKDB):
        return _DUCKDB + str(folder / source.removeprefix(_DUCKDB))
    return source if "://" in source else str(folder / source)


def override(values: Mapping[str, Any], settings: Iterable[str]) -> dict[str, Any]:
    """Return `values` with each `section.key=value` applied; a value is read as TOML, else as text."""
    merged = {k: dict(v) if isinstance(v, Mapping) else v for k, v in values.items()}
    for setting in settings:
        name, equals, text = setting.partition("=")
        section, dot, key = name.strip().partition(".")
        if not (equals and dot and section and key):
            raise SpecError(f"--set {setting!r} is not of the form section.key=value, as in outcome.by_day=60.")
        if "\n" in text.strip() or "\r" in text.strip():
            raise SpecError(f"--set {setting!r} holds several lines. Write the value on one line, one --set for each.")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text.strip()
        held = merged.setdefault(section, {})
        if not isinstance(held, dict):
            raise SpecError(f"{section!r} is a value in the spec, not a section, so {setting!r} cannot be set.")
        held[key] = value
    return merged


def _fault(location: tuple[int | str, ...], message: str, kind: str, value: object) -> str:
    name = ".".join(str(part) for part in location)
    if kind == "extra_forbidden":
        known = _known_names(location[:-1])
        near = difflib.get_close_matches(str(location[-1]), known, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else f" (known: {', '.join(known)})"
        return f"unknown key {name!r}{hint}"
    message = _list_wanted(location) if kind == "tuple_type" else message.removeprefix("Value error, ")
    secret = isinstance(value, str) and ("://" in value or holds_secret(value))
    shown = "" if secret or isinstance(value, Mapping | BaseModel) else f" (given: {value!r})"
    return f"{name}: {message}{shown}" if name else message


def _list_wanted(location: tuple[int | str, ...]) -> str:
    *section, key = location
    field = _section_fields(tuple(section)).get(str(key))
    example = '["a", "b"]' if field is not None and "str" in str(field.annotation) else "[1, 2]"
    return f"should be a list, as in {example}"


def _known_names(section: tuple[int | str, ...]) -> list[str]:
    return [field.alias or name for name, field in _section_fields(section).items()]


def _section_fields(section: tuple[int | str, ...]) -> dict[str, FieldInfo]:
    model: type[BaseModel] = StudySpec
    for part in section:
        field = model.model_fields.get(str(part))
        if field is None or not isinstance(field.annotation, type):
            return {}
        model = field.annotation
    return dict(model.model_fields)
