"""A result as pictures: each function takes a finished result and returns a matplotlib figure.

Nothing here computes; nothing touches pyplot or the session's style. Matplotlib is imported when the
first figure is drawn.
"""

from discovery.plots.forest import forest
from discovery.plots.population import account_flow
from discovery.plots.shrinkage import shrinkage
from discovery.plots.steps import ladder
from discovery.plots.survival import survival_curves
from discovery.plots.svg import svg

__all__ = ["account_flow", "forest", "ladder", "shrinkage", "survival_curves", "svg"]
