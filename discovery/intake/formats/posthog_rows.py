"""Where the parts of a PostHog event are, whatever holds them, and the SQL that reaches them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from discovery.engines.expressions import quoted
from discovery.intake.formats.layout import Look
from discovery.intake.reaching import pointer
from discovery.intake.sources import Source
from discovery.intake.sql import is_text, literal, word_list

NOTHING = "CAST(NULL AS VARCHAR)"

IDENTITY_EVENTS = ("$identify", "$create_alias", "$merge_dangerously")

PASSED_OVER: Mapping[str, tuple[str, ...]] = {
    "identify": IDENTITY_EVENTS,
    "group": ("$groupidentify",),
    "person properties": ("$set", "$unset"),
    "feature flag": ("$feature_flag_called",),
    "measurement": ("$web_vitals", "$performance_event", "$$heatmap", "$snapshot", "$snapshot_items"),
    "consent": ("$opt_in",),
    "warning": ("$$client_ingestion_warning", "$csp_violation"),
}
"""Events that the library or the server writes on its own account, by the kind of record that they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The columns of a table of PostHog events, by the names that PostHog gives them.

    `twice` says that properties may be text inside text: JSON that was written as JSON once more.
    """

    look: Look
    columns: Mapping[str, str]
    twice: bool = False

    @property
    def source(self) -> Source:
        """The source that was looked at."""
        return self.look.source

    def filled(self, name: str) -> str:
        """Return the expression of a column as text, NULL where it is missing or empty."""
        if name not in self.columns:
            return NOTHING
        return f"NULLIF(CAST({quoted(self.columns[name])} AS VARCHAR), '')"

    def record(self, name: str) -> str:
        """Return the expression of a nested column as JSON text, NULL where it is none."""
        if name not in self.columns:
            return NOTHING
        column = quoted(self.columns[name])
        if not is_text(self.source.columns[self.columns[name]]):
            return f"CAST(to_json({column}) AS VARCHAR)"
        text = f"CAST({column} AS VARCHAR)"
        once = f"CASE WHEN json_valid({text}) THEN {text} END"
        if not self.twice:
            return once
        inner = f"json_extract_string({once}, '$')"
        inside = f"CASE WHEN json_valid({inner}) THEN {inner} END"
        return f"CASE WHEN json_type({once}) = 'VARCHAR' THEN {inside} ELSE {once} END"

    def name_of(self, *path: str, of: str = "properties") -> str:
        """Return the name of the column that holds a property, or will when it is reached by its path."""
        flat = ".".join((of, *path))
        return self.columns.get(flat) or ".".join((self.columns.get(of, of), *path))

    def told(self, *path: str, of: str = "properties") -> str:
        """Return the expression of a property as text, NULL where it is missing or empty."""
        flat = ".".join((of, *path))
        if flat in self.columns:
            return self.filled(flat)
        if of not in self.columns:
            return NOTHING
        return f"NULLIF(json_extract_string({self.record(of)}, {literal(pointer(path))}), '')"

    def names(self, *path: str, of: str = "properties", where: str = "true", limit: int = 200) -> tuple[str, ...]:
        """Return the names of the properties under a path among the rows looked at, the most frequent first."""
        prefix = ".".join((of, *path)) + "."
        flat = tuple(name.removeprefix(prefix) for name in self.columns if name.startswith(prefix))
        if of not in self.columns:
            return flat
        keys = f"json_keys({self.record(of)}, {literal(pointer(path))})" if path else f"json_keys({self.record(of)})"
        found = self.look.engine.rows(
            f"SELECT k, count(*) AS n FROM (SELECT unnest({keys}) AS k FROM {quoted(self.look.rows)} WHERE {where}) "
            f"WHERE k <> '' GROUP BY k ORDER BY n DESC, k LIMIT {limit}"
        )
        return flat + tuple(str(key) for key, _ in found)

    @property
    def behaviour(self) -> str:
        """The condition that a row is no record of the library or the server."""
        own = tuple(name for names in PASSED_OVER.values() for name in names)
        return f"COALESCE({self.filled('event')}, '') NOT IN {word_list(own)}"


def rows_of(look: Look) -> Rows:
    """Return where the parts of an event are; top-level names are matched in any case, with or without `*.`."""
    columns: dict[str, str] = {}
    for column in look.source.columns:
        plain = column.removeprefix("*.")  # as the tables of PostHog's own pages are downloaded
        columns.setdefault(plain if "." in plain else plain.lower(), column)
    rows = Rows(look=look, columns=columns)
    if "properties" not in columns or not is_text(look.source.columns[columns["properties"]]):
        return rows
    return Rows(look=look, columns=columns, twice=look.share(f"json_type({rows.record('properties')}) = 'VARCHAR'") > 0)
