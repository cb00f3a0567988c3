"""Climbs written down by hand or drawn: who got where, and when."""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from discovery.ladder import Climb, Cohort, Goal, Leg, Path, Place, Seen, Step, build_ladder
from discovery.milestone import Milestone
from discovery.results import Estimate

QUICKLY = settings(max_examples=50, deadline=None)
HOSTILE = [
    *['say "hi"', "two\nlines", "a or b", "x >= 2", "within 7d", "and", "(", "<b>", "{{x}}", "7d"],
    *["Größe gemessen", "共有"],
]
DAYS = st.sampled_from([None, 0.0, 0.25, 1.0, 2.5, 3.0, 7.0, 13.9])


def days(*values):
    """Return days from signup, inf for None."""
    return np.array([np.inf if value is None else value for value in values], dtype=float)


def place(steady=(), routes=None, **steps):
    """Return the place of one or several steps, each given with its days."""
    made = tuple(Step(event=event, first_days=np.asarray(own, dtype=float)) for event, own in steps.items())
    return Place(
        steps=made,
        first_days=np.minimum.reduce([step.first_days for step in made]),
        necessity=0.9,
        telling=0.5,
        steady=np.array(steady, dtype=bool),
        routes=routes if routes is not None else (0,) * len(made),
    )


def climb(top, *places, milestone="report_shared"):
    return Climb(milestone=Milestone.parse(milestone), top=np.asarray(top, dtype=float), places=places)


@st.composite
def climbs(draw, most=25):
    """Any climb, of nobody too: in any order, with gaps, with alternatives, with moments that are equal."""
    n = draw(st.integers(0, most))

    def column():
        return days(*draw(st.lists(DAYS, min_size=n, max_size=n)))

    names = iter(draw(st.permutations([*"cadbe", "z z", 'q"q', "a or b"])))
    shape = draw(st.lists(st.integers(1, 3), max_size=3))
    places = [place(steady=[True, True, False], **{next(names): column() for _ in range(ways)}) for ways in shape[:2]]
    return climb(column(), *places)


def chain(seed, n=1500, going_on=(0.8, 0.7, 0.6)):
    """Return a climb in which accounts take the steps one after the other, and drop off in between."""
    rng = np.random.default_rng(seed)
    moment, steps = np.zeros(n), []
    for share in going_on:
        moment = np.where(rng.random(n) < share, moment + rng.exponential(0.8, n), np.inf)
        steps.append(np.where(moment < 14, moment, np.inf))
    *below, top = steps
    return climb(top, *(place(**{f"step_{number}": own}) for number, own in enumerate(below, start=1)))


def leg(seed, n=600, hindered=1.0, share_met=0.4, event="sync_failed", others=()):
    """Return a leg on which an event lowers the rate of going on to a share of itself from the moment it is met."""
    rng = np.random.default_rng(seed)
    met = np.where(rng.random(n) < share_met, rng.exponential(1.0, n), np.inf)
    quick, slow = rng.exponential(4.0, n), rng.exponential(4.0 / hindered, n)
    time = np.where(quick < met, quick, met + slow)
    went_on = time < 10
    return Leg(
        time=np.minimum(time, 10.0),
        went_on=went_on,
        met={event: met} | {other: np.where(rng.random(n) < 0.3, rng.exponential(2.0, n), np.inf) for other in others},
    )


def plain_leg(of):
    """Return a leg on which nothing is met."""
    went_on = np.isfinite(of)
    return Leg(time=np.where(went_on, of, 14.0), went_on=went_on, met={})


def goal(status="found", **changes):
    adjusted = Estimate(estimate=0.12, ci_lower=0.05, ci_upper=0.19, scale="risk difference", n_accounts=900)
    given = {"milestone": "report_shared", "adjusted": adjusted, "persona": None, "why": "It leads to a finding."}
    return Goal(status=status, **(given | changes))


def cohort(aha, setup=None, **changes):
    given = {"habit": None, "no_habit": "No account was followed for 30 days.", "window_days": 14.0}
    return Cohort(aha=np.asarray(aha, float), setup=setup, **(given | changes))


def seen(of, **changes):
    """Return what was read for a climb: nothing in particular, unless it is given."""
    n, rungs = len(of), len(of.rungs)
    given = {
        "sessions": np.where(np.isfinite(np.array(of.days).reshape(rungs, n)), 1.0, np.nan),
        "legs": tuple(plain_leg(own) for own in of.on_the_way),
        "failures": set(),
        "hidden": set(),
        "habit": None,
        "cohort": cohort(of.top, of.on_the_way[-2] if rungs > 1 else None),
        "segments": {},
        "kinds": {},
        "date_only": False,
        "later": of.top,
        "partly": of.top,
    }
    return Seen(**(given | changes))


def built(of, to=None, since=None, youngest=None, motion="", alike=0.9, fewest_rungs=3, **changes):
    """Return the ladder of a climb."""
    path = Path(places=of.places, left_out=(), alike=alike if of.places else None)
    return build_ladder(
        to or goal(milestone=str(of.milestone)),
        path,
        of,
        seen(of, **changes),
        since=since,
        youngest=youngest,
        fewest_rungs=fewest_rungs,
        motion=motion,
        alpha=0.05,
    )
