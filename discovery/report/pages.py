"""The templates, and how numbers and names enter them."""

from __future__ import annotations

import functools
import json
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from discovery import wording
from discovery.report.view import View
from discovery.results import as_json_values

_LONGEST_NAME = 110
_LONGEST_TOOLTIP = 500


def fill(template: str, view: View) -> str:
    """Return the template filled with `view`."""
    return _environment().get_template(template).render(view=view, result=view.result) + "\n"


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("discovery.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        count=wording.count,
        percent=wording.percent,
        points=wording.points,
        decimal=wording.decimal,
        p_value=wording.p_value,
        days=wording.days,
        moment=wording.moment,
        ratio=wording.ratio,
        in_words=wording.conditions_in_words,
        points_estimate=wording.points_estimate,
        ratio_estimate=wording.ratio_estimate,
        clean=wording.clean,
        shorten=wording.shorten,
        name=name,
        headline=headline,
        toml=toml,
    )
    return environment


def name(text: str, width: int = _LONGEST_NAME, tooltip: bool = True) -> Markup:
    """Return an event name or milestone as isolated text; a long one is shortened, with more of it in a tooltip."""
    shown, more = wording.shorten(text, width), wording.shorten(text, _LONGEST_TOOLTIP)
    title = Markup(' title="{}"').format(more) if tooltip and shown != more else Markup("")
    return Markup("<bdi{}>{}</bdi>").format(title, escape(shown))


def headline(sentence: str, milestone: str | None) -> Markup:
    """Return the verdict's sentence with its milestone shortened and isolated."""
    if not milestone or milestone not in sentence:
        return escape(wording.clean(sentence))
    parts = (escape(_on_one_line(part)) for part in sentence.split(milestone))
    return name(milestone).join(parts)


def _on_one_line(text: str) -> str:
    """Clean a part of a sentence and keep the spaces at its ends."""
    return wording.clean(f".{text}.")[1:-1]


def toml(value: Any) -> str:
    """Return a setting as it would stand in the spec."""
    if value is None:
        return wording.MISSING
    return json.dumps(as_json_values(value), ensure_ascii=False)
