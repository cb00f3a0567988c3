"""Something that appeared late is told from something rare, and a few early testers do not hide it."""

from __future__ import annotations

import numpy as np
import pytest

from discovery.ladder import appeared_late

DAY = 86_400_000_000
WINDOW = 14 * DAY


def log(seed, *, from_day=0.0, share=0.6, accounts=2000, testers=0, growing=False):
    """Signups over 200 days; a share of the accounts has the event, from some day on."""
    rng = np.random.default_rng(seed)
    days = np.sort(200 * rng.random(accounts) ** (0.6 if growing else 1.0))
    first = days + rng.uniform(0, 13, accounts)
    did = (rng.random(accounts) < share) & (first >= from_day)
    early = rng.choice(np.flatnonzero(days < from_day - 20), testers, replace=False) if testers else []
    did[early] = True
    return (first[did] * DAY).astype(np.int64), (days * DAY).astype(np.int64), lambda: did


@pytest.mark.parametrize("growing", [False, True])
@pytest.mark.parametrize("testers", [0, 6])
@pytest.mark.parametrize("seed", range(5))
def test_a_launch_is_seen_when_it_was(seed, testers, growing):
    firsts, signup, did = log(seed, from_day=90, testers=testers, growing=growing)
    appeared = appeared_late(firsts, signup, did, WINDOW)
    assert appeared is not None
    assert -1 < appeared / DAY - 90 < 5


@pytest.mark.parametrize("share", [0.005, 0.05, 0.6])
@pytest.mark.parametrize("growing", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_what_was_always_there_is_never_late(seed, share, growing):
    assert appeared_late(*log(seed, share=share, growing=growing), WINDOW) is None


def test_what_appeared_before_a_tenth_had_come_and_gone_is_not_late():
    assert appeared_late(*log(1, from_day=20), WINDOW) is None
    assert appeared_late(*log(1, from_day=60), WINDOW) is not None


def test_what_nobody_could_do_from_the_beginning_is_not_late():
    firsts, signup, did = log(2, from_day=199.9)
    assert appeared_late(firsts, signup[signup < 180 * DAY], lambda: did()[signup < 180 * DAY], WINDOW) is None


def test_who_has_it_is_asked_only_of_what_may_be_late():
    firsts, signup, _ = log(3)
    assert appeared_late(firsts, signup, lambda: pytest.fail("asked"), WINDOW) is None
