"""The pictures of a ladder: nothing overlaps or is cut off, and what they show is what the result says."""

from __future__ import annotations

import dataclasses
import itertools
from xml.etree import ElementTree

import matplotlib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.text import Text

from discovery import plots, wording
from discovery.plots import canvas
from discovery.plots.rung_times import _apart
from discovery.results import Between, Branch, Estimate, Funnel, FunnelRow, Rung

from . import factory

SVG = "{http://www.w3.org/2000/svg}"
LONG = tuple(
    f"workspace_integration_connected_by_a_user_{i} >= 3 within 14d and follow_up_sent and W{'w' * 90}"
    for i in range(5)
)
NAMES = {
    "plain": factory.PLAIN_NAMES,
    "hostile": factory.HOSTILE_NAMES[:5],
    "more hostile": factory.HOSTILE_NAMES[5:],
    "long": LONG,
    "empty": ("", " ", "a", "\n", "_"),
}


def routed(names):
    """A ladder with two routes, each through two rungs, and seven rungs in all."""
    ladder = factory.full_ladder(names=names, persona="channel=" + names[2], status="lead")
    first, second, third, *others = ladder.rungs
    branches = tuple(
        dataclasses.replace(branch, milestone=name) for branch, name in zip(first_ways(ladder), names[:2], strict=True)
    )
    again = dataclasses.replace(third, alternatives=branches)
    extra = dataclasses.replace(second, milestone=names[2], alternatives=branches * 3)
    return dataclasses.replace(ladder, rungs=(first, second, extra, again, *others))


def first_ways(ladder):
    return ladder.rungs[1].alternatives


def nothing_known(names):
    """Two rungs of which everything that may be missing is missing."""
    ladder = factory.ladder(names[:1])
    gone = dict.fromkeys(
        ("step_conversion", "median_days", "quartile_days", "target_days", "in_target", "target_met", "stability")
    )
    empty = {"n_accounts": 0, "n_reached": 0, "dropped": 0, "reach": float("nan"), "by_day": ()}
    between = (Between(event=names[0], went_on=None, stopped=None),)
    rungs = tuple(dataclasses.replace(rung, between=between, **gone, **empty) for rung in ladder.rungs)
    rows = (FunnelRow(value=names[0], n_reached=(), conversion=()),)
    funnel = Funnel(segment=names[1], rows=rows, p_adjusted=(), differs_at=(names[0],), sentence="")
    return dataclasses.replace(ladder, n_accounts=0, rungs=rungs, funnels=(funnel,), days=())


def crowded(names):
    """A ladder whose lines end together, whose targets lie close, and whose funnels have eight values."""
    ladder = factory.full_ladder(names=names)
    targets = (None, 2.9, 3.0, 3.1, 3.2, 30.0)
    rungs = tuple(
        dataclasses.replace(rung, target_days=day, by_day=(0.2,) * len(ladder.days) if rung.role != "baseline" else ())
        for rung, day in zip(ladder.rungs, targets, strict=True)
    )
    rung = dataclasses.replace(
        rungs[2],
        between=tuple(
            Between(event=names[i % 5] + f" {i}", went_on=0.1 * (i % 10), stopped=0.37 * i % 1) for i in range(11)
        ),
        errors_at_drop=(dataclasses.replace(rungs[2].errors_at_drop[0], event=f"{names[0]} 5"),),
    )
    rows = tuple(dataclasses.replace(ladder.funnels[0].rows[i % 3], value=f"{names[i % 5]} {i}") for i in range(8))
    everywhere = tuple(rung.milestone for rung in rungs)
    funnel = dataclasses.replace(ladder.funnels[0], segment=names[0], rows=rows, differs_at=everywhere)
    return dataclasses.replace(ladder, rungs=(*rungs[:2], rung, *rungs[3:]), funnels=(funnel,))


MAKERS = {
    "full": lambda names: factory.full_ladder(names=names),
    "routed": routed,
    "crowded": crowded,
    "nothing known": nothing_known,
}
CASES = [
    *(("full", names) for names in NAMES),
    *itertools.product(("routed", "crowded"), ("hostile", "more hostile", "long")),
    ("nothing known", "hostile"),
    ("nothing known", "empty"),
]


def figures(ladder):
    drawn = [plots.ladder(ladder, factory.study()), plots.time_to_rung(ladder)]
    drawn += [plots.funnel(funnel, ladder) for funnel in ladder.funnels]
    return drawn + [
        plots.between(rung, before.milestone) for before, rung in itertools.pairwise(ladder.rungs) if rung.between
    ]


@canvas.styled
def boxes(figure):
    """Return every text with the box it fills, and the boxes of the bars, in dots, without rounding to whole ones."""
    matplotlib.rcParams["text.hinting"] = "none"
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    texts = [text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()]
    bars = [patch for axes in figure.axes for patch in axes.patches if patch.get_width()]
    return (
        [(text.get_text(), text.get_window_extent(renderer)) for text in texts],
        [bar.get_window_extent(renderer) for bar in bars],
    )


def overlap(one, other):
    across = min(one.x1, other.x1) - max(one.x0, other.x0)
    down = min(one.y1, other.y1) - max(one.y0, other.y0)
    return across > 1 and down > 1.5


@pytest.mark.filterwarnings("ignore:Glyph .* missing", "ignore:Matplotlib currently does not support")
@pytest.mark.parametrize(("make", "names"), CASES)
def test_no_text_is_cut_off_or_lies_on_another_or_on_a_bar(make, names):
    for figure in figures(MAKERS[make](NAMES[names])):
        texts, bars = boxes(figure)
        width, height = figure.get_size_inches() * figure.dpi
        for text, box in texts:
            assert min(box.x0, box.y0) >= -1, text
            assert box.x1 <= width + 1, text
            assert box.y1 <= height + 1, text
            assert not any(overlap(box, bar) for bar in bars), text
        for (text, box), (other, its) in itertools.combinations(texts, 2):
            assert not overlap(box, its), (text, other)


def words(figure):
    return ["".join(element.itertext()) for element in ElementTree.fromstring(plots.svg(figure)).iter(f"{SVG}text")]


def bars(figure, label):
    return [patch for patch in figure.axes[0].patches if patch.get_label() == label]


@pytest.mark.parametrize("make", MAKERS)
def test_names_are_text_and_every_picture_is_named_and_the_same_each_time(make):
    def drawn():
        return [plots.svg(figure) for figure in figures(MAKERS[make](NAMES["hostile"]))]

    first = drawn()
    assert first == drawn()
    for svg in first:
        root = ElementTree.fromstring(svg)
        assert root.attrib["aria-label"]
        assert not {element.tag for element in root.iter()} & {f"{SVG}script", f"{SVG}img", f"{SVG}style"}
        assert "\u202e" not in svg


def test_a_ladder_shows_who_is_left_who_goes_on_and_when():
    ladder = factory.full_ladder()
    texts = words(plots.ladder(ladder, factory.study()))
    narrow = "\u202f"
    for rung, before in zip(ladder.rungs[1:5], ladder.rungs[:4], strict=True):
        assert f"{wording.count(rung.n_reached)} ({wording.percent(rung.reach)})" in texts
        assert f"{wording.percent(rung.n_reached / before.n_reached)} go on" in texts
    assert "682 stop" in texts
    assert "median 3 hours, middle half 2 to 8 hours" in texts
    assert "median 24 hours, middle half 12 hours to 2.5 days" in texts
    assert f"target of 3 days, median in time, 71{narrow}% in time" in texts
    assert f"target of 7 days, median late, 71{narrow}% in time" in texts
    assert "all compared accounts, signed up since 2025-03-01" in texts
    assert "the milestone: found" in texts


def test_a_lead_and_a_persona_are_said_in_the_picture():
    texts = words(plots.ladder(factory.full_ladder(status="lead", persona="plan=team", since=None), factory.study()))
    assert "the milestone: a lead, not yet a finding" in texts
    assert "all compared accounts of plan=team" in texts


def test_bars_are_the_shares_and_what_is_hatched_stopped():
    ladder = factory.full_ladder()
    figure = plots.ladder(ladder, factory.study())
    whole = bars(figure, "all")[0].get_width()
    left, stopped = bars(figure, "left"), bars(figure, "stopped")
    assert [bar.get_width() / whole for bar in left] == pytest.approx([rung.reach for rung in ladder.rungs])
    assert [bar.get_width() / whole for bar in stopped] == pytest.approx([n / 3100 for n in (682, 716, 498, 243)])
    assert [bar.get_x() for bar in stopped] == pytest.approx([bar.get_x() + bar.get_width() for bar in left[1:5]])
    assert all(bar.get_hatch() for bar in stopped)
    assert not any(bar.get_hatch() for bar in left)


def test_the_biggest_drop_is_marked_once_in_words_and_never_at_the_habit():
    ladder = factory.full_ladder()
    habit = dataclasses.replace(ladder.rungs[-1], dropped=900)
    ladder = dataclasses.replace(ladder, rungs=(*ladder.rungs[:-1], habit))
    texts = words(plots.ladder(ladder, factory.study()))
    assert [text for text in texts if "biggest" in text] == ["716 stop here: the biggest drop"]
    one = words(plots.ladder(factory.ladder(("only_step",)), factory.study()))
    assert not any("biggest" in text for text in one)
    assert "682 stop" in one


def test_a_habit_is_apart_dashed_and_described_only():
    ladder = factory.full_ladder()
    figure = plots.ladder(ladder, factory.study())
    *others, habit = bars(figure, "left")
    assert habit.get_linestyle() != "solid"
    assert habit.get_facecolor() == to_rgba("none")
    assert all(bar.get_facecolor() != to_rgba("none") for bar in others)
    texts = words(figure)
    assert "habit, described only" in texts
    assert not any(text.startswith("5") for text in texts)
    assert "476 stop" not in texts


def test_a_conjunction_is_shown_in_full_over_three_lines():
    name = (
        "deal_created >= 3 within 14d and email_sync_enabled >= 2 within 14d and first_follow_up_sent >= 2 within 14d"
    )
    ladder = factory.full_ladder()
    steps = dataclasses.replace(ladder, rungs=(ladder.rungs[0], dataclasses.replace(ladder.rungs[1], milestone=name)))
    texts = words(plots.ladder(steps, factory.study()))
    start = next(place for place, text in enumerate(texts) if "deal_created" in text)
    assert " ".join(texts[start : start + 3]) == f"1\u2002{name}"


def test_only_the_milestone_is_bold_among_the_names():
    texts = plots.ladder(factory.full_ladder(), factory.study()).findobj(Text)
    bold = [text.get_text() for text in texts if text.get_weight() == "bold"]
    assert bold == ["716 stop here: the biggest drop", "4\u2002report_shared >= 3 within 7d by 2 users"]


def test_alternatives_are_branches_with_their_shares():
    figure = plots.ladder(factory.full_ladder(), factory.study())
    whole = bars(figure, "branches")[0].get_width()
    assert [bar.get_width() / whole for bar in bars(figure, "branch")] == pytest.approx([0.61, 0.48])
    texts = words(figure)
    assert "61\u202f% this way, 74\u202f% go on" in texts
    assert "csv_uploaded" in texts
    assert not any(text.startswith("route") for text in texts)


def test_a_route_through_several_rungs_is_one_line_with_a_mark_at_each():
    ladder = factory.full_ladder()
    again = dataclasses.replace(ladder.rungs[2], alternatives=first_ways(ladder))
    figure = plots.ladder(dataclasses.replace(ladder, rungs=(*ladder.rungs[:2], again)), factory.study())
    lines = [line for line in figure.axes[0].lines if line.get_marker() not in ("None", "")]
    assert [len(line.get_ydata()) for line in lines] == [2, 2]
    assert len({line.get_marker() for line in lines}) == 2
    assert len({line.get_linestyle() for line in lines}) == 2
    assert "route 1: csv_uploaded" in words(figure)


def test_more_than_four_alternatives_are_counted():
    way = Branch(milestone="way", n_reached=1, share=0.1, median_days=None, goes_on=None)
    ladder = factory.full_ladder()
    rung = dataclasses.replace(ladder.rungs[1], alternatives=(way,) * 6)
    texts = words(plots.ladder(dataclasses.replace(ladder, rungs=(ladder.rungs[0], rung)), factory.study()))
    assert texts.count("way") == 4
    assert "2 more" in texts
    assert texts.count("10\u202f% this way") == 4


def marks(figure, label):
    return [line for line in figure.axes[0].lines if line.get_label() == label]


def test_a_funnel_has_a_mark_on_its_interval_for_each_known_conversion():
    ladder = factory.full_ladder()
    funnel = ladder.funnels[0]
    unknown = dataclasses.replace(
        funnel.rows[1], conversion=(None, None, *funnel.rows[1].conversion[2:5], factory.estimate(None, scale="share"))
    )
    figure = plots.funnel(dataclasses.replace(funnel, rows=(funnel.rows[0], unknown, funnel.rows[2])), ladder)
    shares, intervals = marks(figure, "share"), marks(figure, "interval")
    assert len(shares) == len(intervals) == 3 * 5 - 2
    first, third = (funnel.rows[i].conversion[1] for i in (0, 2))
    per_share = (shares[0].get_xdata()[0] - shares[1].get_xdata()[0]) / (first.estimate - third.estimate)
    wide = intervals[0].get_xdata()
    assert wide[1] - wide[0] == pytest.approx(per_share * (first.ci_upper - first.ci_lower), rel=1e-6)
    assert sum(text == wording.percent(first.estimate) for text in words(figure)) >= 1


def test_funnel_values_are_told_apart_by_shape_and_colour():
    figure = plots.funnel(crowded(NAMES["plain"]).funnels[0], crowded(NAMES["plain"]))
    first = marks(figure, "share")[:5]
    assert len({line.get_marker() for line in first}) == len({line.get_color() for line in first}) == 5
    texts = words(figure)
    assert "3 smaller values not drawn" in texts
    assert "report_shared 0" in texts
    assert not any(text.endswith(" 5") for text in texts)
    assert "1,400 accounts" in texts


def test_a_funnel_says_where_the_values_differ_and_only_there():
    ladder = factory.full_ladder()
    texts = words(plots.funnel(ladder.funnels[0], ladder))
    assert [text for text in texts if text.startswith("differs")] == ["differs, p < 0.001"]
    same = dataclasses.replace(ladder.funnels[0], differs_at=())
    assert not any(text.startswith("differs") for text in words(plots.funnel(same, ladder)))
    assert words(plots.funnel(ladder.funnels[1], ladder)) == ["No step conversion by plan is known."]


def test_an_interval_beyond_the_scale_ends_with_it():
    ladder = factory.full_ladder()
    sure = Estimate(estimate=0.99, ci_lower=-0.4, ci_upper=1.6, scale="share", n_accounts=5)
    row = dataclasses.replace(ladder.funnels[0].rows[0], conversion=(None, sure))
    figure = plots.funnel(dataclasses.replace(ladder.funnels[0], rows=(row,)), ladder)
    low, high = marks(figure, "interval")[0].get_xdata()
    grid = marks(figure, "grid")[0].get_xdata()
    assert (low, high) == pytest.approx((grid[0], grid[-2]))


def curves(figure, ladder):
    return [line for line in figure.axes[0].lines if len(line.get_xdata()) == len(ladder.days)]


def test_time_to_rung_lines_are_the_shares_by_day_and_are_named_at_their_ends():
    ladder = factory.full_ladder()
    figure = plots.time_to_rung(ladder)
    lines = curves(figure, ladder)
    assert len(lines) == 4
    for line, rung in zip(lines, ladder.rungs[1:5], strict=True):
        assert tuple(line.get_ydata()) == pytest.approx(rung.by_day)
    assert figure.axes[0].get_ylim() == (0, 1)
    texts = words(figure)
    assert {"2\u2002teammate_invited", "55\u202f% by day 14", "4\u2002report_shared >="} <= set(texts)
    assert "3 or more users active in days 16 to 30" not in " ".join(texts)


def test_time_to_rung_lines_are_told_apart_without_colour_and_the_milestone_is_thick_and_bold():
    ladder = factory.full_ladder()
    figure = plots.time_to_rung(ladder)
    lines = curves(figure, ladder)
    assert len({(line.get_linestyle(), line._unscaled_dash_pattern, line.get_linewidth()) for line in lines}) == 4
    assert lines[-1].get_linewidth() > max(line.get_linewidth() for line in lines[:-1])
    assert lines[-1].get_color() == canvas.GREEN
    bold = [text.get_text() for text in figure.findobj(Text) if text.get_weight() == "bold"]
    assert bold[0] == "4\u2002report_shared >="


def test_targets_are_marked_on_the_lines_round_when_met_a_cross_when_missed():
    ladder = factory.full_ladder()
    marked = [line for line in plots.time_to_rung(ladder).axes[0].lines if line.get_marker() in ("o", "X")]
    assert [line.get_xdata()[0] for line in marked] == [3, 3, 3, 7]
    assert [line.get_ydata()[0] for line in marked] == pytest.approx(
        [rung.by_day[ladder.days.index(rung.target_days)] for rung in ladder.rungs[1:5]]
    )
    assert [line.get_marker() == "o" for line in marked] == [rung.target_met for rung in ladder.rungs[1:5]]
    assert {"3 days", "7 days"} <= set(words(plots.time_to_rung(ladder)))
    late = tuple(dataclasses.replace(rung, target_days=99.0) for rung in ladder.rungs)
    assert not any("target" in text for text in words(plots.time_to_rung(dataclasses.replace(ladder, rungs=late))))


def test_a_ladder_whose_times_are_not_known_says_so():
    assert words(plots.time_to_rung(factory.full_ladder(days=()))) == ["When accounts did the rungs is not known."]


def test_between_shows_the_largest_differences_first_and_leaves_out_what_is_not_known():
    rung: Rung = factory.full_ladder().rungs[2]
    figure = plots.between(rung, "csv_uploaded")
    went_on, stopped = bars(figure, "went on"), bars(figure, "stopped")
    per_share = stopped[-1].get_width() / 0.2
    assert [bar.get_width() / per_share for bar in went_on] == pytest.approx([0.9, 0.12])
    assert [bar.get_width() / per_share for bar in stopped] == pytest.approx([0.7, 0.31, 0.2])
    assert all(bar.get_hatch() for bar in stopped)
    assert not any(bar.get_hatch() for bar in went_on)
    texts = words(figure)
    assert [text for text in texts if text in {b.event for b in rung.between}] == [
        "dashboard_viewed",
        "sync_failed",
        "tour_finished",
    ]
    assert texts[texts.index("sync_failed") + 1] == "error at the drop"
    assert texts.count("error at the drop") == 1
    assert texts[0] == "within 2 days after\u2002csv_uploaded".replace("\u2002", " ")


def test_between_shows_at_most_eight_events_and_counts_the_others():
    figure = plots.between(crowded(NAMES["plain"]).rungs[2], "x")
    assert len(bars(figure, "went on")) == 8
    texts = words(figure)
    assert "3 more, with smaller differences" in texts
    nothing = dataclasses.replace(factory.full_ladder().rungs[2], between=())
    assert words(plots.between(nothing, "x")) == ["What accounts do before this rung is not known."]


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0.1, 1)), max_size=7), st.floats(0, 2))
def test_names_pushed_apart_keep_their_order_and_do_not_touch(pairs, spare):
    wanted, heights = sorted(pair[0] for pair in pairs), [pair[1] for pair in pairs]
    room = sum(heights) + spare
    middles = _apart(wanted, heights, room)
    edges = [(middle - tall / 2, middle + tall / 2) for middle, tall in zip(middles, heights, strict=True)]
    assert all(max(-low, high - room) <= 1e-9 for low, high in edges)
    assert all(one[1] <= two[0] + 1e-9 for one, two in itertools.pairwise(edges))


@settings(max_examples=60, deadline=None)
@given(st.text("ab W_/…日\u0301", max_size=120), st.floats(0.5, 3), st.integers(1, 3))
def test_a_folded_name_fits_and_loses_nothing_it_has_room_for(text, inches, most):
    lines = canvas.fold(text, inches, most)
    assert 1 <= len(lines) <= most
    assert all(canvas.width_of(line) <= inches or wording.columns(line) <= 3 for line in lines)
    if "…" not in "".join(lines):
        assert "".join(lines).replace(" ", "") == wording.clean(text).replace(" ", "")
