"""How much memory is asked for in all, and the engine's part of it."""

from __future__ import annotations

import re

from discovery.errors import SpecError

_POWERS = "KMGT"
_LEAST, _MOST, _LEAST_OF_ENGINE = 10**9, 10**15, 400 * 10**6
_SHARE_OF_ENGINE, _SHARE_AT_REST = 40, 25  # in percent


def memory_bytes(text: str) -> int:
    """Return the bytes that a size such as "4GB" or "1500 MB" stands for.

    Raises
    ------
    SpecError
        If it is no size, less than a study can do with, or more than a machine has.

    Examples
    --------
    >>> memory_bytes("4GB"), memory_bytes("1.5 GiB")
    (4000000000, 1610612736)
    """
    size = _bytes(text)
    if size < _LEAST:
        raise SpecError(f"The memory {text!r} is less than a study can do with. Give at least 1GB.")
    if size > _MOST:
        raise SpecError(f"The memory {text!r} is more than any machine has. Give at most 1000TB.")
    return size


def engine_limit(memory: str | None) -> str | None:
    """Return the engine's part of the memory of the whole process: two fifths of it, as DuckDB reads it; None for None.

    Raises
    ------
    SpecError
        If `memory` is no size, or less than a study can do with.
    """
    if memory is None:
        return None
    return f"{memory_bytes(memory) * _SHARE_OF_ENGINE // 100}B"


def limit_at_rest(limit: str) -> str:
    """Return what an engine needs of its limit, as DuckDB tells it, where it is asked only now and then.

    Examples
    --------
    >>> limit_at_rest("4.0 GiB"), limit_at_rest("953.6 MiB"), limit_at_rest("300 MB")
    ('1073741824B', '400000000B', '300000000B')
    """
    whole = _bytes(limit)
    return f"{min(whole, max(whole * _SHARE_AT_REST // 100, _LEAST_OF_ENGINE))}B"


def _bytes(text: str) -> int:
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT])(I?)B", text.strip(), re.IGNORECASE | re.ASCII)
    if found is None:
        raise SpecError(f"The memory {text!r} is no size. Write it as a number with its unit, as in 4GB or 1500MB.")
    return int(float(found[1]) * (1024 if found[3] else 1000) ** (1 + _POWERS.index(found[2].upper())))
