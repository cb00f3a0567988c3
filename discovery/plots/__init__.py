"""A result as pictures: each function takes a finished result and returns a matplotlib figure.

Nothing here computes; nothing touches pyplot or the session's style. Matplotlib is imported when the
first figure is drawn.
"""

from discovery.plots.forest import forest
from discovery.plots.funnels import funnel
from discovery.plots.paths import between
from discovery.plots.population import account_flow
from discovery.plots.rung_times import time_to_rung
from discovery.plots.shrinkage import shrinkage
from discovery.plots.steps import ladder
from discovery.plots.survival import survival_curves
from discovery.plots.svg import svg

__all__ = [
    "account_flow",
    "between",
    "forest",
    "funnel",
    "ladder",
    "shrinkage",
    "survival_curves",
    "svg",
    "time_to_rung",
]
