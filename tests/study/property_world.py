"""A world in which sharing by email keeps accounts, and sharing as such does not."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

OTHERS = ("project_created", "task_done", "invite_sent", "comment_added", "file_uploaded")
PLANTED = 'report_shared[channel = "email"]'
SPEC: dict[str, Any] = {
    "accounts": {"segments": ["plan"], "observed_until": "observed_until"},
    "outcome": {"kind": "retained", "by_day": 90},
    "candidates": {"properties": ["channel", "by_other", "size"], "conjunctions": 1},
}
_START = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, eq=False)
class PropertyWorld:
    events: pa.Table
    accounts: pa.Table


@functools.cache
def property_world(accounts: int = 1200, seed: int = 1, *, shuffled: bool = False) -> PropertyWorld:
    """Make the world; `shuffled` deals the channels out anew, so that none means anything."""
    rng = np.random.default_rng(seed)
    signup = [_START + timedelta(days=float(day)) for day in np.sort(rng.uniform(0, 200, accounts))]
    busy, taste = rng.gamma(2, 0.5, accounts), rng.beta(0.8, 1.6, accounts)
    rows: list[tuple[Any, ...]] = []
    emails = np.zeros(accounts, dtype=int)
    for account in range(accounts):
        for event in ("report_shared", *OTHERS):
            for _ in range(rng.poisson(2 * busy[account])):
                days = float(rng.exponential(6)) + 0.05
                channel = size = None
                if event == "report_shared":
                    channel = "email" if rng.random() < taste[account] else str(rng.choice(["link", "slack"]))
                    emails[account] += channel == "email" and days < 14
                if event == "file_uploaded":
                    size = round(float(rng.lognormal(2, 1)), 2)
                user = f"a{account}u{rng.integers(0, 3)}"
                rows.append((f"a{account}", user, event, signup[account] + timedelta(days=days), channel, size))
    channels = [row[4] for row in rows]
    if shuffled:
        places = [place for place, row in enumerate(rows) if row[2] == "report_shared"]
        for place, dealt in zip(places, rng.permutation(places), strict=True):
            channels[place] = rows[dealt][4]
    plan = rng.choice(["team", "solo"], accounts)
    chance = 1 / (1 + np.exp(1.0 - 0.5 * (busy - 1) - 2.6 * (emails >= 2) - 0.6 * (plan == "team")))
    stays = rng.random(accounts) < chance
    left = [
        None if s else day + timedelta(days=float(rng.uniform(15, 85))) for s, day in zip(stays, signup, strict=True)
    ]
    names = ("account_id", "user_id", "event", "timestamp")
    return PropertyWorld(
        events=pa.table(
            {name: [row[place] for row in rows] for place, name in enumerate(names)}
            | {"channel": channels, "size": [row[5] for row in rows]}
        ),
        accounts=pa.table(
            {
                "account_id": [f"a{i}" for i in range(accounts)],
                "signup_at": signup,
                "churned_at": pa.array(left, pa.timestamp("us", "UTC")),
                "plan": list(plan),
                "observed_until": [_START + timedelta(days=300)] * accounts,
            }
        ),
    )
