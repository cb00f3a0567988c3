"""Addresses of databases, and how to speak of them without their secrets."""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"\s*[a-zA-Z][\w+.-]*://")
_CREDENTIALS = re.compile(r"([a-zA-Z][\w+.-]*:/{1,2})[^\s/@]*:[^\s@]*@")


def is_address(given: object) -> bool:
    """Say whether what was given is an address such as duckdb://crm.duckdb rather than a path."""
    return isinstance(given, str) and _ADDRESS.match(given) is not None


def without_secrets(address: str) -> str:
    """Return an address as it may be shown: what stands before an @ or after a ? or # left out.

    Examples
    --------
    >>> without_secrets("postgres://ann:secret@db.example.com/crm?sslmode=require")
    'postgres://…@db.example.com/crm?…'
    """
    scheme, mark, rest = address.partition("://")
    if not mark:
        return address
    place, question, _ = rest.partition("?")
    place, number, _ = place.partition("#")
    held = re.match(r"(?:[^/@]*|[^/]*:.*)@", place)
    shown = f"…@{place[held.end() :]}" if held else place
    return f"{scheme}://{shown}{question and '?…'}{number and '#…'}"


def masked(text: str) -> str:
    """Return a text without the user names and passwords of the addresses in it.

    Examples
    --------
    >>> masked("Got 2: postgres://ann:secret@db/crm accounts.csv")
    'Got 2: postgres://…@db/crm accounts.csv'
    """
    return _CREDENTIALS.sub(r"\1…@", text)
