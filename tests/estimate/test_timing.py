"""The rule that takes an event for a consequence of the decision: strong evidence or none."""

import numpy as np
import pytest
from scipy.stats import binomtest

from discovery.estimate.timing import after_decision


@pytest.mark.parametrize(("near", "having"), [(1, 20), (13, 20), (20, 20), (400, 900)])
def test_the_bound_is_that_of_clopper_and_pearson(near: int, having: int) -> None:
    found = after_decision(np.array([having]), np.array([near]), np.array([0.1]))
    exact = binomtest(near, having, alternative="greater").proportion_ci(0.95, method="exact")
    assert found.share_lower[0] == pytest.approx(exact.low, abs=1e-12)
    assert found.share[0] == near / having


@pytest.mark.parametrize(
    ("having", "near", "expected", "follows"),
    [
        (100, 90, 0.05, True),
        (20, 20, 0.0, True),
        (19, 19, 0.0, False),  # too few accounts
        (100, 50, 0.0, False),  # not most of them
        (100, 60, 0.11, False),  # bound .513, not five times .11
        (100, 60, 0.10, True),
        (100, 90, np.nan, False),  # nothing to compare with
        (0, 0, 0.0, False),
    ],
)
def test_only_strong_evidence_counts(having: int, near: int, expected: float, follows: bool) -> None:
    found = after_decision(np.array([having]), np.array([near]), np.array([expected]))
    assert found.follows.tolist() == [follows]


def test_no_events_are_no_evidence() -> None:
    none = np.zeros(0)
    assert after_decision(none, none, none).follows.shape == (0,)
