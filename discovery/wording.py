"""Numbers and names in the form people read: `31 %`, `+12 points [5, 19]`, `p < 0.001`, `n/a`."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any, Final

from discovery.results import Estimate
from discovery.spec import FORMAT_NAMES

MISSING: Final = "n/a"
_MINUS: Final = "\u2212"
_NARROW_SPACE: Final = "\u202f"
_ELLIPSIS: Final = "…"
_WEEKS_OF_A_YEAR: Final = 52.18
LONG_WEEKS: Final = 104.0
"""From here on a time is said in years."""
FORESEEABLE_WEEKS: Final = 520.0
_MOST_ACCOUNTS: Final = 1_000_000


def known(value: float | None) -> bool:
    """Tell whether a number is there to be shown: neither None nor NaN nor infinite."""
    return value is not None and math.isfinite(value)


def count(value: float | None) -> str:
    """Return a whole number with commas."""
    return f"{value:,.0f}".replace("-", _MINUS) if value is not None and known(value) else MISSING


def counted(number: int, one: str, many: str = "") -> str:
    """Return `1 account` or `1,234 accounts`."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def format_name(format: str) -> str:
    """Return how people write a format: `PostHog`, `a plain table`."""
    return FORMAT_NAMES.get(format, format)


def events_read(rows: int, used: int) -> str:
    """Return how many events were read, and of how many rows where not every row is one."""
    if rows == used:
        return counted(used, "event")
    kept = "an event that counts" if used == 1 else "events that count"
    return f"{counted(rows, 'row')}, {count(used)} of them {kept}"


def percent(share: float | None) -> str:
    """Return a share (0 to 1) as a percentage; a share that is not 0 or 1 is never rounded to it."""
    if share is None or not known(share):
        return MISSING
    hundredths = 100 * share
    if 0 < abs(hundredths) < 0.05:
        text = "< 0.1"
    elif 99.95 < hundredths < 100:
        text = "> 99.9"
    elif 0 < abs(hundredths) < 1 or 99 < hundredths < 100:
        text = f"{hundredths:.1f}"
    else:
        text = f"{hundredths:.0f}"
    return text.replace("-", _MINUS) + _NARROW_SPACE + "%"


def points(difference: float | None, *, plus: bool = True) -> str:
    """Return a difference of shares as percentage points, such as `+12 points`: tenths only below one point."""
    if difference is None or not known(difference):
        return MISSING
    whole = difference == 0 or abs(difference) >= 0.0095
    return f"{_signed(difference, 0 if whole else 1, plus=plus)} points"


def points_estimate(estimate: Estimate, *, unit: bool = True) -> tuple[str, str]:
    """Return a risk difference and its interval as two texts, both in tenths of a point; `unit` names it."""
    value, lower, upper = estimate.estimate, estimate.ci_lower, estimate.ci_upper
    if value is None or not known(value):
        return MISSING, ""
    if lower is None or upper is None or not (known(lower) and known(upper)):
        return _signed(value, 1) + " points" * unit, ""
    interval = ", ".join(_signed(bound, 1, plus=False) for bound in (lower, upper))
    return _signed(value, 1) + " points" * unit, f"[{interval}]"


def ratio_estimate(estimate: Estimate | None) -> tuple[str, str]:
    """Return a ratio and its interval as two texts."""
    if estimate is None or estimate.estimate is None or not known(estimate.estimate):
        return MISSING, ""
    lower, upper = estimate.ci_lower, estimate.ci_upper
    if lower is None or upper is None or not (known(lower) and known(upper)):
        return ratio(estimate.estimate), ""
    return ratio(estimate.estimate), f"[{ratio(lower)}, {ratio(upper)}]"


def ratio(value: float | None) -> str:
    """Return a ratio with two or three significant digits; extremes are bounds."""
    if value is None or not known(value):
        return MISSING
    if value >= 1000:
        return "> 1,000"
    if 0 < value < 0.01:
        return "< 0.01"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def decimal(value: float | None, decimals: int = 1) -> str:
    """Return a number with a fixed number of decimals and a true minus sign."""
    return f"{value:.{decimals}f}".replace("-", _MINUS) if value is not None and known(value) else MISSING


def p_value(value: float | None) -> str:
    """Return a p-value with its relation: `p < 0.001`, `p = 0.03`."""
    if value is None or not known(value):
        return MISSING
    if value < 0.001:
        return "p < 0.001"
    if value > 0.995:
        return "p > 0.99"
    return f"p = {value:.3f}" if value < 0.0995 else f"p = {value:.2f}"


def columns(text: str) -> int:
    """Return how many columns text fills: two for each wide character, none for a combining one."""
    return sum(map(_columns, text))


def moment(created_at: str) -> str:
    """Return an ISO time in UTC to the minute, such as `2025-01-31 09:30 UTC`."""
    return f"{created_at[:10]} {created_at[11:16]} UTC"


def days(value: float | None) -> str:
    """Return a length of time in days, or in hours or minutes below one day."""
    if value is None or not known(value):
        return MISSING
    if value < 0.5 / 1440:
        return "under a minute"
    if value < 1 / 24:
        return f"{value * 1440:.0f} min"
    if value < 1:
        return _of_unit(f"{value * 24:.0f}", "hour")
    return _of_unit(f"{value:.1f}".removesuffix(".0"), "day")


def lasting(weeks: float | None) -> str:
    """Return a number of weeks; years from two of them on, and no number beyond what can be foreseen."""
    if weeks is None or not known(weeks):
        return MISSING
    if weeks > FORESEEABLE_WEEKS:
        return "more than 10 years"
    if weeks >= LONG_WEEKS:
        return f"{weeks / _WEEKS_OF_A_YEAR:.1f} years".replace(".0 ", " ")
    if 0 < weeks < 1:
        return "under 1 week"
    return _of_unit(count(weeks), "week")


def accounts_an_arm(per_arm: int | None) -> str:
    """Return a number of accounts; beyond a million none, as no product waits for that."""
    if per_arm is None:
        return "not possible"
    return count(per_arm) if per_arm <= _MOST_ACCOUNTS else "over 1 million"


def hundredths(difference: float | None) -> str:
    """Return a difference of shares in hundredths of a point without a plus sign, such as `0.15 points`."""
    return f"{decimal(100 * difference, 2)} points" if difference is not None and known(difference) else MISSING


def level(coverage: float) -> str:
    """Return how much an interval covers, such as `95 %`, `98.3 %` or `99.98 %`: never rounded up."""
    if coverage > 0.9999:
        return f"over 99.99{_NARROW_SPACE}%"
    places = 100 if coverage > 0.99 else 10
    return f"{math.floor(100 * places * coverage + 1e-6) / places:g}{_NARROW_SPACE}%"


def interval_level(adjusted: Estimate, unwidened: Estimate, coverage: float, alpha: float) -> str:
    """Return what the interval that decides covers: `98.3 % interval`, or each end where they differ.

    Parameters
    ----------
    adjusted, unwidened
        The estimate with the interval that decides, and with the usual one of level `alpha`.
    coverage
        What an interval would cover that is as wide on both sides as the lower side is.
    """
    widths = _widths(adjusted)
    usual = _widths(unwidened)
    if widths is None or usual is None or usual[1] <= 0 or math.isclose(*widths, rel_tol=1e-4):
        return f"{level(coverage)} interval"
    normal = NormalDist()
    upper = 2 * normal.cdf(normal.inv_cdf(1 - alpha / 2) * widths[1] / usual[1]) - 1
    return f"lower end {level(coverage)}, upper end {level(upper)}"


def _widths(estimate: Estimate) -> tuple[float, float] | None:
    value, lower, upper = estimate.estimate, estimate.ci_lower, estimate.ci_upper
    if value is None or lower is None or upper is None or not all(map(known, (value, lower, upper))):
        return None
    return value - lower, upper - value


def conditions_in_words(conditions: Sequence[Mapping[str, Any]], has_creator: bool | None = None) -> str:
    """Return a milestone's conditions as a sentence part, such as `a at least 3 times within 7 days of signup`.

    `has_creator` is as in `tests_in_words`.
    """
    return " and ".join(_condition_in_words(condition, has_creator) for condition in conditions)


def tests_in_words(tests: Sequence[Mapping[str, Any]], has_creator: bool | None) -> str:
    """Return tests of an event's properties as they follow its name: ` with channel “email” and size at least 10`.

    Nothing for no tests. `has_creator` says whom `by_other` compares with: the creator of the object that an event is
    about, or else the first user of the account; None leaves it open.
    """
    if not tests:
        return ""
    by_other = [test for test in tests if test["property"] == "by_other"]
    others = [test for test in tests if test["property"] != "by_other"]
    words = f" with {' and '.join(map(_test_in_words, others))}" if others else ""
    for test in by_other:
        if has_creator is None:
            words += " by someone else" if test["value"] else " by no one else"
            continue
        words += " by someone other than" if test["value"] else " by"
        words += " the creator of its object" if has_creator else " its account's first user"
    return words


def capitalised(text: str) -> str:
    """Return text with a capital letter, unless it begins with a name: what `:` follows, or what is no plain word."""
    first = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if first.rstrip(",;").isalpha() else text


def clean(text: str) -> str:
    """Return text on one line, with characters that cannot be printed replaced."""
    return "".join(_printable(character) for character in " ".join(text.split()))


def shown(text: str) -> str:
    """Return text as laid out, its lines kept, with other characters that cannot be printed replaced."""
    return "".join(character if character == "\n" else _printable(character) for character in text)


def shorten(text: str, width: int) -> str:
    """Return text that fills at most `width` columns, the middle replaced by an ellipsis where it is longer."""
    text = clean(text)
    if columns(text) <= width:
        return text
    head = _fitting(text, (width + 1) // 2)
    tail = _fitting(text[::-1], width - 1 - (width + 1) // 2)[::-1]
    return f"{head.rstrip()}{_ELLIPSIS}{tail.lstrip()}"


def _condition_in_words(condition: Mapping[str, Any], has_creator: bool | None) -> str:
    at_least, within, users = (condition.get(key) for key in ("at_least", "within_days", "min_users"))
    words = [f"{condition.get('event', '')}{tests_in_words(condition.get('where') or (), has_creator)}"]
    words.append("at least once" if at_least in (None, 1) else f"at least {count(at_least)} times")
    if within is not None:
        words.append(f"within {_of_unit(f'{within:g}', 'day')} of signup")
    if users is not None and users > 1:
        words.append(f"by at least {count(users)} users")
    return " ".join(words)


_COMPARED: Final = {"=": "", "!=": "other than ", "<": "below ", "<=": "at most ", ">": "above ", ">=": "at least "}


def _test_in_words(test: Mapping[str, Any]) -> str:
    values = test["value"] if isinstance(test["value"], list | tuple) else [test["value"]]
    listed = " or ".join(_value_in_words(value) for value in values)
    return f"{test['property']} {_COMPARED.get(test['operator'], '')}{listed}"


def _value_in_words(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:,.12g}".replace("-", _MINUS)
    return f"“{value}”"


def _of_unit(number: str, unit: str) -> str:
    return f"{number} {unit}" if number == "1" else f"{number} {unit}s"


def _signed(difference: float, decimals: int, *, plus: bool = True) -> str:
    text = f"{100 * difference:.{decimals}f}"
    if float(text) == 0:
        return text.removeprefix("-")
    return text.replace("-", _MINUS) if text.startswith("-") else f"{'+' if plus else ''}{text}"


def _printable(character: str) -> str:
    return "\ufffd" if unicodedata.category(character) in ("Cc", "Cs", "Cn") or character in _OVERRIDES else character


_OVERRIDES: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Direction overrides: in a name they would reorder the text that follows it."""


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _fitting(text: str, width: int) -> str:
    used = 0
    for place, character in enumerate(text):
        used += _columns(character)
        if used > width:
            return text[:place]
    return text
