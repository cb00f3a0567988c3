"""The default grid of candidates, evaluated on arrays: who did an event k times in d days by u users."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from discovery.milestone import Condition
from discovery.spec import CandidatesSpec

_DEFAULT = CandidatesSpec()
AT_LEAST, WITHIN_DAYS, MIN_USERS = _DEFAULT.at_least, _DEFAULT.within_days, _DEFAULT.min_users
LEAST_REACH, MOST_REACH = _DEFAULT.min_reach, _DEFAULT.max_reach
_MOST_USERS = 1 << 20


def grid_flags(
    event: str, account: NDArray[np.int64], user: NDArray[np.int64], lag: NDArray[np.int64], accounts: int
) -> Iterator[tuple[Condition, NDArray[np.bool_]]]:
    """Yield every rule of one event with who met it.

    Parameters
    ----------
    event : str
        Name of the event.
    account, user, lag : int64[rows]
        Each row's account from 0, its user, and its time in seconds since the account's signup.
    accounts : int
        Number A of accounts.

    Yields
    ------
    Condition, bool[A]
    """
    for days in WITHIN_DAYS:
        inside = (lag >= 0) & (lag < days * 86_400)
        uses = np.bincount(account[inside], minlength=accounts)
        pairs = np.unique(account[inside] * _MOST_USERS + user[inside])
        users = np.bincount(pairs // _MOST_USERS, minlength=accounts)
        for at_least in AT_LEAST:
            for by in MIN_USERS:
                yield Condition(event, at_least, days * 24, by), (uses >= at_least) & (users >= by)
