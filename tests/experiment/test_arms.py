"""Who is in which arm: dates, the control by its name, planned shares, and faults that say what to write."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from discovery.errors import SpecError
from discovery.experiment import Assigned
from discovery.experiment.arms import arms_of
from discovery.spec import AssignmentSpec, Day


def variants(*values) -> dict[str, np.ndarray]:
    return {"test": np.array(values, dtype=object)}


def arms(*values, signup=None, early=None, everybody=None, **spec):
    days = np.arange(len(values)) if signup is None else np.array(signup)
    return arms_of(AssignmentSpec(column="test", **spec), days * Day, variants(*values), early, everybody)


@pytest.mark.parametrize(
    "name", ["control", "Control", "OFF", "holdout", "hold-out", "none", "baseline", "A", "0", "false", "control_group"]
)
def test_a_control_is_known_by_its_name(name):
    (pair,) = arms(name, "checklist", name, None)
    assert (pair.control, pair.variant, pair.judged) == (name, "checklist", (2, 1))


@pytest.mark.parametrize("name", ["variant A", "group a", "arm_a", "version-a"])
def test_and_by_its_letter(name):
    (pair,) = arms(name, name[:-1] + "b")
    assert pair.control == name


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("red", "blue"), "'blue', 'red'; none of them is named like a control"),
        (("control", "none", "mail"), "2 of them are named like a control"),
    ],
)
def test_a_control_that_cannot_be_told_is_asked_for(values, said):
    with pytest.raises(SpecError, match=said) as caught:
        arms(*values)
    assert 'assignment = [{column = "test", control = "..."}]' in str(caught.value)


def test_the_spec_names_the_control():
    (pair,) = arms("red", "blue", control="red")
    assert (pair.control, pair.variant) == ("red", "blue")
    with pytest.raises(SpecError, match="names the control 'green', but its variants are 'blue', 'red'"):
        arms("red", "blue", control="green")


def test_every_variant_stands_beside_the_control():
    found = arms("control", "mail", "call", "mail", None)
    assert [(pair.variant, pair.judged) for pair in found] == [("call", (1, 1)), ("mail", (1, 2))]
    assert all(pair.share == pytest.approx(0.5) for pair in found)


def test_dates_are_half_open():
    (pair,) = arms(
        *("control", "mail") * 3, signup=[9, 10, 11, 12, 19, 20], start=date(1970, 1, 11), end=date(1970, 1, 21)
    )
    assert pair.judged == (2, 2)
    (pair,) = arms(
        *("control", "mail") * 3, signup=[9, 10, 11, 12, 19, 20], start=date(1970, 1, 11), end=date(1970, 1, 20)
    )
    assert pair.judged == (1, 2)


def test_nobody_is_no_test():
    assert arms(None, None) == ()
    assert arms("control", "mail", signup=[1, 2], start=date(1980, 1, 1)) == ()


def test_early_leavers_were_assigned_too():
    early = Assigned(signup=np.array([1, 400]) * Day, assignments=variants("mail", "mail"))
    (pair,) = arms("control", "mail", early=early, end=date(1971, 1, 1))
    assert (pair.judged, pair.early, pair.assigned) == ((1, 1), (0, 1), (1, 2))


def test_planned_shares():
    (pair,) = arms("control", "mail", shares={"control": 0.9, "mail": 0.1})
    assert pair.share == pytest.approx(0.1)
    (pair,) = arms("control", "mail", shares={"mail": 0.2})
    assert pair.share == pytest.approx(0.2)
    found = arms("control", "mail", "call", shares={"control": 0.5})
    assert [pair.share for pair in found] == pytest.approx([1 / 3, 1 / 3])


def test_a_planned_variant_that_nobody_has_is_an_empty_arm():
    found = arms("control", "mail", shares={"control": 0.4, "mail": 0.3, "call": 0.3})
    assert [(pair.variant, pair.judged) for pair in found] == [("call", (1, 0)), ("mail", (1, 1))]


@pytest.mark.parametrize("shares", [{"control": 0.6, "mail": 0.6}, {"control": 0.5, "call": 0.5}])
def test_shares_that_do_not_add_up(shares):
    with pytest.raises(SpecError, match="shares of 'test' add up to"):
        arms("control", "mail", shares=shares)


def everybody(*values, signup=None):
    days = np.arange(len(values)) if signup is None else np.array(signup)
    return Assigned(signup=days * Day, assignments=variants(*values))


@pytest.mark.parametrize("control", ["", "control"])
def test_the_control_is_known_before_any_of_it_is_judged(control):
    (pair,) = arms("mail", "mail", None, everybody=everybody("mail", "mail", None, "control", "mail"), control=control)
    assert (pair.control, pair.variant, pair.judged) == ("control", "mail", (0, 2))


def test_so_is_a_variant():
    found = arms("mail", "control", everybody=everybody("mail", "control", "call", "control"))
    assert [(pair.variant, pair.judged) for pair in found] == [("call", (1, 0)), ("mail", (1, 1))]


def test_only_variants_of_this_test_are_its_arms():
    """Two tests in one column, one after the other: the other one's control does not count as a second one."""
    both = everybody("control", "mail", "off", "call", signup=[1, 2, 11, 12])
    (pair,) = arms("control", "mail", signup=[1, 2], everybody=both, end=date(1970, 1, 10))
    assert (pair.control, pair.variant) == ("control", "mail")


@pytest.mark.parametrize("control", ["", "control"])
def test_a_control_outside_the_dates_is_an_empty_arm(control):
    both = everybody("control", "mail", signup=[1, 20])
    (pair,) = arms("mail", signup=[20], everybody=both, start=date(1970, 1, 10), control=control)
    assert (pair.control, pair.judged) == ("control", (0, 1))


def test_a_planned_control_need_not_be_there_yet():
    (pair,) = arms("mail", "mail", shares={"control": 0.5, "mail": 0.5})
    assert (pair.control, pair.judged) == ("control", (0, 2))


def test_nobody_in_the_test_yet_is_no_test_though_some_are_assigned():
    assert arms(None, None, everybody=everybody(None, "control", "mail")) == ()
