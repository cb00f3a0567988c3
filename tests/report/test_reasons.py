"""The reason a family is not what its numbers suggest stands openly beside it."""

import dataclasses

from discovery.report import render

from . import factory


def test_a_reason_is_read_without_opening_anything():
    result = factory.study()
    first = dataclasses.replace(result.ranking[0], reason="You named it vanity, so it stands for no value.")
    page = render(dataclasses.replace(result, ranking=(first, *result.ranking[1:])))
    at = page.index("You named it vanity")
    assert page.rfind("<details", 0, at) <= page.rfind("</details>", 0, at)
