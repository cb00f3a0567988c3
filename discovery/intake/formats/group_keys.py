"""Which key of a nested column names the account, and what a row says under it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from discovery.engines.expressions import quoted
from discovery.intake.formats.layout import Look
from discovery.intake.lexicon import EVENT_ROLES, by_preference
from discovery.intake.reaching import pointer
from discovery.intake.sources import Source
from discovery.intake.sql import literal

_MOST_KEYS = 200
_MOST_ASKED = 30


@dataclass(frozen=True, slots=True)
class Extracted:
    """Values under some keys of a JSON expression, taken out of it in one go.

    The engine evaluates an expression that occurs several times in a SELECT once, unless a condition (CASE, coalesce)
    decides whether it is needed: hence none here.
    """

    record: str
    keys: tuple[str, ...]

    def text(self, key: str) -> str:
        """Return the expression for the value under a key as text, of a list its first element; '' where that lacks."""
        first = f"{self.all}[{2 * self.keys.index(key) + 1}]"
        return rf"list_any_value([{first}, regexp_replace({self.whole(key)}, '^(\[\]|\[null\]|\{{\}})$', '')])"

    def whole(self, key: str) -> str:
        """Return the expression for the value under a key as text; a list as JSON."""
        return f"{self.all}[{2 * self.keys.index(key) + 2}]"

    @property
    def all(self) -> str:
        """The expression for the list of all values: for each key the first element, and the whole."""
        pointers = [literal(pointer([key]) + end) for key in self.keys for end in ("/0", "")]
        return f"json_extract_string({self.record}, [{', '.join(pointers)}])"


def plain_names(source: Source) -> dict[str, str]:
    """Return the columns by their names in lower case and without a leading dollar; `$name` goes before `name`."""
    ordered = sorted(source.columns, key=lambda name: name.startswith("$"))
    return {name.lower().removeprefix("$"): name for name in ordered}


def with_asked(look: Look, source: Source) -> Source:
    """Return the source with the column of the account that the spec names, where that is a path into a nested one."""
    asked = look.spec.account
    if not asked or asked in source.columns:
        return source
    return source.reaching(look.engine, asked) or source


def narrowed(source: Source, names: Iterable[str]) -> str:
    """Return the table expression of a source with these columns alone; a derived one needs those it is made of."""
    kept = set(names)
    return replace(
        source,
        columns={name: kind for name, kind in source.columns.items() if name in kept},
        derived={name: expression for name, expression in source.derived.items() if name in kept},
    ).table(strict=False)


def keys_told(look: Look, record: str) -> dict[str, float]:
    """Return the keys of a JSON expression and the share of the first rows with a value there, the largest first."""
    found = look.engine.rows(
        f"SELECT k FROM (SELECT unnest(json_keys(j)) AS k FROM (SELECT {record} AS j FROM {quoted(look.rows)}) "
        f"WHERE json_type(j) = 'OBJECT') WHERE k <> '' GROUP BY k ORDER BY count(*) DESC, k LIMIT {_MOST_KEYS}"
    )
    keys = tuple(str(key) for (key,) in found)
    if not keys:
        return {}
    values = Extracted("j", keys)
    counted = ", ".join(f"count(nullif({values.text(key)}, ''))" for key in keys)
    row = look.engine.rows(f"SELECT count(*), {counted} FROM (SELECT {record} AS j FROM {quoted(look.rows)})")[0]
    shares = {key: filled / row[0] for key, filled in zip(keys, row[1:], strict=True) if filled}
    return dict(sorted(shares.items(), key=lambda told: (-told[1], told[0])))


def likeliest(shares: Mapping[str, float], among: Iterable[str]) -> str | None:
    """Return the key that most rows have; where several have nearly as many, the one named most like an account."""
    filled = {key: shares[key] for key in among if shares.get(key, 0.0) > 0}
    if not filled:
        return None
    most = max(filled.values())
    close = tuple(key for key, share in filled.items() if share >= most / 2)
    return (by_preference(close, EVENT_ROLES["account"]) or close)[0]


def named_like_account(shares: Mapping[str, float]) -> list[str]:
    """Return the keys that are named like an account id, the most usual name first."""
    return by_preference(tuple(shares), EVENT_ROLES["account"])


def shared_keys(look: Look, record: str, shares: Mapping[str, float]) -> Sequence[str]:
    """Return the keys whose values recur as those of an account would: several of them, each in several rows."""
    asked = [key for key, share in shares.items() if share >= 0.3 and not key.startswith(("$", "mp_"))][:_MOST_ASKED]
    if not asked:
        return ()
    values = Extracted("j", tuple(asked))
    filled = {key: f"nullif({values.text(key)}, '')" for key in asked}
    counted = ", ".join(f"count({text}), count(DISTINCT {text})" for text in filled.values())
    row = look.engine.rows(f"SELECT {counted} FROM (SELECT {record} AS j FROM {quoted(look.rows)})")[0]
    pairs = zip(asked, row[::2], row[1::2], strict=True)
    return tuple(key for key, rows, different in pairs if different >= 2 and rows >= 2 * different)
