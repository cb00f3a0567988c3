"""Results are frozen, and their JSON is exact: null for the unknown, nine digits, the same bytes each time."""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report import factory, validation_factory

from discovery import results
from discovery.errors import Caution, SourceError
from discovery.results import (
    SCHEMA,
    CandidateTable,
    CheckResult,
    Estimate,
    FamilyStatus,
    Ladder,
    OutcomeSummary,
    Population,
    Provenance,
    QualityFinding,
    RankedFamily,
    RecognisedColumn,
    Rung,
    StudyResult,
    ValidationResult,
    Verdict,
    as_json_values,
    read_earlier,
    read_ladder,
    read_result,
    read_validation,
)

HOSTILE = '<script>alert("1")</script> \u2028 é'


def family(**changes: Any) -> RankedFamily:
    estimate = Estimate(estimate=0.1, ci_lower=0.0, ci_upper=0.2, scale="risk difference", n_accounts=10)
    held: dict[str, Any] = {
        "rank": 1, "family": HOSTILE, "milestone": f'"{HOSTILE}"', "conditions": ({"event": HOSTILE, "where": []},),
        "status": "lead", "kind": None, "reach": 1 / 3, "n_reached": 5, "retained_if_reached": math.nan,
        "retained_if_not": 0.5, "lift": math.inf, "phi": 0.2, "odds_ratio": 2.0, "adjusted": estimate,
        "naive_difference": estimate, "hazard_ratio": None, "adjusted_odds_ratio": None, "score": 4.0,
        "p_adjusted": 1.23456789012e-7, "q_value": 0.01, "warnings": (Caution.RARE_FLAG,),
    }  # fmt: skip
    return RankedFamily(**(held | changes))


def study(**changes: Any) -> StudyResult:
    rung = Rung(
        milestone="a", role="required", n_accounts=10, reach=0.5, n_reached=5, step_conversion=None, median_days=1.0,
        dropped=5,
    )  # fmt: skip
    steps = Ladder(rank=1, milestone="a", persona=None, status="lead", sentence="", n_accounts=10, rungs=(rung,))
    held: dict[str, Any] = {
        "verdict": Verdict(status="lead", milestone="a", sentence="A lead."),
        "population": Population(
            accounts=10, excluded=0, before_log=0, not_observed_to_landmark=0, decided_before_landmark=0,
            landmark=10, mature=10, retained=5, base_rate=0.5,
        ),
        "outcome": OutcomeSummary(
            kind="retained", stayed="stayed", left="left", inferred=True, by_day=90, active_days=None,
            window_days=14, has_departures=True,
        ),
        "ranking": (family(), family(rank=None, status="passive")),
        "ladders": (steps,),
        "quality": (), "recognised": (), "second_opinion": (), "curves": (), "searched": 3, "settings": {},
        "provenance": Provenance(
            version="0", spec_sha256="", input_sha256="", seed=0, seconds=0.1, events_rows=1, created_at="",
        ),
        "candidates": CandidateTable(columns={"family": ["a", "b", "c"], "reach": [0.1, 0.2, 0.3]}),
    }  # fmt: skip
    return StudyResult(**(held | changes))


def result_classes() -> list[type]:
    return [value for value in vars(results).values() if inspect.isclass(value) and dataclasses.is_dataclass(value)]


@pytest.mark.parametrize("result_class", result_classes())
def test_results_are_frozen_and_keyword_only(result_class: type) -> None:
    parameters = result_class.__dataclass_params__  # type: ignore[attr-defined]
    assert parameters.frozen
    assert all(field.kw_only for field in dataclasses.fields(result_class))
    assert result_class.__doc__


def test_json_holds_the_promised_top_level_fields() -> None:
    written = json.loads(study().to_json())
    assert written["schema"] == SCHEMA == 1
    promised = {"verdict", "population", "ranking", "personas", "ladders", "quality", "provenance"}
    assert promised <= set(written)
    assert "candidates" not in written


def test_json_holds_the_promised_fields_of_a_family() -> None:
    row = study().to_dict()["ranking"][0]
    promised = (
        "rank family milestone conditions status kind reach retained_if_reached retained_if_not lift phi odds_ratio "
        "adjusted naive_difference hazard_ratio score p_adjusted q_value stability equivalent cluster "
        "median_days_to_reach e_value explained_away warnings"
    )
    assert set(promised.split()) <= set(row)
    estimate = {"estimate", "ci_lower", "ci_upper", "scale", "estimand", "n_accounts", "status"}
    assert estimate <= set(row["adjusted"])


def test_json_holds_the_promised_fields_of_verdict_population_and_rung() -> None:
    written = study().to_dict()
    verdict = {"status", "milestone", "sentence", "persona", "minimum_detectable", "accounts_needed"}
    population = (
        "accounts excluded before_log decided_before_landmark not_observed_to_landmark landmark mature retained "
        "base_rate"
    )
    rung = "milestone role reach step_conversion median_days dropped errors_at_drop alternatives warnings"
    assert verdict <= set(written["verdict"])
    assert set(population.split()) <= set(written["population"])
    assert set(rung.split()) <= set(written["ladders"][0]["rungs"][0])


def test_unknown_is_null_and_floats_carry_nine_digits() -> None:
    row = json.loads(study().to_json())["ranking"][0]
    assert row["retained_if_reached"] is None
    assert row["lift"] is None
    assert row["reach"] == 0.333333333
    assert row["p_adjusted"] == 1.23456789e-7
    assert row["warnings"] == ["rare_flag"]
    assert row["family"] == HOSTILE


def test_the_same_result_is_the_same_text() -> None:
    assert study().to_json() == study().to_json()


def test_frame_has_a_row_per_family_and_spreads_estimates() -> None:
    frame = study().to_frame()
    assert frame["family"].tolist() == [HOSTILE, HOSTILE]
    assert frame.loc[0, ["adjusted_estimate", "adjusted_ci_lower", "adjusted_ci_upper"]].tolist() == [0.1, 0.0, 0.2]
    assert "adjusted" not in frame


def test_frame_of_an_empty_ranking_is_empty() -> None:
    assert len(study(ranking=()).to_frame()) == 0


def test_candidates_have_a_length_and_a_frame() -> None:
    table = study().candidates
    assert len(table) == 3
    assert table.to_frame()["reach"].tolist() == [0.1, 0.2, 0.3]
    assert len(CandidateTable(columns={})) == 0


@pytest.mark.parametrize(("severity", "stops"), [("info", False), ("warning", False), ("error", True)])
def test_only_errors_stop_a_run(severity: Any, stops: bool) -> None:
    finding = QualityFinding(
        code="x", severity=severity, message="x", count=1, share=math.nan, examples=("a",), remedy="mend it"
    )
    column = RecognisedColumn(table="events", role="time", column=None, source="not found", reason="none")
    check = CheckResult(quality=(finding,), recognised=(column,), accounts=1, events_rows=1, events_used=1)
    assert check.has_errors is stops
    assert json.loads(check.to_json())["quality"][0]["share"] is None
    assert check.to_frame()["code"].tolist() == ["x"]


def test_unranked_statuses_are_statuses() -> None:
    assert set(results.UNRANKED) < set(get_args(FamilyStatus))


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(plain)
def test_json_values_are_finite_and_stable(value: Any) -> None:
    once = as_json_values(value)
    text = json.dumps(once, allow_nan=False)
    assert json.dumps(as_json_values(once), allow_nan=False) == text
    assert as_json_values(json.loads(text)) == once


def test_a_written_result_reads_back_to_the_same_text(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(study().to_json(), encoding="utf-8")
    assert read_result(path).to_json() == study().to_json()


def test_a_ladder_is_taken_by_its_number(tmp_path: Path) -> None:
    first = study().ladders[0]
    two = study(ladders=(first, dataclasses.replace(first, rank=2, milestone="b")))
    path = tmp_path / "result#of#may.json"
    path.write_text(two.to_json(), encoding="utf-8")
    assert read_ladder(f"{path}#2")[1].milestone == "b"
    assert read_ladder(f"{path}#1")[1] == first
    with pytest.raises(SourceError, match=r"no ladder 3. It has 2: #1 to a; #2 to b"):
        read_ladder(f"{path}#3")


def test_a_result_of_aggregates_says_why_it_has_no_ladder(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    for quality, says in (
        ((), "none: no milestone was supported"),
        (factory.of_aggregates().quality, "aggregates do not say"),
    ):
        path.write_text(study(ladders=(), quality=quality).to_json(), encoding="utf-8")
        with pytest.raises(SourceError, match=says):
            read_ladder(str(path))


def test_without_a_number_the_first_ladder_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(study().to_json(), encoding="utf-8")
    assert read_ladder(str(path))[1].rank == 1
    path.write_text(study(ladders=()).to_json(), encoding="utf-8")
    with pytest.raises(SourceError, match="It has none"):
        read_ladder(str(path))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "There is no file"),
        ("{", "cannot be read as JSON"),
        ("[]", "is not a result of schema 1"),
        ('{"schema": 2}', "is not a result of schema 1"),
        ('{"schema": 1}', "do not fit"),
    ],
)
def test_what_is_no_result_is_refused_in_words(text: str | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=words):
        read_result(path)


def written(result: Any, folder: Path, name: str = "some.json") -> Path:
    path = folder / name
    path.write_text(result.to_json(), encoding="utf-8")
    return path


VALIDATIONS = {
    "several": validation_factory.several(),
    "hostile": validation_factory.hostile(),
    "bare": validation_factory.bare(),
    "sparse": validation_factory.validation(validation_factory.sparse()),
}


@pytest.mark.parametrize("made", VALIDATIONS.values(), ids=VALIDATIONS)
def test_a_written_validation_reads_back_to_the_same_text(made: Any, tmp_path: Path) -> None:
    back = read_validation(written(made, tmp_path))
    assert json.loads(back.to_json()) == json.loads(made.to_json())
    assert [type(one) for one in back.proposals] == [type(one) for one in made.proposals]
    again = read_validation(written(back, tmp_path))
    assert again == back
    assert again.to_json() == back.to_json()


def test_an_earlier_run_is_told_by_what_it_holds(tmp_path: Path) -> None:
    validation, plain = validation_factory.several(), study()
    assert isinstance(read_earlier(written(validation, tmp_path, "result.json")), ValidationResult)
    assert read_earlier(written(plain, tmp_path, "validation.json")).to_json() == plain.to_json()


def test_a_ladder_keeps_its_experiment(tmp_path: Path) -> None:
    ladder = dataclasses.replace(study().ladders[0], experiment=validation_factory.plan())
    (read,) = read_result(written(study(ladders=(ladder,)), tmp_path)).ladders
    assert as_json_values(read.experiment) == as_json_values(validation_factory.plan())


def test_one_kind_of_result_given_for_the_other_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"is a validation, not a study. Give the result\.json"):
        read_result(written(validation_factory.bare(), tmp_path))
    with pytest.raises(SourceError, match=r"is a study, not a validation. Give the validation\.json"):
        read_validation(written(factory.study(), tmp_path))


@pytest.mark.parametrize("read", [read_validation, read_earlier])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "There is no file"),
        ("{", "cannot be read as JSON"),
        ("[]", "is not a result of schema 1"),
        ('{"schema": 2, "proposals": []}', r"Give the validation\.json that discover validate has written"),
        ('{"schema": 1, "proposals": [{}]}', "do not fit"),
    ],
)
def test_what_is_no_validation_is_refused_in_words(read: Any, text: str | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "validation.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=words):
        read(path)
