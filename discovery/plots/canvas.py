"""A blank sheet in the house style: colours, type sizes, and the one door to matplotlib.

Figures are drawn 403 pixels wide, so that a phone shows them nearly at full size. Text never
goes through mathtext or TeX: event names are hostile text.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from discovery.wording import clean, columns, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH: Final = 4.2
"""Width of every figure in inches."""

INK: Final = "#1f2937"
MUTED: Final = "#5b6675"
RULE: Final = "#d5dbe3"
SOFT: Final = "#e9edf2"
PLAIN: Final = "#7b8794"
BLUE: Final = "#0072b2"
ORANGE: Final = "#d55e00"
GREEN: Final = "#009e73"
"""Okabe and Ito's palette, told apart by colour-blind readers. For shapes; of these only blue may be text."""

TEXT_SIZE: Final = 9.0
SMALL_SIZE: Final = 8.4
_NARROW_LETTER: Final = 0.06
"""Inches below which no letter of a readable name is, on average; where fitting starts."""

_MOST_LINES: Final = 3
"""Conjunctions have up to three parts; a longer name is an event name with an "and" in it."""

_STYLE: Final[dict[str, Any]] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": TEXT_SIZE,
    "text.color": INK,
    "text.parse_math": False,
    "text.usetex": False,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.unicode_minus": True,
    "axes.formatter.use_mathtext": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": SMALL_SIZE,
    "ytick.labelsize": SMALL_SIZE,
    "xtick.major.size": 0.0,
    "ytick.major.size": 0.0,
    "figure.dpi": 144,
    "svg.fonttype": "none",
    "svg.hashsalt": "discovery",
    "savefig.bbox": "standard",
}

_P = ParamSpec("_P")
_R = TypeVar("_R")


def styled(draw: Callable[_P, _R]) -> Callable[_P, _R]:
    """Run `draw` under the house style, whatever style the session has; the session's is untouched after."""

    @functools.wraps(draw)
    def drawn(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        import matplotlib.style

        with matplotlib.style.context(["default", _STYLE]):
            return draw(*args, **kwargs)

    return drawn


def figure(height: float, label: str) -> Figure:
    """Return an empty figure of the house width; `label` says in words what it shows."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(WIDTH, height), facecolor="white")
    made.set_label(clean(label))
    return made


def sheet(height: float, label: str) -> tuple[Figure, Axes]:
    """Return a figure whose coordinates are inches from its upper left corner, without axes."""
    made = figure(height, label)
    page = made.add_axes((0, 0, 1, 1))
    page.set_xlim(0, WIDTH)
    page.set_ylim(height, 0)
    page.set_axis_off()
    return made, page


def axes_at(made: Figure, *, left: float, top: float, width: float, height: float) -> Axes:
    """Return axes placed in inches from the figure's upper left corner, with the lower spine only."""
    whole_height = float(made.get_figheight())
    axes = made.add_axes((left / WIDTH, 1 - (top + height) / whole_height, width / WIDTH, height / whole_height))
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.patch.set_visible(False)
    return axes


@functools.lru_cache(maxsize=4096)
def width_of(text: str) -> float:
    """Return the width in inches that text of the ordinary size takes in DejaVu Sans, a wide font."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family="DejaVu Sans", size=TEXT_SIZE)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from", category=UserWarning)
        warnings.filterwarnings("ignore", message=r"Matplotlib currently does not support", category=UserWarning)
        points, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(points) / 72


def fit(text: str, inches: float) -> str:
    """Return text shortened in its middle until it takes at most `inches`."""
    shown = shorten(text, int(inches / _NARROW_LETTER))
    while columns(shown) > 3 and width_of(shown) > inches:
        shown = shorten(text, columns(shown) - 1)
    return shown


def wrap(text: str, inches: float) -> list[str]:
    """Return a milestone in lines of at most `inches`, broken before its `and`s; a part too long is shortened."""
    first, *others = clean(text).split(" and ")
    lines = [first]
    for other in others:
        if width_of(f"{lines[-1]} and {other}") <= inches:
            lines[-1] += f" and {other}"
        else:
            lines.append(f"and {other}")
    if len(lines) > _MOST_LINES:
        return [fit(text, inches)]
    return [fit(line, inches) for line in lines]


def fold(text: str, inches: float, most: int = 2) -> list[str]:
    """Return text in at most `most` lines of at most `inches`, broken at spaces or, in a long name, after `_` and `/`.

    What does not fit is left out of the middle of the last line.
    """
    pieces = _pieces(clean(text), inches)
    lines = [""]
    for place, piece in enumerate(pieces):
        if lines[-1] and width_of((lines[-1] + piece).rstrip()) > inches:
            if len(lines) == most:
                lines[-1] += "".join(pieces[place:])
                break
            lines.append("")
        lines[-1] += piece
    return [fit(line.rstrip(), inches) for line in lines]


def _pieces(text: str, inches: float) -> list[str]:
    pieces: list[str] = []
    for word in re.split(r"(?<= )", text):
        long = columns(word) > inches / _NARROW_LETTER or width_of(word) > inches
        pieces += re.split(r"(?<=[_/])", word) if long else [word]
    return pieces


def trim(made: Figure, page: Axes, height: float) -> None:
    """Give a sheet the height that what was drawn on it takes, in inches."""
    made.set_figheight(height)
    page.set_ylim(height, 0)


def sentence_only(sentence: str) -> Figure:
    """Return a figure that says why there is nothing to draw."""
    made, page = sheet(0.6, sentence)
    page.text(0.05, 0.3, sentence, color=MUTED, va="center")
    return made
