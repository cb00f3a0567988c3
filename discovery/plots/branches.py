"""The alternatives at a rung as branches under it, and the routes that run through several rungs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from discovery import wording
from discovery.plots import canvas
from discovery.results import Branch, Rung

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_RIGHT: Final = canvas.WIDTH - 0.05
_INDENT: Final = 0.27
_TRUNK: Final = 0.10
_LINE: Final = 0.165
_BAR: Final = 0.07
_LANE: Final = 0.13
_MOST: Final = 4
_SMALL: Final = canvas.SMALL_SIZE / canvas.TEXT_SIZE
_ROUTES: Final = (
    (canvas.BLUE, "-", "o"),
    (canvas.ORANGE, (0, (4, 2)), "s"),
    (canvas.GREEN, (0, (1, 1.2)), "^"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """Room at the left edge for the routes that several rungs share, and the heights at which each passes a branch."""

    routes: tuple[int, ...]
    passes: dict[int, list[float]] = field(default_factory=dict)

    @classmethod
    def of(cls, rungs: Sequence[Rung]) -> Lanes:
        """Return lanes for the first routes that more than one rung has."""
        met = Counter(
            route for rung in rungs for route in {branch.route for branch in rung.alternatives[:_MOST]} if route
        )
        return cls(routes=tuple(sorted(route for route, rungs_on in met.items() if rungs_on > 1)[: len(_ROUTES)]))

    @property
    def left(self) -> float:
        """Inches from the left edge to where everything else begins."""
        return 0.05 + _LANE * len(self.routes) + (0.04 if self.routes else 0)

    def link(self, page: Axes) -> None:
        """Draw each route as a line through its branches."""
        for lane, route in enumerate(self.routes):
            heights = self.passes.get(route, [])
            colour, dashes, shape = _ROUTES[lane]
            x = [0.09 + _LANE * lane] * len(heights)
            page.plot(x, heights, color=colour, linestyle=dashes, linewidth=1.4, marker=shape, markersize=4.6)


def draw(page: Axes, top: float, lanes: Lanes, rung: Rung) -> float:
    """Draw the alternatives at a rung below it; return where the next thing begins."""
    if not rung.alternatives:
        return top
    shown, left = rung.alternatives[:_MOST], lanes.left
    small: dict[str, Any] = {"fontsize": canvas.SMALL_SIZE, "va": "center", "color": canvas.MUTED}
    word = "either counts" if len(rung.alternatives) == 2 else "any of these counts"
    page.text(left, top + _LINE / 2, f"{word}; of the accounts that did one:", **small)
    trunk, top = top + _LINE, top + _LINE + 0.02
    for branch in shown:
        _branch(page, top, lanes, branch)
        fork = top + _LINE / 2
        page.plot([left + _TRUNK, left + _INDENT - 0.05], [fork, fork], color=canvas.PLAIN, linewidth=0.9)
        top += _LINE + _BAR + 0.07
    page.plot([left + _TRUNK] * 2, [trunk, fork], color=canvas.PLAIN, linewidth=0.9)
    if len(rung.alternatives) > len(shown):
        more = f"{len(rung.alternatives) - len(shown)} more"
        page.text(left + _INDENT, top + _LINE / 2, more, **small)
        top += _LINE
    return top


def _branch(page: Axes, top: float, lanes: Lanes, branch: Branch) -> None:
    from matplotlib.patches import Rectangle

    left, at = lanes.left + _INDENT, top + _LINE / 2
    if branch.route in lanes.routes:
        lanes.passes.setdefault(branch.route, []).append(at)
    words = f"{wording.percent(branch.share)} this way"
    if wording.known(branch.goes_on):
        words += f", {wording.percent(branch.goes_on)} go on"
    name = f"route {branch.route}: {branch.milestone}" if branch.route in lanes.routes else branch.milestone
    name = canvas.fit(name, (_RIGHT - left - 0.1) / _SMALL - canvas.width_of(words))
    small: dict[str, Any] = {"fontsize": canvas.SMALL_SIZE, "va": "center"}
    page.text(left, at, name, **small)
    page.text(_RIGHT, at, words, ha="right", color=canvas.MUTED, **small)
    whole = _RIGHT - left
    share = min(max(branch.share, 0.0), 1.0) if wording.known(branch.share) else 0.0
    corner = (left, top + _LINE + 0.01)
    page.add_patch(Rectangle(corner, whole, _BAR, facecolor=canvas.SOFT, edgecolor="none", label="branches"))
    page.add_patch(Rectangle(corner, whole * share, _BAR, facecolor=canvas.BLUE, edgecolor="none", label="branch"))
