"""What a property may not be taken for: who an account is, when it came, what signing up writes, that it leaves."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import numpy as np
import pyarrow as pa

import discovery
from discovery.milestone import Milestone
from discovery.results import Criterion, StudyResult

N = 450
START = datetime(2024, 1, 1, tzinfo=UTC)
RECORDED = 100.0
OTHERS = ("task_done", "invite_sent", "comment_added")
SPEC: dict[str, Any] = {
    "accounts": {"segments": ["plan"], "observed_until": "observed_until"},
    "outcome": {"kind": "retained", "by_day": 90},
    "candidates": {"properties": ["note"], "conjunctions": 1},
}
World = Literal["trait", "mixed", "partner", "blank", "recorded late", "leaving"]
SAME = "the same on all rows of an account"


@functools.cache
def study(world: World) -> discovery.Study:
    """Make a world in which `note` on `shared` says something of the accounts, and who stays follows from that."""
    rng = np.random.default_rng(5)
    days = np.sort(rng.uniform(0, 200, N))
    busy, special = rng.gamma(2, 0.5, N), rng.random(N) < 0.4
    left = rng.uniform(15, 85, N)
    blank = np.zeros(N, dtype=bool)
    rows: list[tuple[int, str, float, str | None]] = []
    for account in range(N):
        for event in ("shared", *OTHERS):
            for _ in range(rng.poisson(2 * busy[account])):
                day = float(rng.exponential(6)) + 0.05
                note = None
                if event == "shared":
                    note = _note(world, bool(special[account]), days[account] + day, rng)
                    blank[account] |= note == "blank" and day < 14
                rows.append((account, event, day, note))
    matters = blank if world == "blank" else days > RECORDED - 5 if world == "recorded late" else special
    strength = {"recorded late": 1.5, "leaving": 0.0}.get(world, 2.0)
    stays = rng.random(N) < 1 / (1 + np.exp(0.6 - 0.5 * (busy - 1) - strength * matters))
    soon = {"partner": ("partner", "ad"), "blank": ("demo", "demo")}.get(world)
    for account in np.flatnonzero(rng.random(N) < (0.6 if world == "partner" else 0.92)):
        if soon:
            rows.append((account, "shared", 5 / 86_400, soon[0] if special[account] else soon[1]))
        if world == "leaving" and not stays[account] and rng.random() < 0.7:
            rows.append((account, "shared", left[account] - rng.uniform(0, 1), "archive"))
        if world == "leaving" and rng.random() < 0.2:
            rows.append((account, "shared", rng.uniform(0.1, 14), "archive"))
    signup = [START + timedelta(days=float(day)) for day in days]
    events = {
        "account_id": [f"a{row[0]}" for row in rows],
        "event": [row[1] for row in rows],
        "timestamp": [signup[row[0]] + timedelta(days=float(row[2])) for row in rows],
        "note": pa.array([row[3] for row in rows], pa.string()),
    }
    gone = [None if s else at + timedelta(days=float(day)) for s, at, day in zip(stays, signup, left, strict=True)]
    accounts = {
        "account_id": [f"a{i}" for i in range(N)],
        "signup_at": signup,
        "churned_at": pa.array(gone, pa.timestamp("us", "UTC")),
        "plan": list(rng.choice(["team", "solo"], N)),
        "observed_until": [START + timedelta(days=300)] * N,
    }
    return discovery.Study(pa.table(events), pa.table(accounts), spec=SPEC)


def _note(world: World, special: bool, day: float, rng: np.random.Generator) -> str | None:
    chosen = str(rng.choice(["email", "link"]))
    if world == "trait":
        return "enterprise" if special else "self_serve"
    if world == "mixed":
        return "rare" if rng.random() < 0.01 else "usual"
    if world == "recorded late":
        return chosen if day >= RECORDED else None
    return {"partner": "app", "blank": "blank"}.get(world, chosen)


@functools.cache
def found(world: World) -> StudyResult:
    return study(world).run()


def disguises(world: World, *milestones: str) -> list[Criterion]:
    proposals = study(world).validate(*milestones).proposals
    return [c for each in proposals for c in each.criteria if c.name == "not the outcome in disguise"]


def with_tests(result: StudyResult) -> list[str]:
    """Return the rules with tests that could have been named."""
    columns = result.candidates.columns
    return [
        text
        for text, where, eligible in zip(columns["milestone"], columns["where"], columns["eligible"], strict=True)
        if where and eligible
    ]


def test_a_trait_on_every_row_is_not_searched_and_said() -> None:
    result = found("trait")
    assert with_tests(result) == []
    (said,) = result.opened
    assert SAME in said.left_out[0]
    assert "accounts.segments" in said.left_out[0]
    assert result.verdict.milestone is None or "[" not in result.verdict.milestone


def test_a_trait_as_a_proposal_fails_and_no_bound_answers_for_it() -> None:
    result = study("trait").validate('shared[note = "enterprise"]')
    assert "No rules with such tests as in shared[note = " in result.correction
    (judged,) = [c for c in result.proposals[0].criteria if c.name == "not the outcome in disguise"]
    assert (judged.status, judged.decides) == ("fail", True)
    assert "“note” is the same on every “shared” of an account" in judged.sentence


def test_a_value_that_is_merely_rare_is_no_trait() -> None:
    """All rows of nearly every account are alike by chance alone; those that differ are mixed."""
    assert not any(SAME in sentence for sentence in found("mixed").opened[0].left_out)


def test_rows_at_signup_are_barred_where_their_event_is_not() -> None:
    result = found("partner")
    assert not any("partner" in text for text in with_tests(result))
    assert any("app" in text for text in with_tests(result))
    assert result.verdict.status in ("none", "lead")
    (judged,) = disguises("partner", 'shared[note = "partner"]')
    assert judged.status == "fail"
    assert "happens at signup" in judged.sentence


def test_rows_after_signup_are_searched_where_their_event_is_at_signup() -> None:
    assert any(Milestone.parse(text).conditions[0].at_least == 1 for text in with_tests(found("blank")))
    judged = disguises("blank", 'shared[note = "blank"]', 'shared[note = "demo"]', "shared")
    assert [each.status for each in judged] == ["pass", "fail", "fail"]


def test_a_property_recorded_from_some_day_on_is_not_searched_over_accounts_from_before() -> None:
    result = found("recorded late")
    assert with_tests(result) == []
    (said,) = result.opened
    assert said.conditions == ()
    assert "since 2024-04-1" in said.left_out[-1]
    assert "2 of its conditions" in said.left_out[-1]


def test_rows_around_the_decision_to_leave_are_not_searched() -> None:
    result = found("leaving")
    (said,) = result.opened
    assert not any("archive" in name for name in said.conditions)
    assert any('“shared[note = "archive"]” was not searched.' in s and "of leaving" in s for s in said.left_out)
    archive, link = disguises("leaving", 'shared[note = "archive"]', 'shared[note = "link"]')
    assert (archive.status, link.status) == ("fail", "pass")
    assert "decision to stay or go" in archive.sentence


def test_the_bound_answers_for_rules_with_the_tests_that_are_proposed() -> None:
    known = study("leaving")
    closed = discovery.Study(known.events, known.accounts, spec=SPEC, candidates={"properties": [], "conjunctions": 1})
    tested, plain = closed.validate('shared[note = "link"] >= 2'), closed.validate("shared >= 2")
    assert tested.searched > plain.searched
    assert f"all {tested.searched:,} rules" in tested.correction
    assert "does not answer" not in tested.correction
