"""Pictures of a validation: named, the same every time, blind to markup, and true to their numbers."""

from __future__ import annotations

import dataclasses
import re
import warnings
from xml.etree import ElementTree

import pytest

from discovery import plots
from discovery.plots import canvas, marks

from . import factory
from . import validation_factory as made
from .test_plots import SVG, _texts

RESULTS = {
    "several": made.several(),
    "hostile": made.hostile(),
    "sparse": made.validation(made.sparse()),
    "bare": made.bare(),
    "none": made.validation(proposals=()),
}


def figures(result):
    for proposal in result.proposals[:2]:
        yield plots.estimates(proposal, result)
        yield plots.steadiness(proposal, result)
        yield plots.onboarding(proposal, result)
        yield plots.reaching(proposal)
        yield plots.staying(proposal, result)
    yield plots.comparison(result)


def shapes(axes):
    """Return (shape, face, x) of each drawn mark, from above."""
    lines = [line for line in axes.lines if line.get_marker() not in (None, "None", "")]
    return [(line.get_marker(), line.get_markerfacecolor(), round(float(line.get_xdata()[0]), 2)) for line in lines]


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_every_figure_is_a_named_picture_without_noise(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for figure in figures(RESULTS[name]):
            root = ElementTree.fromstring(plots.svg(figure))
            assert root.attrib["role"] == "img"
            assert root.attrib["aria-label"] == root.find(f"{SVG}title").text != ""
            assert root.find(f".//{SVG}style") is None
            assert not re.search(r"\b(None|nan|inf)\b", " ".join(root.itertext()))


def test_the_same_result_gives_the_same_bytes():
    first, second = ([plots.svg(figure) for figure in figures(made.single("holds"))] for _ in range(2))
    assert first == second


def test_names_are_text_never_mathtext_nor_markup():
    name = '$x^2$ <b id="p1">&'
    result = made.validation(made.proposal(milestone=name), made.proposal(milestone="$\\frac{1}{0}$"))
    svg = plots.svg(plots.comparison(result))
    assert name in _texts(svg)
    assert "<b" not in svg.replace("&lt;b", "")


def test_a_comparison_marks_each_verdict_with_its_own_shape_at_its_own_place():
    result = made.several()
    axes = plots.comparison(result).axes[0]
    drawn = shapes(axes)
    assert [x for _, _, x in drawn] == [12.0, 0.4, 5.5]
    assert len({shape for shape, _, _ in drawn}) == 3
    assert [shape for shape, _, _ in drawn] == [marks.VERDICTS[p.verdict].shape for p in result.proposals]
    intervals = [list(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2]
    assert [5.0, 19.0] in [[round(x, 2) for x in interval] for interval in intervals]
    texts = _texts(plots.svg(plots.comparison(result)))
    assert {"+12.0 [5.0, 19.0]", "holds", "does not hold", "not enough data"} <= set(texts)
    assert any(text.startswith("does not hold · 31") for text in texts)


def test_zero_and_the_smallest_difference_that_matters_are_drawn_in_every_row():
    axes = plots.comparison(made.several()).axes[0]
    bands = [band.get_paths()[0].get_extents() for band in axes.collections]
    assert [(round(band.x0, 2), round(band.x1, 2)) for band in bands] == [(-3.0, 3.0)] * 3
    zeros = [line for line in axes.lines if list(line.get_xdata()) == [0, 0]]
    assert len(zeros) == 3
    left, right = axes.get_xlim()
    assert left < 0 < 19 < right


def test_a_spec_without_a_smallest_difference_has_no_band():
    assert not plots.comparison(made.single("holds", settings={})).axes[0].collections


def test_at_most_twenty_proposals_are_drawn():
    result = made.several(tuple(f"event_{place}" for place in range(30)))
    texts = _texts(plots.svg(plots.comparison(result)))
    assert sum(bool(re.fullmatch(r"event_\d+", text)) for text in texts) == 20


def test_the_differences_of_a_proposal_start_with_the_one_that_decides():
    result = made.single("holds")
    proposal = result.proposals[0]
    texts = _texts(plots.svg(plots.estimates(proposal, result)))
    assert texts.index("+12.0 [5.0, 19.0]") < texts.index("+12.0 [7.1, 16.9]") < texts.index("+30.0 [25.0, 35.0]")
    assert texts[texts.index("at equal activity") + 1] == "+7.0 [2.0, 12.0]"
    assert texts[texts.index("the latest quarter of signups") + 1] == "+9.0 [−2.0, 20.0]"
    plain = dataclasses.replace(proposal, unwidened=proposal.adjusted, composition=None, latest=None)
    assert [x for _, _, x in shapes(plots.estimates(plain, result).axes[0])] == [12.0, 30.0]


def test_only_parts_that_lie_wholly_below_zero_are_crossed():
    around = dataclasses.replace(made.cohorts()[0], difference=factory.estimate(-0.02))
    result = made.validation(made.proposal(cohorts=(around, *made.cohorts()[1:])))
    drawn = shapes(plots.steadiness(result.proposals[0], result).axes[0])
    assert [x for shape, _, x in drawn if shape == marks.AGAINST.shape] == [-8.0]
    assert len(drawn) == 8
    texts = _texts(plots.svg(plots.steadiness(result.proposals[0], result)))
    assert {"by signup", "by plan", "by channel", "n/a", "solo", "all accounts"} <= set(texts)


def test_many_parts_are_cut():
    proposal = made.proposal(segments=made.segments() * 20)
    drawn = plots.steadiness(proposal, made.validation(proposal))
    assert len(shapes(drawn.axes[0])) == 1 + 3 + 20


def bars(figure):
    """Return the widths of the coloured bars as shares of the whole."""
    widths = [patch.get_width() for patch in figure.axes[0].patches]
    return [round(bar / whole, 2) for whole, bar in zip(widths[::2], widths[1::2], strict=True)]


def test_bars_are_as_long_as_their_shares_and_never_longer_than_the_whole():
    result = made.single("holds")
    proposal = result.proposals[0]
    assert bars(plots.onboarding(proposal, result)) == [0.31, 0.36, 0.41, 0.71]
    assert bars(plots.reaching(proposal)) == [0.08, 0.14, 0.31, 0.31]
    beyond = dataclasses.replace(made.REACHING, by_day=((1, -0.1), (2, 1.4)))
    assert bars(plots.reaching(made.proposal(reaching=beyond))) == [0.0, 1.0]


@pytest.mark.parametrize(
    ("draw", "sentence"),
    [
        (plots.comparison, "Nothing was proposed."),
        (lambda result: plots.steadiness(made.bare_proposal(), result), "No part of the accounts is large enough"),
        (lambda result: plots.onboarding(made.bare_proposal(), result), "No onboarding group is large enough."),
        (lambda result: plots.reaching(made.bare_proposal()), "Nobody reaches it."),
        (lambda result: plots.staying(made.bare_proposal(), result), "There are no survival curves"),
    ],
)
def test_where_there_is_nothing_to_draw_the_picture_says_so(draw, sentence):
    assert str(draw(made.validation(proposals=())).get_label()).startswith(sentence)


def test_curves_are_those_of_the_proposal():
    result = made.single("holds")
    texts = _texts(plots.svg(plots.staying(result.proposals[0], result)))
    assert {"reached it", "did not reach it"} <= set(texts)
    assert factory.curve("x", 0.1).days[-1] == 180


def test_every_figure_has_the_house_width():
    assert {figure.get_figwidth() for figure in figures(made.several())} == {canvas.WIDTH}
