"""Acts that are left out of a search for when they happen: from some day on only, or around the decision to leave."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from discovery import wording
from discovery.exposure import Exposure
from discovery.intake import Relations
from discovery.milestone import Condition
from discovery.outcome import Outcome
from discovery.results import OpenedProperty
from discovery.spec import Day
from discovery.study.evidence import acts_apart
from discovery.study.launches import Launches
from discovery.study.properties import Opened
from discovery.study.settled import as_day

TOGETHER = 7 * Day
"""Microseconds between the first rows of an event and those of an act within which both are one launch."""


def without_late(opened: Opened, relations: Relations, outcome: Outcome, measured: Exposure) -> Opened:
    """Leave out the acts that appear later than their event, or belong to the decision, and say which.

    Accounts from before an act appeared could not do it, so a comparison with them would compare two times.

    Parameters
    ----------
    opened
        The acts that were to be searched.
    relations, outcome
        What was read, and who is at the landmark.
    measured
        What accounts did, those acts among it.
    """
    apart = acts_apart(relations, opened.acts)
    launched = _launched(opened, Launches(relations, outcome, measured))
    gone = {act for act in opened.acts if act.act_name in apart or act in launched}
    if not gone:
        return opened
    return Opened(
        acts=tuple(act for act in opened.acts if act not in gone),
        said=tuple(_said(one, gone, apart, launched) for one in opened.said),
    )


def _launched(opened: Opened, launches: Launches) -> dict[Condition, int]:
    found: dict[Condition, int] = {}
    for act in opened.acts:
        since = launches.of_act(act)
        if since is not None and since > launches.of_events.get(act.event, launches.relations.log_start) + TOGETHER:
            found[act] = since
    return found


def _said(
    one: OpenedProperty,
    gone: set[Condition],
    apart: Mapping[str, tuple[str, str]],
    launched: Mapping[Condition, int],
) -> OpenedProperty:
    mine = sorted((act for act in gone if act.act_name in one.conditions), key=lambda act: act.act_name)
    sentences = [f"{_named(act)} was not searched. {apart[act.act_name][1]}" for act in mine if act.act_name in apart]
    late = [act for act in mine if act in launched and act.act_name not in apart]
    if late:
        first = min(late, key=lambda act: launched[act])
        sentences.append(
            f"{len(late):,} of its conditions appear only when their event had long been there (first: "
            f"{_named(first)}, since {as_day(launched[first])}): accounts from before could not meet them, so they "
            "were not searched. As a proposal such a condition is judged by the accounts since then."
        )
    names = {act.act_name for act in mine}
    kept = tuple(name for name in one.conditions if name not in names)
    return dataclasses.replace(one, conditions=kept, left_out=(*one.left_out, *sentences))


def _named(act: Condition) -> str:
    return f"“{wording.clean(act.act_name)}”"
