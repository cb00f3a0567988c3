"""What is asked is checked once, at the door: names, types, ranges, and what contradicts what."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.errors import SpecError
from discovery.spec import Day, StudySpec, build_spec, load_spec, override


def test_an_empty_spec_is_the_documented_defaults() -> None:
    spec = build_spec({})
    assert spec == StudySpec()
    assert (spec.candidates.window_days, spec.outcome.by_day, spec.outcome.active_days) == (14, 90, (21, 28))
    assert (spec.inference.alpha, spec.inference.minimum_effect, spec.ladder.necessity) == (0.05, 0.03, 0.8)


@pytest.mark.parametrize("motion", ["", "plg", "sales", "enterprise"])
def test_the_motion_of_the_product_is_one_of_three_or_not_said(motion: str) -> None:
    assert build_spec({"product": {"motion": motion}}).product.motion == motion
    assert build_spec({}).product.motion == ""


def test_the_sections_stand_in_the_order_of_the_documented_file() -> None:
    order = "events accounts identity product outcome kinds candidates inference experiment ladder"
    assert list(build_spec({}).as_dict()) == order.split()


def test_a_day_is_counted_in_microseconds() -> None:
    assert Day == 24 * 60 * 60 * 1_000_000


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"outcomes": {}}, "unknown key 'outcomes' (did you mean 'outcome'?)"),
        ({"outcome": {"by_dya": 60}}, "unknown key 'outcome.by_dya' (did you mean 'by_day'?)"),
        ({"ladder": {"zzz": 1}}, "unknown key 'ladder.zzz' (known: rungs, necessity)"),
        ({"events": {"fromm": "a.csv"}}, "did you mean 'from'?"),
        ({"outcome": {"by_day": "soon"}}, "outcome.by_day"),
        ({"outcome": {"by_day": 0}}, "outcome.by_day"),
        ({"outcome": 5}, "outcome"),
        ({"outcome": {"kind": "loved"}}, "(given: 'loved')"),
        ({"outcome": {"active_days": [28, 21]}}, "the first before the second"),
        ({"outcome": {"active_days": [21]}}, "outcome.active_days"),
        ({"outcome": {"by_day": 14}}, "outcome.by_day = 14 is not after the 14-day observation window"),
        ({"outcome": {"kind": "active", "active_days": [7, 28]}}, "starts on day 7, inside the 14-day"),
        ({"events": {"timezone": "Mars/Olympus"}}, "'Mars/Olympus' is not a time zone name"),
        ({"events": {"timezone": "localtime"}}, "'localtime' is not the name of one time zone"),
        ({"events": {"timezone": "posix/Europe/Berlin"}}, "'posix/Europe/Berlin' is not the name of one time zone"),
        ({"events": {"timezone": "right/UTC"}}, "write it as in UTC or Europe/Berlin"),
        ({"outcome": {"passive": "a"}}, 'outcome.passive: should be a list, as in ["a", "b"] (given: \'a\')'),
        ({"accounts": {"segments": "plan"}}, 'accounts.segments: should be a list, as in ["a", "b"]'),
        ({"kinds": {"value": "a"}}, 'kinds.value: should be a list, as in ["a", "b"]'),
        ({"candidates": {"at_least": 3}}, "candidates.at_least: should be a list, as in [1, 2] (given: 3)"),
        ({"outcome": {"active_days": "21-28"}}, "outcome.active_days: should be a list, as in [1, 2]"),
        ({"events": {"duplicates": "maybe"}}, "events.duplicates"),
        ({"kinds": {"setup": ["a"], "value": ["a"]}}, "event 'a' is listed as both setup and value; keep one"),
        ({"candidates": {"within_days": [7, 30]}}, "within_days [30] lie beyond window_days = 14"),
        ({"candidates": {"at_least": []}}, "at least one whole number"),
        ({"candidates": {"min_users": [0, 1]}}, "none below 1"),
        ({"candidates": {"min_reach": 0.9, "max_reach": 0.5}}, "min_reach must be below max_reach"),
        ({"product": {"motion": "self-serve"}}, "product.motion: Input should be '', 'plg', 'sales' or 'enterprise'"),
        ({"product": {"motions": "plg"}}, "unknown key 'product.motions' (did you mean 'motion'?)"),
        ({"inference": {"alpha": 0.7}}, "inference.alpha"),
        ({"inference": {"seed": -1}}, "inference.seed"),
        ({"inference": {"minimum_effect": float("nan")}}, "inference.minimum_effect"),
        ({"ladder": {"rungs": [5, 3]}}, "a smallest and a largest number"),
        ({"ladder": {"necessity": 0.4}}, "ladder.necessity"),
    ],
)
def test_a_faulty_spec_is_refused_in_words(values: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError, match="is not valid") as error:
        build_spec(values)
    assert said in str(error.value)


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(SpecError) as error:
        build_spec({"outcome": {"by_dya": 1, "kind": "x"}, "inference": {"alpha": 2}}, origin="study.toml")
    message = str(error.value)
    assert message.startswith("study.toml is not valid")
    assert all(name in message for name in ("by_dya", "outcome.kind", "inference.alpha"))


def test_a_spec_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        build_spec({}).outcome.by_day = 30  # type: ignore[misc]


def test_at_least_is_sorted_without_repeats() -> None:
    assert build_spec({"candidates": {"at_least": [5, 1, 5]}}).candidates.at_least == (1, 5)


def test_the_kind_of_an_event_is_the_users_word() -> None:
    kinds = build_spec({"kinds": {"vanity": ["tour_watched"]}}).kinds
    assert (kinds.of("tour_watched"), kinds.of("report_shared")) == ("vanity", None)


def test_a_file_is_read_and_its_paths_are_relative_to_it(tmp_path: Path) -> None:
    path = tmp_path / "discover.toml"
    path.write_text('[events]\nfrom = "in/*.csv"\n[accounts]\nfrom = "s3://bucket/a.csv"\n', encoding="utf-8")
    spec = load_spec(path, ["outcome.by_day=60"])
    assert spec.events.source == str(tmp_path / "in/*.csv")
    assert spec.accounts.source == "s3://bucket/a.csv"
    assert spec.outcome.by_day == 60


def test_an_absolute_path_and_a_byte_order_mark_are_kept_out_of_trouble(tmp_path: Path) -> None:
    path = tmp_path / "discover.toml"
    elsewhere = tmp_path / "elsewhere" / "e.csv"
    path.write_text(f"[events]\nfrom = '{elsewhere}'\n", encoding="utf-8-sig")
    assert load_spec(path).events.source == str(elsewhere)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "There is no spec at"),
        (b"[events\n", "is not valid TOML"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"[outcome]\nby_dya = 3\n", "did you mean 'by_day'?"),
        (b"events = 3\n", "events"),
    ],
)
def test_a_bad_file_is_one_clear_message(content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "discover.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SpecError) as error:
        load_spec(path)
    assert said in str(error.value)
    assert str(path) in str(error.value)


def test_a_folder_is_not_a_spec(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read"):
        load_spec(tmp_path)


@pytest.mark.parametrize(
    ("setting", "held"),
    [
        ("outcome.by_day=60", {"outcome": {"by_day": 60}}),
        ("outcome.kind=active", {"outcome": {"kind": "active"}}),
        ('outcome.kind="active"', {"outcome": {"kind": "active"}}),
        ("outcome.active_days=[29, 90]", {"outcome": {"active_days": [29, 90]}}),
        ("events.from=a=b.csv", {"events": {"from": "a=b.csv"}}),
        ("events.from=s3://bucket/*.csv", {"events": {"from": "s3://bucket/*.csv"}}),
        (" outcome.by_day = 60 ", {"outcome": {"by_day": 60}}),
    ],
)
def test_a_setting_overrides_one_value(setting: str, held: dict[str, Any]) -> None:
    before = {"outcome": {"passive": ["x"]}, "events": {"user": "u"}}
    values = {name: dict(section) for name, section in before.items()}
    after = override(values, [setting])
    assert after == {name: section | held.get(name, {}) for name, section in before.items()}
    assert values == before


@pytest.mark.parametrize("setting", ["by_day=60", "outcome.by_day", "=3", "outcome.=3", ".by_day=3", ""])
def test_a_setting_of_another_form_is_refused(setting: str) -> None:
    with pytest.raises(SpecError, match=r"section\.key=value"):
        override({}, [setting])


@pytest.mark.parametrize("value", ["60\nkind = 'active'", "60\r\n1", "a\nb", "[\n21, 28]", "60\r1"])
def test_a_setting_of_several_lines_is_refused(value: str) -> None:
    with pytest.raises(SpecError, match="holds several lines"):
        override({}, [f"outcome.by_day={value}"])
    assert override({}, ["outcome.by_day=60\n"]) == {"outcome": {"by_day": 60}}


def test_a_setting_below_a_plain_value_is_refused() -> None:
    with pytest.raises(SpecError, match="is a value in the spec, not a section"):
        override({"outcome": 3}, ["outcome.by_day=60"])


specs = st.fixed_dictionaries(
    {
        "events": st.fixed_dictionaries({"from": st.text(max_size=20), "user": st.text(max_size=5)}),
        "accounts": st.fixed_dictionaries({"segments": st.lists(st.text(max_size=5), max_size=3)}),
        "outcome": st.fixed_dictionaries({"by_day": st.integers(31, 3650)}),
        "candidates": st.fixed_dictionaries(
            {"window_days": st.integers(14, 30), "at_least": st.lists(st.integers(1, 99), min_size=1, max_size=4)}
        ),
        "inference": st.fixed_dictionaries({"alpha": st.floats(0.001, 0.4), "seed": st.integers(0, 2**31)}),
    }
)


@given(specs)
def test_the_spec_as_plain_values_builds_the_same_spec(values: dict[str, Any]) -> None:
    spec = build_spec(values)
    again = build_spec(spec.as_dict())
    assert again == spec
    assert again.sha256() == spec.sha256()


def test_different_questions_have_different_digests() -> None:
    asked = [{}, {"outcome": {"by_day": 60}}, {"inference": {"seed": 1}}, {"accounts": {"segments": []}}]
    assert len({build_spec(values).sha256() for values in asked}) == len(asked)


def test_dates_in_a_spec_are_read(tmp_path: Path) -> None:
    values = tomllib.loads("[accounts]\nobserved_until = 2026-03-01\n")
    assert str(build_spec(values).accounts.observed_until) == "2026-03-01"
    assert build_spec(build_spec(values).as_dict()).sha256() == build_spec(values).sha256()


@pytest.mark.parametrize("given", ["variant", {"column": "variant"}, ["variant"], [{"column": "variant"}]])
def test_an_assignment_may_be_named_alone(given):
    (test,) = build_spec({"experiment": {"assignment": given}}).experiment.assignment
    assert test.column == "variant"


def test_an_assignment_is_named_once():
    with pytest.raises(SpecError, match="twice"):
        build_spec({"experiment": {"assignment": ["variant", "variant"]}})
