"""Figures as SVG: well-formed, named, the same every time, and blind to markup in names."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
import warnings
from xml.etree import ElementTree

import matplotlib
import pytest

from discovery import plots
from discovery.plots import canvas

from . import factory

SVG = "{http://www.w3.org/2000/svg}"


def _all_figures(result):
    drawn = [plots.account_flow(result), plots.forest(result), plots.survival_curves(result)]
    return drawn + [plots.ladder(ladder, result) for ladder in result.ladders]


def _texts(svg):
    return ["".join(element.itertext()) for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


RESULTS = [factory.study(), factory.study("none"), factory.study(names=factory.HOSTILE_NAMES), factory.bare()]


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: f"{result.verdict.status}-{len(result.ranking)}")
def test_every_figure_is_a_named_picture(result):
    for figure in _all_figures(result):
        root = ElementTree.fromstring(plots.svg(figure))
        assert root.attrib["role"] == "img"
        assert root.attrib["aria-label"]
        assert root.find(f"{SVG}title").text == root.attrib["aria-label"]
        assert root.attrib["width"] == "100%"
        assert "viewBox" in root.attrib
        assert root.find(f".//{SVG}style") is None
        assert root.find(f".//{SVG}metadata") is None


def test_the_same_result_gives_the_same_bytes_and_no_two_pictures_share_an_id():
    first, second = ([plots.svg(f) for f in _all_figures(factory.study())] for _ in range(2))
    assert first == second
    ids = [name for svg in first for name in set(re.findall(r'\bid="([^"]+)"', svg))]
    assert ids
    assert len(ids) == len(set(ids))
    for svg in first:
        own = set(re.findall(r'\bid="([^"]+)"', svg))
        assert set(re.findall(r'(?:href="#|url\(#)([\w-]+)', svg)) <= own


def test_names_are_text_never_mathtext_nor_markup():
    name = '$x^2$ <b id="p1">&'
    result = factory.study(names=(name, "$\\frac{1}{0}$", "$unclosed", "_under^"))
    svg = plots.svg(plots.forest(result))
    texts = _texts(svg)
    assert any(name in text for text in texts)
    assert any("$\\frac{1}{0}$" in text for text in texts)
    assert "<b" not in svg.replace("&lt;b", "")


@pytest.mark.parametrize("style", [{"text.usetex": True}, {"svg.fonttype": "path"}, {"font.size": 40.0}])
def test_the_session_style_neither_leaks_in_nor_changes(style):
    expected = [plots.svg(figure) for figure in _all_figures(factory.study())]
    with matplotlib.rc_context(style):
        before = dict(matplotlib.rcParams)
        assert [plots.svg(figure) for figure in _all_figures(factory.study())] == expected
        assert dict(matplotlib.rcParams) == before


def test_scripts_the_measuring_font_lacks_make_no_noise():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for figure in _all_figures(factory.study(names=factory.HOSTILE_NAMES)):
            plots.svg(figure)


def test_forest_shows_at_most_top_families_and_both_differences():
    result = factory.study(names=tuple(f"event_{i}" for i in range(30)))
    texts = _texts(plots.svg(plots.forest(result, top=5)))
    assert sum("event_" in text for text in texts) == 5
    assert "+10.5 [3.5, 17.5]" in texts
    assert {"plain", "adjusted", "0"} <= set(texts)


def test_survival_axis_runs_from_zero_to_all_and_shows_the_accounts_at_risk():
    figure = plots.survival_curves(factory.study())
    assert figure.axes[0].get_ylim() == (0, 1)
    texts = _texts(plots.svg(figure))
    assert "1,500" in texts
    assert "at risk: reached report_shared" in texts


def test_account_flow_bars_are_to_scale():
    page = plots.account_flow(factory.study()).axes[0]
    drawn = [patch for patch in page.patches if patch.get_facecolor() != matplotlib.colors.to_rgba("#e9edf2")]
    per_account = drawn[0].get_width() / factory.POPULATION.accounts
    people = factory.POPULATION
    expected = [
        people.accounts,
        people.excluded,
        people.unusable,
        people.before_log,
        people.not_observed_to_landmark,
        people.decided_before_landmark,
        people.landmark,
        people.landmark - people.mature,
        people.mature,
        people.retained,
    ]
    assert [round(patch.get_width() / per_account) for patch in drawn] == expected
    losses = drawn[1:6]
    assert losses[-1].get_x() == pytest.approx(drawn[6].get_x() + drawn[6].get_width())


def test_account_flow_leaves_out_the_steps_at_which_nobody_fell_out():
    people = dataclasses.replace(factory.POPULATION, excluded=0, unusable=0, accounts=4165)
    texts = _texts(plots.svg(plots.account_flow(factory.study(population=people))))
    assert "\u2212310" in texts
    assert "Excluded" not in texts
    assert "0" not in texts


@pytest.mark.parametrize("letter", ["W", "e", "日", "_"])
def test_names_are_shortened_to_the_room_there_is(letter):
    wide = canvas.fit(letter * 300, 2.0)
    assert "…" in wide
    assert 1.7 < canvas.width_of(wide) <= 2.0
    assert canvas.fit(letter, 2.0) == letter


def test_ladder_bars_are_the_reach_of_their_rungs():
    result = factory.study()
    page = plots.ladder(result.ladders[0], result).axes[0]
    grounds, bars = ([p for p in page.patches if p.get_label() == label] for label in ("all", "left"))
    shares = [bar.get_width() / ground.get_width() for bar, ground in zip(bars, grounds, strict=True)]
    assert shares == pytest.approx([rung.reach for rung in result.ladders[0].rungs])


def test_a_ladder_without_rungs_and_curves_without_points_are_said_not_drawn():
    result = factory.study()
    empty = dataclasses.replace(result.ladders[0], rungs=())
    assert any("no rungs" in text for text in _texts(plots.svg(plots.ladder(empty, result))))
    curve = dataclasses.replace(result.curves[0], days=(), survival=(), ci_lower=(), ci_upper=())
    without = dataclasses.replace(result, curves=(curve,))
    assert any("departures" in text for text in _texts(plots.svg(plots.survival_curves(without))))


def test_importing_plots_loads_no_matplotlib_and_drawing_no_pyplot():
    code = "import discovery.plots, discovery.report, sys; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    code = "from discovery import plots; from discovery.plots import canvas; plots.svg(canvas.sentence_only('x'))"
    subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; assert 'matplotlib.pyplot' not in sys.modules"], check=True
    )
