"""Addresses of databases, and how to speak of them without their secrets."""

from __future__ import annotations

import os
import re

from discovery.engines import SCHEMES
from discovery.spec.secrets import LOGIN, SETTING

IN_PLACE = SCHEMES
"""The kinds of databases in which events stay where they are."""

_ADDRESS = re.compile(r"\s*[a-zA-Z][\w+.-]*://")
_OTHER_ADDRESS = re.compile(r"\s*(?:jdbc:|md:|motherduck:|[a-zA-Z][\w+.-]+:[^\\/].*@)", re.IGNORECASE)
_SCHEME = re.compile(r"\s*(?:jdbc:)?([a-zA-Z][\w.-]+)[\w.+-]*:", re.IGNORECASE)


def is_address(given: object) -> bool:
    """Say whether what was given is an address such as duckdb://crm.duckdb rather than a path.

    Connection strings such as `md:crm` or `host=db password=...` are addresses too, unless there is such a file.
    """
    if not isinstance(given, str):
        return False
    if _ADDRESS.match(given):
        return True
    return bool(_OTHER_ADDRESS.match(given) or SETTING.search(given)) and not os.path.lexists(os.path.expanduser(given))


def scheme_of(address: str) -> str:
    """Return what kind of database an address is of, in lower case; empty where it does not say.

    Examples
    --------
    >>> scheme_of("jdbc:postgresql://db/crm"), scheme_of("md:crm"), scheme_of("host=db")
    ('postgresql', 'md', '')
    """
    found = _SCHEME.match(address)
    return found[1].lower() if found else ""


def is_in_place(given: object) -> bool:
    """Say whether what was given is the address of a database in which events stay, and are asked about there.

    Examples
    --------
    >>> is_in_place("postgresql://db/crm"), is_in_place("duckdb://crm.duckdb"), is_in_place("events.parquet")
    (True, False, False)
    """
    return isinstance(given, str) and given.strip().lower().partition("://")[0] in IN_PLACE and "://" in given


def without_secrets(address: str) -> str:
    """Return an address as it may be shown: what stands before an @ or after a ? or # left out.

    Examples
    --------
    >>> without_secrets("postgres://ann:secret@db.example.com/crm?sslmode=require")
    'postgres://…@db.example.com/crm?…'
    """
    scheme, mark, rest = address.partition("://")
    if not mark:
        scheme, mark, rest = address.partition(":")
        rest = rest if mark and _SCHEME.match(address) else ""
        if not rest:
            return masked(address)
    place, question, _ = rest.partition("?")
    place, number, _ = place.partition("#")
    held = re.match(r"(?:[^/@]*|[^/]*:.*)@", place)
    shown = f"…@{place[held.end() :]}" if held else place
    return masked(f"{scheme}{mark}{shown}{question and '?…'}{number and '#…'}")


def masked(text: str) -> str:
    """Return a text without the user names and passwords of the addresses in it.

    Examples
    --------
    >>> masked("Got 2: postgres://ann:secret@db/crm accounts.csv")
    'Got 2: postgres://…@db/crm accounts.csv'
    >>> masked("Got 2: md:crm?motherduck_token=secret host=db password=secret")
    'Got 2: md:crm?motherduck_token=… host=db password=…'

    What is masked already stays as it is.

    >>> masked("A connection string (host=db password=…), or there is no such file.")
    'A connection string (host=db password=…), or there is no such file.'
    """
    return SETTING.sub(_hidden, LOGIN.sub(r"\1…@", text))


def _hidden(setting: re.Match[str]) -> str:
    """Return a setting without its secret; one that is masked already keeps the bracket or full stop behind it."""
    secret = setting[0].removeprefix(setting[1])
    return setting[1] + (secret if re.fullmatch(r"…[)\].:]*", secret) else "…")
