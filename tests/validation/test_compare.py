"""What changed since an earlier run is said with its numbers, and is notable only beyond chance."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report import factory
from report import validation_factory as made

from discovery.results import Change, Estimate, Proposal, ValidationResult
from discovery.validation.compare import compare

RULE = "report_shared >= 3 within 7d by 2 users"


def interval(value: float | None, half: float = 0.05) -> Estimate:
    return factory.estimate(value, half)


def validated(verdict: str = "holds", rule: str = RULE, result: Any = None, **changes: Any) -> ValidationResult:
    return made.validation(made.proposal(verdict, rule, **changes), **(result or {}))


def changes(earlier: Any, now: ValidationResult) -> dict[str, Change]:
    """Return the changes of the first proposal, by what changed; of criteria the last."""
    compared = compare(earlier, now)
    assert compared.compared_with
    return {change.what: change for change in compared.proposals[0].changes}


def plain(change: Change) -> str:
    return change.sentence.replace("\u202f", " ")


def test_nothing_changed_is_nothing_notable() -> None:
    found = changes(validated(), validated())
    assert list(found) == ["verdict", "difference", "reach", "accounts", "base rate"]
    assert not any(change.notable for change in found.values())
    assert all(change.before == change.now for change in found.values())


def test_another_verdict_is_notable_and_says_how_each_was_judged() -> None:
    found = changes(validated("not enough data"), validated(result={"origin": "registered"}))
    assert found["verdict"] == Change(
        what="verdict",
        before="not enough data",
        now="holds",
        sentence="The verdict was “not enough data” and is “holds” now. Then it was judged as one of a search, now as "
        "a registered rule.",
        notable=True,
    )


@pytest.mark.parametrize(("now", "notable"), [(0.12, False), (0.0701, False), (0.0699, True), (0.1701, True)])
def test_a_difference_has_drifted_once_it_leaves_the_earlier_interval(now: float, notable: bool) -> None:
    before = validated(unwidened=interval(0.12), adjusted=interval(0.12, 0.5))
    found = changes(before, validated(unwidened=interval(now)))["difference"]
    assert found.notable is notable
    assert ("drifted" in found.sentence) is notable
    assert found.before == "+12.0 points [7.0, 17.0]"


def test_a_difference_that_can_no_longer_be_estimated_is_notable_and_one_that_never_could_is_not() -> None:
    known, unknown = validated(unwidened=interval(0.1)), validated(unwidened=interval(None))
    assert changes(known, unknown)["difference"].notable
    assert not changes(unknown, unknown)["difference"].notable
    assert changes(unknown, known)["difference"].before == "n/a"


@pytest.mark.parametrize(
    ("before", "now", "n", "notable"),
    [
        (0.30, 0.32, 3000, False),  # z = 1.68
        (0.30, 0.33, 3000, True),  # z = 2.50
        (0.30, 0.33, 300, False),
        (0.30, 0.36, 30, True),  # six points, whatever the accounts
        (0.0, 0.0, 0, False),
        (0.0, 0.04, 0, False),
        (0.0, 0.36, 0, False),
        (1.0, 1.0, 50, False),
    ],
)
def test_reach_has_drifted_beyond_five_points_or_beyond_sampling(
    before: float, now: float, n: int, notable: bool
) -> None:
    found = changes(validated(reach=before, n_described=n), validated(reach=now, n_described=n))["reach"]
    assert found.notable is notable
    assert ("drifted" in found.sentence) is notable


@pytest.mark.parametrize(("now", "notable"), [(0.50, False), (0.56, True)])
def test_the_base_rate_is_compared_too(now: float, notable: bool) -> None:
    people = dataclasses.replace(factory.POPULATION, mature=2000, base_rate=0.5)
    later = dataclasses.replace(people, base_rate=now)
    found = changes(validated(result={"population": people}), validated(result={"population": later}))
    assert found["base rate"].notable is notable
    assert plain(found["base rate"]).startswith("The share of all accounts that stayed")
    nobody = dataclasses.replace(people, base_rate=None)
    assert "base rate" not in changes(validated(result={"population": nobody}), validated())
    empty = dataclasses.replace(people, mature=0)
    odd = changes(validated(result={"population": empty}), validated(result={"population": later}))
    assert not odd["base rate"].notable, "a share of nobody has not drifted"


def test_fewer_accounts_are_notable_only_where_both_runs_chose_them_alike() -> None:
    more, fewer = validated(n_accounts=900), validated(n_accounts=700)
    assert not changes(fewer, more)["accounts"].notable
    assert plain(changes(fewer, more)["accounts"]) == "It rests on 200 more accounts: 900."
    assert changes(more, fewer)["accounts"].notable
    vouched = validated(n_accounts=700, result={"origin": "independent"})
    assert changes(more, vouched)["accounts"].notable, "all accounts decide, searched or not"


def registered(day: str | None, **more: Any) -> ValidationResult:
    return validated(result={"origin": "registered", "registered": day}, **more)


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (validated, registered, "judged as registered on 2025-09-20 now, judged on all accounts then"),
        (registered, validated, "judged on all accounts now, judged as registered on 2025-09-20 then"),
    ],
)
def test_accounts_chosen_otherwise_are_not_compared(before: Any, now: Any, words: str) -> None:
    def run(made_by: Any, **more: Any) -> ValidationResult:
        return registered("2025-09-20", **more) if made_by is registered else validated(**more)

    one, other = run(before, n_accounts=900, unwidened=interval(0.1)), run(now, n_accounts=700, unwidened=interval(0.3))
    found = changes(one, other)
    for what in ("accounts", "difference"):
        assert found[what].sentence.startswith(f"Not comparable: {words}")
        assert not found[what].notable
    assert "900, and now 700" in found["accounts"].sentence
    assert "It was +10.0 points [5.0, 15.0] and is +30.0 points" in found["difference"].sentence
    assert "judged then as" in str(compare(one, other).compared_with)
    assert "judged then" not in str(compare(one, one).compared_with)


def test_another_day_of_registration_chooses_other_accounts() -> None:
    found = changes(registered("2025-01-01", n_accounts=900), registered("2025-06-01", n_accounts=700))["accounts"]
    assert "Not comparable" in found.sentence
    assert not found.notable
    assert changes(registered("2025-01-01", n_accounts=900), registered("2025-01-01", n_accounts=700))[
        "accounts"
    ].notable


def test_a_run_that_judged_nobody_is_said_and_nothing_of_it_has_drifted() -> None:
    nobody = validated(reach=0.0, n_described=0, n_accounts=0, unwidened=interval(None))
    somebody = validated(reach=0.36, n_described=1539, n_accounts=1539)
    later = changes(nobody, somebody)
    assert (later["reach"].before, later["reach"].now) == ("not judged", "36 %".replace(" ", "\u202f"))
    assert later["reach"].sentence == "How many reach it was not judged then."
    assert plain(later["accounts"]) == "It was not judged then: 0 accounts then, 1,539 now."
    sooner = changes(somebody, nobody)
    assert sooner["reach"].sentence == "How many reach it is not judged now."
    assert plain(sooner["accounts"]) == "It is not judged now: 1,539 accounts then, 0 now."
    assert changes(nobody, nobody)["reach"].sentence.endswith("was not judged then and is not now.")
    for found in (later, sooner):
        assert not found["reach"].notable
        assert not found["accounts"].notable


def with_status(name: str, status: str, judged: bool = True) -> ValidationResult:
    criteria = tuple(
        dataclasses.replace(c, status=status, judged=judged) if c.name == name else c for c in made.CRITERIA
    )
    return validated(criteria=criteria)


def test_only_criteria_that_changed_are_named_and_failing_is_notable() -> None:
    fine, failing, unknown = (
        with_status("early", *how) for how in (("warn",), ("fail",), ("warn", False))
    )  # fmt: skip
    assert "criterion" not in changes(fine, fine)
    assert changes(fine, failing)["criterion"].notable
    assert changes(failing, fine)["criterion"].notable
    assert "“early” was “fail” and is “warn” now" in changes(failing, fine)["criterion"].sentence
    assert not changes(fine, unknown)["criterion"].notable
    assert changes(fine, unknown)["criterion"].now == "not judged"


def test_a_milestone_written_otherwise_is_the_same() -> None:
    one = validated(rule="b within 7d and a within 7d")
    other = validated(rule="(a and b) within 7d", reach=0.5)
    assert changes(one, other)["reach"].notable


def test_another_rule_of_the_same_events_is_named_and_nothing_of_it_is_notable() -> None:
    found = changes(validated(), validated("does not hold", "report_shared", reach=0.9, n_accounts=3))
    assert list(found) == ["verdict", "difference", "reach", "base rate"]
    assert not any(change.notable for change in found.values())
    assert f"another rule of these events, “{RULE}”" in found["verdict"].sentence
    assert found["verdict"].before == "not judged", "this rule was not"
    assert "its verdict was “holds”; that of this one is “does not hold”" in found["verdict"].sentence


def test_another_rule_of_a_study_keeps_the_word_of_the_study() -> None:
    row = factory.family(1, "report_shared", milestone="report_shared", status="found", adjusted=interval(0.1))
    found = changes(factory.study(ranking=(row,)), validated())["verdict"]
    assert (found.before, found.now, found.notable) == ("not judged", "holds", False)
    assert "its verdict was “found”; that of this one is “holds”" in found.sentence


def test_the_same_rule_goes_before_another_one_of_its_events() -> None:
    before = made.validation(made.proposal("does not hold", "report_shared"), made.proposal("holds", RULE))
    assert changes(before, validated())["verdict"].before == "holds"


def test_a_proposal_the_earlier_run_knew_nothing_of_says_so() -> None:
    for earlier in (validated(rule="login"), factory.study(names=("login",) * 5)):
        found = changes(earlier, validated())
        assert list(found) == ["verdict", "base rate"]
        assert found["verdict"].before == "not judged"
        assert "nothing to compare" in found["verdict"].sentence


@pytest.mark.parametrize(
    ("status", "verdict", "notable"),
    [
        ("found", "holds", False),
        ("found", "not enough data", True),
        ("lead", "holds", False),
        ("lead", "does not hold", False),
        ("habit", "does not hold", False),
        ("unsupported", "not enough data", False),
        ("outcome_adjacent", "holds", True),
    ],
)
def test_a_study_says_what_to_expect_of_a_verdict(status: str, verdict: str, notable: bool) -> None:
    row = factory.family(1, "report_shared", milestone=RULE, status=status, adjusted=interval(0.1))
    found = changes(factory.study(ranking=(row,)), validated(verdict))
    assert found["verdict"].notable is notable
    assert found["verdict"].before == {"found": "holds"}.get(status, status.replace("_", " "))
    assert f"The study called it “{status.replace('_', ' ')}”" in found["verdict"].sentence
    assert ("leads to expect" in found["verdict"].sentence) is not (notable or status == "lead")
    assert found["difference"].before == "+10.0 points [5.0, 15.0]"
    assert found["reach"].before.endswith("%")
    assert not found["accounts"].notable


def test_another_question_is_said_and_its_numbers_are_not_compared() -> None:
    people = dataclasses.replace(factory.POPULATION, base_rate=0.9)
    sooner = dataclasses.replace(factory.OUTCOME, by_day=30, stayed="had not left by day 30")
    before = validated(unwidened=interval(0.5), result={"outcome": sooner, "population": people})
    found = changes(before, validated())
    assert not found["difference"].notable
    assert not found["base rate"].notable
    assert "which asked for another outcome: an account that had not left by day 30" in str(
        compare(before, validated()).compared_with
    )


def test_what_was_compared_with_is_named() -> None:
    old = dataclasses.replace(
        factory.study().provenance, created_at="2025-01-31T09:30:12+00:00", version="0.1.0", input_sha256="other"
    )
    assert compare(validated(result={"provenance": old}), validated()).compared_with == (
        "validation of 2025-01-31 09:30 UTC, version 0.1.0"
    )
    assert str(compare(factory.study(), validated()).compared_with).startswith("study of ")
    assert str(compare(validated(), validated()).compared_with).endswith(", over the same input")


@pytest.mark.parametrize("earlier", [made.hostile(), made.bare(), factory.bare(), factory.telling()])
@pytest.mark.parametrize("now", [made.hostile(), made.bare(), made.several()])
def test_whatever_was_said_before_the_changes_read_well(earlier: Any, now: ValidationResult) -> None:
    compared = compare(earlier, now)
    assert dataclasses.replace(compared, proposals=now.proposals, compared_with=now.compared_with) == now
    for proposal in compared.proposals:
        assert proposal.changes
        for change in proposal.changes:
            assert not re.search(r"\bNone\b|\bnan\b|\binf\b|\bcauses?\b|\bdrives?\b", change.before + change.now)
            assert "n/a" not in change.sentence


shares = st.floats(0, 1)
sizes = st.integers(0, 10_000)


@given(shares, sizes, shares, sizes)
def test_drift_of_a_share_has_no_direction_and_equal_shares_have_none(
    before: float, n_before: int, now: float, n_now: int
) -> None:
    def notable(one: float, n_one: int, other: float, n_other: int) -> bool:
        earlier, later = validated(reach=one, n_described=n_one), validated(reach=other, n_described=n_other)
        return changes(earlier, later)["reach"].notable

    assert notable(before, n_before, now, n_now) == notable(now, n_now, before, n_before)
    assert not notable(now, n_before, now, n_now)
    assert notable(before, n_before, now, n_now) or abs(now - before) <= 0.05 or not (n_before and n_now)


def test_the_rest_of_a_proposal_is_untouched() -> None:
    now = validated()
    (compared,) = compare(validated("does not hold"), now).proposals
    assert isinstance(compared, Proposal)
    assert dataclasses.replace(compared, changes=now.proposals[0].changes) == now.proposals[0]
