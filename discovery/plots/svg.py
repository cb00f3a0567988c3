"""A figure as inline SVG for a page: real text, no ids that clash, the same bytes every time."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree

from discovery.plots import canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FONTS: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
_LONG_NUMBER: Final = re.compile(r"-?\d+\.\d{3,}")
_REFERENCE: Final = re.compile(r"#([\w-]+)")
_FONT_FAMILY: Final = re.compile(r"font-family:[^;]*;?\s*")
_SHORTHAND_FONT: Final = re.compile(r"font:[^;]*?([\d.]+px)[^;]*")
_THEMED: Final = {
    colour: f"var(--figure-{name}, {colour})"
    for name, colour in {
        "ink": canvas.INK,
        "muted": canvas.MUTED,
        "rule": canvas.RULE,
        "soft": canvas.SOFT,
        "plain": canvas.PLAIN,
        "blue": canvas.BLUE,
        "orange": canvas.ORANGE,
        "green": canvas.GREEN,
    }.items()
}
"""A page may recolour a figure (dark mode) by setting these CSS variables."""


def svg(figure: Figure, title: str | None = None) -> str:
    """Return the figure as an `<svg>` element that fills the width it is given.

    Parameters
    ----------
    figure
        Any matplotlib figure; those of `discovery.plots` carry their own title.
    title
        What the picture shows, for people who do not see it. Default: the figure's label.

    Returns
    -------
    str
        Inline SVG without an XML prolog; text stays text. The same figure gives the same bytes.
    """
    source = _as_written(figure)
    name = title if title is not None else str(figure.get_label())
    root = ElementTree.fromstring(source)
    prefix = "f" + hashlib.sha256(source + name.encode(errors="replace")).hexdigest()[:10] + "-"
    _drop_what_a_page_must_not_hold(root)
    used = _references(root)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = _attributes(element, used, prefix)
    _name(root, name)
    return ElementTree.tostring(root, encoding="unicode")


@canvas.styled
def _as_written(figure: Figure) -> bytes:
    written = io.BytesIO()
    with warnings.catch_warnings():
        # The browser has glyphs that the measuring font lacks (emoji, scripts).
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from", category=UserWarning)
        warnings.filterwarnings("ignore", message=r"Matplotlib currently does not support", category=UserWarning)
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(written, format="svg", transparent=True, metadata=nothing)
    return written.getvalue()


def _drop_what_a_page_must_not_hold(root: ElementTree.Element) -> None:
    """Remove metadata, and the style sheet whose `*` rule would reach the whole page."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.rpartition("}")[2] in ("metadata", "style"):
                parent.remove(child)


def _references(root: ElementTree.Element) -> set[str]:
    return {
        name
        for element in root.iter()
        for key, value in element.attrib.items()
        if key.endswith("href") or "url(" in value
        for name in _REFERENCE.findall(value)
    }


def _attributes(element: ElementTree.Element, used: set[str], prefix: str) -> dict[str, str]:
    """Return the attributes without namespaces, long numbers and unused ids, and with themed colours."""
    kept: dict[str, str] = {}
    for key, value in element.attrib.items():
        name = key.rpartition("}")[2]
        if name == "id":
            if value in used:
                kept[name] = prefix + value
            continue
        if name == "href" or "url(" in value:
            value = _REFERENCE.sub(lambda match: "#" + prefix + match[1], value)
        elif name == "style":
            value = _themed(value)
        if name in ("d", "x", "y", "transform", "style", "width", "height"):
            value = _LONG_NUMBER.sub(lambda match: f"{float(match[0]):.2f}", value)
        kept[name] = value
    return kept


def _themed(style: str) -> str:
    style = _FONT_FAMILY.sub("", _SHORTHAND_FONT.sub(r"font-size: \1", style))
    for colour, variable in _THEMED.items():
        style = style.replace(colour, variable)
    return style


def _name(root: ElementTree.Element, title: str) -> None:
    root.attrib.pop("width", None)
    root.attrib.pop("height", None)
    root.attrib.pop("version", None)
    root.attrib.update(
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "role": "img",
            "aria-label": title,
            "width": "100%",
            "font-family": _FONTS,
            "style": "stroke-linejoin: round; stroke-linecap: butt; height: auto",
        }
    )
    heading = ElementTree.Element("title")
    heading.text = title
    root.insert(0, heading)
