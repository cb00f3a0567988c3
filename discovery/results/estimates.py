"""A number that is never alone, and plain values for JSON."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

SCHEMA = 1
"""Version of every JSON file that is written."""

EstimateStatus = Literal["ok", "separated", "not_converged", "too_few"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with its interval, its scale and the accounts behind it.

    `scale` is "risk difference" (points are hundredths of it), "hazard ratio", "odds ratio", "share" or
    "days". With status "separated" the number is finite but bias-reduced; with "not_converged" or
    "too_few" all three numbers are None.
    """

    estimate: float | None
    ci_lower: float | None
    ci_upper: float | None
    scale: str
    n_accounts: int
    estimand: str | None = None
    status: EstimateStatus = "ok"


def as_json_values(value: Any) -> Any:
    """Return `value` as plain JSON values: nine significant digits, None for NaN and infinity."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: as_json_values(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_json_values(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json_values(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.9g}") if math.isfinite(value) else None
    return value
