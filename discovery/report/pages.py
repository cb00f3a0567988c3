"""The templates, and how numbers and names enter them."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from discovery import wording
from discovery.export.plan import time_of, unplanned
from discovery.report.check import CheckView
from discovery.report.ladders import rules_in_words, share_estimate
from discovery.report.phrases import open_interval, sentences, tenths
from discovery.report.validation import ValidationView
from discovery.report.view import View
from discovery.results import as_json_values

_LONGEST_NAME = 110
_LONGEST_TOOLTIP = 500
_PERCENT = re.compile(r"(?<=\d) (?=%)")


def fill(template: str, view: View | ValidationView | CheckView) -> str:
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
        share_estimate=share_estimate,
        rules_in_words=rules_in_words,
        listed=listed,
        clean=wording.clean,
        sentence=sentence,
        shorten=wording.shorten,
        name=name,
        headline=headline,
        keep=on_one_line,
        toml=toml,
        toml_lines=toml_lines,
        tenths=tenths,
        hundredths=wording.hundredths,
        accounts_an_arm=wording.accounts_an_arm,
        weeks=wording.lasting,
        time_of=time_of,
        unplanned=unplanned,
        sentences=sentences,
        open_interval=open_interval,
    )
    return environment


def name(text: str, width: int = _LONGEST_NAME, tooltip: bool = True) -> Markup:
    """Return an event name or milestone as isolated text; a long one is shortened, with more of it in a tooltip."""
    shown, more = wording.shorten(text, width), wording.shorten(text, _LONGEST_TOOLTIP)
    title = Markup(' title="{}"').format(more) if tooltip and shown != more else Markup("")
    return Markup("<bdi{}>{}</bdi>").format(title, escape(shown))


def listed(items: Sequence[object]) -> str:
    """Return items as people list them: `2, 3 and 4`."""
    texts = [str(item) for item in items]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


def headline(text: str, milestone: str | None) -> Markup:
    """Return a sentence with the milestone it is about shortened and isolated."""
    if not milestone or milestone not in text:
        return escape(sentence(text))
    parts = (escape(on_one_line(part)) for part in text.split(milestone))
    return name(milestone).join(parts)


def sentence(text: str) -> str:
    """Return a sentence on one line, in which no line breaks before a percent sign."""
    return _PERCENT.sub("\u202f", wording.clean(text))


def on_one_line(text: str) -> str:
    """Clean a part of a sentence and keep the spaces at its ends."""
    return sentence(f".{text}.")[1:-1]


def toml(value: Any) -> str:
    """Return a setting as it would stand in the spec."""
    if value is None:
        return wording.MISSING
    return json.dumps(as_json_values(value), ensure_ascii=False)


def toml_lines(text: str) -> str:
    """Return lines of a spec as they may be shown: each without characters that cannot be printed."""
    return "\n".join(on_one_line(line) for line in text.splitlines())
