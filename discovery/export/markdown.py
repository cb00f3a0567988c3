"""A worksheet as Markdown that reads well both raw and rendered."""

from __future__ import annotations

import re
from typing import Final

from discovery import wording
from discovery.export.worksheet import Worksheet, WorksheetRow

BLANK: Final = "_" * 30

_KEY: Final = (
    f"What is filled in comes from the study, or is named a proposal. Lines like {BLANK[:10]} are for your team. "
    "*Advice* is what the literature says to try: it is not a result of these data."
)
_SIGNS: Final = re.compile(
    r"""
      (?P<sign>[\\`*|~$])
    | (?P<run>(?<![^\W_])_+|_+(?![^\W_]))    # underscores inside a word mean nothing in Markdown
    | (?P<entity>&(?=\#?\w+;))
    | (?P<tag><(?=[A-Za-z/!?]))
    | (?P<link>\](?=[(\[]))
    | (?P<address>(?<=:)//)
    """,
    re.VERBOSE,
)


def as_markdown(worksheet: Worksheet) -> str:
    """Return the worksheet as Markdown: one list item a row, `____` where the team writes, advice marked as such."""
    lines = [f"# {escaped(worksheet.title)}", "", _KEY]
    for section in worksheet.sections:
        lines += ["", f"## {escaped(section.title)}", ""]
        lines += [_item(row) for row in section.rows]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Return plain text, put on one line, so that Markdown shows it as it is.

    What means nothing where it stands, such as the underscore of `report_shared`, stays readable in the raw text.
    """
    return _SIGNS.sub(_escape, wording.clean(text))


def _escape(sign: re.Match[str]) -> str:
    found = sign[0]
    match sign.lastgroup:
        case "entity":
            return "&amp;"
        case "tag":
            return "&lt;"
        case "run":
            return found.replace("_", "\\_")
        case _:
            return f"\\{found}"


def _item(row: WorksheetRow) -> str:
    label = escaped(row.label) + ("" if row.label.endswith("?") else ":")
    if row.kind == "advice":
        return f"- *Advice.* **{label}** {escaped(row.text)}"
    return f"- **{label}** {escaped(row.text) or BLANK}"
