"""Accounts that climb planted ladders, as arrays."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import numpy as np

from discovery.estimate import draw_halves
from discovery.ladder import Path, Step, find_path
from discovery.spec import LadderSpec


@dataclass
class Walk:
    """n accounts on their way: who is still going, on which day, and what is on record."""

    n: int = 3000
    seed: int = 0
    untracked: float = 0.0
    days: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self):
        self.rng = np.random.default_rng(self.seed)
        self.engagement = self.rng.standard_normal(self.n)
        self.going = np.ones(self.n, dtype=bool)
        self.day = np.zeros(self.n)
        self.signup = np.arange(self.n) * 1_000_000

    def _drawn(self, share):
        """Draw who does something, the engaged more often."""
        odds = np.log(share / (1 - share)) + 0.4 * self.engagement
        return self.rng.random(self.n) < 1 / (1 + np.exp(-odds))

    def _seen(self, did):
        return np.where(did & (self.rng.random(self.n) >= self.untracked), self.day, np.inf)

    def step(self, *ways, share=0.75, skipped=0.0):
        """Let accounts take one of several ways, or skip the step and go on."""
        goes_on = self.going & self._drawn(share)
        self.day = self.day + self.rng.exponential(0.8, self.n)
        way = self.rng.integers(0, len(ways), self.n)
        does = goes_on & (self.rng.random(self.n) >= skipped)
        for number, name in enumerate(ways):
            self.days[name] = self._seen(does & (way == number))
        self.going = goes_on
        return self

    def routes(self, *routes, share=0.8):
        """Let each account take one of several routes of several steps."""
        route = self.rng.integers(0, len(routes), self.n)
        for depth in range(max(map(len, routes))):
            self.going &= self._drawn(share)
            self.day = self.day + self.rng.exponential(0.8, self.n)
            for number, names in enumerate(routes):
                if depth < len(names):
                    self.days[names[depth]] = self._seen(self.going & (route == number))
        return self

    def popular(self, name, share, mean_day=1.0):
        """Add something that many do, the engaged more often, and that leads nowhere."""
        day = self.rng.exponential(mean_day, self.n)
        self.days[name] = np.where(self._drawn(share), day, np.inf)
        return self

    def crowd(self, events=12):
        """Add a dozen such things."""
        for number in range(events):
            self.popular(f"other_{number:02}", self.rng.uniform(0.2, 0.9), self.rng.uniform(0.5, 4))
        return self

    def ghosts(self, share):
        """Let a share of the accounts be gone within the hour, whatever else they would have done."""
        gone = self.rng.random(self.n) < share
        for name, days in self.days.items():
            self.days[name] = np.where(gone & (days > 1 / 24), np.inf, days)
        self.going &= ~gone
        return self

    def top(self, share=0.7):
        """Let accounts reach the milestone; return the days."""
        goes_on = self.going & self._drawn(share)
        self.day = self.day + self.rng.exponential(0.8, self.n)
        return np.where(goes_on, self.day, np.inf)

    def path(self, top, *, spec=None, halves=10, since=None, left_out=None) -> Path:
        """Find the path, the steps given in an order that tells nothing."""
        names = sorted(self.days, key=lambda name: zlib.crc32(name.encode()))
        steps = [
            Step(
                event=name,
                first_days=self.days[name],
                since=(since or {}).get(name),
                left_out=(left_out or {}).get(name),
            )
            for name in names
        ]
        return find_path(top, steps, self.signup, draw_halves(self.signup, halves, 0), spec or LadderSpec())


def texts(path):
    """Return the places as text."""
    return [str(place.milestone) for place in path.places]


def reasons(path):
    """Return what was left out, with the reasons."""
    return {item.milestone: item.reason for item in path.left_out}
