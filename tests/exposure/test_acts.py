"""Events with tests of their properties, against answers computed row by row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from discovery.errors import InputError
from discovery.exposure import (
    EventColumns,
    Exposure,
    candidate_flags,
    flag,
    measure,
    met_between,
    pair_flags,
    reach_times,
    used_again,
    user_counts,
    weekly_presence,
    weekly_rows,
    with_acts,
)
from discovery.milestone import Condition, Milestone, PropertyTest
from discovery.spec import Day

from .naive_log import ACCOUNTS, EVENTS, NAMES, SmallBatches
from .naive_properties import (
    PROPERTIES,
    PropertyLog,
    PropertyRow,
    lay,
    meets,
    milestones,
    naive_moments,
    property_logs,
)

WINDOWS = (Day, 7 * Day)


def columns_of(log: PropertyLog) -> EventColumns:
    return EventColumns(properties=PROPERTIES, has_creator=log.with_creator)


def measured(engine: SmallBatches, log: PropertyLog, *asked: Milestone) -> Exposure:
    lay(engine, log)
    acts = [act for milestone in asked for act in milestone.acts]
    return measure(engine, EVENTS, ACCOUNTS, log.n_accounts, WINDOWS, 14 * Day, acts, columns_of(log))


def simple_log(*values: str | None, event: str = NAMES[0]) -> PropertyLog:
    """One account a row, an hour after its signup."""
    rows = (PropertyRow(i, event, f"u{i}", Day // 24, (value, None), None) for i, value in enumerate(values))
    return PropertyLog(tuple(rows), len(values), False)


@settings(max_examples=40, deadline=None)
@given(log=property_logs(), milestone=milestones)
def test_flags_and_times_equal_a_walk_over_the_rows(
    engine: SmallBatches, log: PropertyLog, milestone: Milestone
) -> None:
    exposure, everyone = measured(engine, log, milestone), np.arange(log.n_accounts)
    expected = naive_moments(log, milestone)
    assert flag(exposure, everyone, milestone).tolist() == np.isfinite(expected).tolist()
    days = reach_times(engine, EVENTS, ACCOUNTS, log.n_accounts, milestone, 14 * Day, columns_of(log))
    assert days.tolist() == expected.tolist()


@settings(max_examples=20, deadline=None)
@given(log=property_logs(), one=milestones, other=milestones)
def test_what_is_measured_of_acts_counts_nothing_twice(
    engine: SmallBatches, log: PropertyLog, one: Milestone, other: Milestone
) -> None:
    """The plain aggregates are the same with and without; an act's counts do not depend on those beside it."""
    plain, both, alone = measured(engine, log), measured(engine, log, one, other), measured(engine, log, one)
    assert (plain.events, plain.counts.tolist()) == (both.events, both.counts.tolist())
    for act in one.acts:
        (first, rows), (second, others) = both.part_of(act), alone.part_of(act)
        assert first.counts[:, rows].tolist() == second.counts[:, others].tolist()
        met = [r for r in log.rows if r.event == act.event and all(meets(log, r, test) for test in act.where)]
        assert int(first.counts[-1, rows].sum()) == sum(0 <= row.t < 14 * Day for row in met)


@settings(max_examples=20, deadline=None)
@given(log=property_logs(), milestone=milestones)
def test_use_in_later_weeks_and_the_users_who_did_it_respect_the_tests(
    engine: SmallBatches, log: PropertyLog, milestone: Milestone
) -> None:
    lay(engine, log)
    columns = columns_of(log)
    days = naive_moments(log, milestone)
    own = [r for r in log.rows if any(_is(log, r, act) for act in milestone.acts)]
    weeks = np.zeros((log.n_accounts, 2), dtype=bool)
    for row in own:
        since = (row.t / Day - days[row.account] - 1) // 7 if np.isfinite(days[row.account]) else -1
        if since in (0, 1):
            weeks[row.account, int(since)] = True
    again = used_again(engine, EVENTS, ACCOUNTS, log.n_accounts, milestone, 14 * Day, 2, columns)
    assert again.tolist() == weeks.tolist()
    inside = [r for r in own if r.user is not None and 0 <= r.t < 14 * Day]
    counts = user_counts(
        engine,
        with_acts(EVENTS, milestone.acts, columns),
        ACCOUNTS,
        log.n_accounts,
        [act.act_name for act in milestone.acts],
        14 * Day,
    )
    assert counts.did.tolist() == [len({r.user for r in inside if r.account == a}) for a in range(log.n_accounts)]


def _is(log: PropertyLog, row: PropertyRow, act: Condition) -> bool:
    return row.event == act.event and all(meets(log, row, test) for test in act.where)


def test_ways_between_two_milestones_begin_and_end_where_their_tests_are_met(engine: SmallBatches) -> None:
    rows = [
        PropertyRow(0, NAMES[0], "u", hour * Day // 24, (value, None), None)
        for hour, value in enumerate(["link", "email", "link"])
    ]
    rows += [PropertyRow(0, NAMES[1], "u", Day // 48 * (2 * hour + 1), (None, None), None) for hour in (0, 1, 2)]
    log = PropertyLog(tuple(rows), 1, False)
    lay(engine, log)
    email = Milestone.parse(f'{NAMES[0]}[channel = "email"]')
    columns = columns_of(log)
    way = met_between(engine, EVENTS, ACCOUNTS, 1, email, None, 14 * Day, columns=columns)
    assert way.first_days(NAMES[1]) == pytest.approx([0.5 / 24])
    before = met_between(engine, EVENTS, ACCOUNTS, 1, None, email, 14 * Day, columns=columns)
    assert before.first_days(NAMES[1]) == pytest.approx([0.5 / 24])
    assert len(before.events) == 2


def test_opened_acts_are_candidates_of_their_event_after_its_plain_ones(engine: SmallBatches) -> None:
    log = simple_log("email", "email", "link", None, None)
    acts = [Condition(NAMES[0], where=(PropertyTest("channel", "=", value),)) for value in ("email", "link", "fax")]
    exposure = measured(engine, PropertyLog(log.rows, 7, False), Milestone(tuple(acts)))
    flags = candidate_flags(exposure, np.arange(7), (1, 2), (1, 7, 14), (1,), opened=acts)
    assert [str(condition) for condition in flags.conditions] == [
        "report_shared within 14d",
        'report_shared[channel = "email"] within 14d',
        'report_shared[channel = "link"] within 14d',
    ]
    assert flags.event_of.tolist() == [0, 0, 0]
    assert flags.reached().tolist() == [5, 2, 1]


def test_an_act_that_the_same_accounts_met_as_the_plain_event_is_no_candidate(engine: SmallBatches) -> None:
    log = PropertyLog(simple_log("email", "email").rows, 3, False)
    act = Condition(NAMES[0], where=(PropertyTest("channel", "=", "email"),))
    exposure = measured(engine, log, Milestone((act,)))
    flags = candidate_flags(exposure, np.arange(3), (1, 3), (7, 14), (1,), opened=[act])
    assert [str(condition) for condition in flags.conditions] == ["report_shared within 14d"]


def test_a_test_that_was_not_measured_is_never_taken_for_the_plain_event(engine: SmallBatches) -> None:
    exposure = measured(engine, simple_log("email"), Milestone.parse('report_shared[channel = "email"]'))
    with pytest.raises(InputError, match=r"report_shared\[channel = \"link\"\] was not measured"):
        flag(exposure, np.arange(1), Milestone.parse('report_shared[channel = "link"]'))
    with pytest.raises(InputError, match=r"'chanel' was not read.*nearest that were read are 'channel'"):
        reach_times(
            engine,
            EVENTS,
            ACCOUNTS,
            1,
            Milestone.parse("report_shared[chanel = 1]"),
            14 * Day,
            EventColumns(properties=PROPERTIES),
        )


def test_an_event_named_like_an_act_is_another_one(engine: SmallBatches) -> None:
    name = 'report_shared[channel = "email"]'
    rows = (*simple_log("email", "link").rows, PropertyRow(1, name, "u", 5, ("email", None), None))
    asked = Milestone.parse(name)
    exposure = measured(engine, PropertyLog(rows, 2, False), asked)
    assert flag(exposure, np.arange(2), asked).tolist() == [True, False]
    assert flag(exposure, np.arange(2), Milestone.of(name)).tolist() == [False, True]


def test_thousands_of_acts_cost_one_query(engine: SmallBatches) -> None:
    acts = [Condition(NAMES[0], where=(PropertyTest("channel", "=", f"v{i}"),)) for i in range(500)]
    lay(engine, simple_log("v3", "v499", "v500"))
    exposure = measure(engine, EVENTS, ACCOUNTS, 3, WINDOWS, 14 * Day, acts, EventColumns(properties=PROPERTIES))
    assert exposure.of_acts is not None
    assert len(exposure.acts) == 500
    assert exposure.of_acts.events == ('report_shared[channel = "v3"]', 'report_shared[channel = "v499"]')


def test_pairs_are_made_of_plain_rules_alone(engine: SmallBatches) -> None:
    rows = [
        PropertyRow(i, event, f"u{i}", Day // 24, (("email", "link")[i % 2], None), None)
        for i in range(12)
        for place, event in enumerate(NAMES[:2])
        if i % (place + 2)
    ]
    acts = [Condition(event, where=(PropertyTest("channel", "=", "email"),)) for event in NAMES[:2]]
    exposure = measured(engine, PropertyLog(tuple(rows), 12, False), Milestone(tuple(acts)))
    flags = candidate_flags(exposure, np.arange(12), (1,), (7, 14), (1,), opened=acts)
    assert any(condition.where for condition in flags.conditions)
    pairs = pair_flags(flags, [0, 1], max_phi=1.0)
    assert len(pairs) > 0
    assert not any(flags.conditions[cell].where for cell in pairs.cells)


def test_of_several_users_at_once_the_smallest_by_its_bytes_is_the_first(engine: SmallBatches) -> None:
    rows = [PropertyRow(0, NAMES[0], user, 5, (None, None), None) for user in ("b", "Ü", "Z", "a")]
    rows += [
        PropertyRow(0, NAMES[1], None, 1, (None, None), None),
        PropertyRow(0, NAMES[1], "Z", 9, (None, None), None),
    ]
    log = PropertyLog(tuple(rows), 1, False)
    asked = Milestone.parse(f'{NAMES[0]}[by_other = true] >= 3 and "{NAMES[1]}"[by_other = false]')
    assert flag(measured(engine, log, asked), np.arange(1), asked).tolist() == [True]


def test_rows_that_do_not_meet_the_test_are_no_use_in_later_weeks(engine: SmallBatches) -> None:
    rows = [
        PropertyRow(0, NAMES[0], "u", days * Day, (value, None), None)
        for days, value in ((0, "email"), (2, "link"), (9, "email"))
    ]
    log = PropertyLog(tuple(rows), 1, False)
    lay(engine, log)
    asked = Milestone.parse(f'{NAMES[0]}[channel = "email"]')
    again = used_again(engine, EVENTS, ACCOUNTS, 1, asked, 14 * Day, 2, columns_of(log))
    assert again.tolist() == [[False, True]]


def test_an_event_called_like_an_act_is_not_counted_with_it(engine: SmallBatches) -> None:
    milestone = Milestone.parse(f'{NAMES[0]}[channel = "email"]')
    (act,) = milestone.acts
    rows = [
        PropertyRow(0, name, "u", hour * Day // 24, (value, None), None)
        for hour, (name, value) in enumerate(
            [(NAMES[0], "email"), (act.act_name, None), (act.act_name, "email"), ("other", None)]
        )
    ]
    log = PropertyLog(tuple(rows), 1, False)
    lay(engine, log)
    table = with_acts(EVENTS, milestone.acts, columns_of(log))
    assert weekly_rows(engine, table, (act.act_name,), -28 * Day, 28 * Day).counts.sum() == 1
    assert weekly_rows(engine, table, (), -28 * Day, 28 * Day).everything.sum() == 5


def test_the_first_user_is_not_one_of_a_stray_row_before_the_log(engine: SmallBatches) -> None:
    rows = [
        PropertyRow(0, NAMES[0], user, hour * Day // 24, (None, None), None)
        for user, hour in (("bot", -9_000), ("owner", 1), ("owner", 2), ("mate", 3))
    ]
    log = PropertyLog(tuple(rows), 1, False)
    lay(engine, log)
    moments = {
        (since, value): reach_times(
            engine,
            EVENTS,
            ACCOUNTS,
            1,
            Milestone.parse(f"{NAMES[0]}[by_other = {value}]"),
            14 * Day,
            EventColumns(properties=PROPERTIES, log_start=since),
        )[0]
        for since in (None, -Day, Day // 24)
        for value in ("true", "false")
    }
    assert moments == {
        (None, "true"): 1 / 24,
        (None, "false"): np.inf,
        **{(since, value): hour / 24 for since in (-Day, Day // 24) for value, hour in (("true", 3), ("false", 1))},
    }


def test_the_weeks_in_which_rows_have_a_property_are_counted(engine: SmallBatches) -> None:
    rows = [
        PropertyRow(
            0, NAMES[place % 2], "u", place * Day, ("x" if place % 4 == 0 else None, None), "c" if place else None
        )
        for place in range(28)
    ]
    log = PropertyLog(tuple(rows), 1, True)
    lay(engine, log)
    for name, known in ((PROPERTIES[0], lambda row: row.values[0]), ("by_other", lambda row: row.creator)):
        found = weekly_presence(engine, EVENTS, (NAMES[0], name), columns_of(log), 0, 28 * Day - 1)
        weeks = [[row for row in rows if row.event == NAMES[0] and (row.t // Day - 4) // 7 == w] for w in range(3)]
        assert found[0].tolist() == [len(week) for week in weeks]
        assert found[1].tolist() == [sum(known(row) is not None for row in week) for week in weeks]
