"""A result as pictures: each function takes a finished result and returns a matplotlib figure.

Nothing here computes; nothing touches pyplot or the session's style. Matplotlib is imported when the
first figure is drawn.
"""

from discovery.plots.comparison import comparison, estimates
from discovery.plots.forest import forest
from discovery.plots.funnels import funnel
from discovery.plots.paths import between
from discovery.plots.population import account_flow
from discovery.plots.rung_times import time_to_rung
from discovery.plots.shares import onboarding, reaching
from discovery.plots.shrinkage import shrinkage
from discovery.plots.steadiness import steadiness
from discovery.plots.steps import ladder
from discovery.plots.survival import staying, survival_curves
from discovery.plots.svg import svg
from discovery.plots.timeline import event_volumes, volume

__all__ = [
    "account_flow",
    "between",
    "comparison",
    "estimates",
    "event_volumes",
    "forest",
    "funnel",
    "ladder",
    "onboarding",
    "reaching",
    "shrinkage",
    "staying",
    "steadiness",
    "survival_curves",
    "svg",
    "time_to_rung",
    "volume",
]
