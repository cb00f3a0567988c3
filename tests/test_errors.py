"""Every exception has its place in the drawn hierarchy, and every warning its sentence."""

from __future__ import annotations

import inspect
import re

import pytest

from discovery import errors
from discovery.errors import Caution, DiscoveryError, InputError

EXCEPTIONS = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, Exception)]


def drawn_parents() -> dict[str, str]:
    """Read child to parent from the tree in the module's docstring."""
    parents, path = {}, {}
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"    (?P<branch>[│├└─ ]*)(?P<name>[A-Z]\w+Error)\b", line)
        if found:
            depth = len(found["branch"]) // 4
            path[depth] = found["name"]
            parents[found["name"]] = path[depth - 1] if depth else "Exception"
    return parents


def test_the_drawn_hierarchy_is_the_real_one() -> None:
    assert drawn_parents() == {error.__name__: error.__base__.__name__ for error in EXCEPTIONS}


@pytest.mark.parametrize("error", EXCEPTIONS)
def test_every_exception_says_what_it_is_for(error: type[Exception]) -> None:
    assert error.__doc__
    assert issubclass(error, DiscoveryError)


def test_what_the_user_can_mend_is_an_input_error() -> None:
    mendable = {"SpecError", "MilestoneSyntaxError", "SourceError", "ColumnError", "QualityError"}
    assert {error.__name__ for error in EXCEPTIONS if issubclass(error, InputError)} == mendable | {"InputError"}


@pytest.mark.parametrize("caution", Caution)
def test_every_warning_has_a_code_and_a_sentence(caution: Caution) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", caution.value)
    assert re.fullmatch(r"[A-Z].*\.", caution.sentence)


def test_warnings_do_not_share_a_sentence() -> None:
    assert len({caution.sentence for caution in Caution}) == len(Caution)
