"""Thousands of rules over a million accounts, beside one regression after another by lifelines and statsmodels.

Every task runs in a process of its own, on the same made-up accounts, and answers with plain numbers:

python -m benchmarks.scale.ranking scan 2400 1000000         what separates and how soon accounts leave, rule by rule
python -m benchmarks.scale.ranking lifelines 2400 1000000    a few of the same Cox models, fitted by lifelines
python -m benchmarks.scale.ranking inference 2400 1000000    null models, scores, bound and differences of all rules
python -m benchmarks.scale.ranking statsmodels 2400 1000000  a few of the same regressions, fitted by statsmodels
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discovery import estimate
from discovery.estimate.products import in_parallel

Floats = NDArray[np.float64]

COVARIATES = 35
RULES_OF_AN_EVENT = 36
"""Nine thresholds by four windows."""
DAYS = 180
DRAWS, SPLITS = 999, 25
FEW = 3
"""Rules that the other libraries fit, evenly spaced among the common ones; each takes them as long as another."""
ONE_FROM = 500_000
"""Accounts from which they fit one rule alone, the middle one: it takes minutes."""
COMMON = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Accounts with flags, covariates and outcomes: busy accounts meet more rules and stay longer."""

    packed: NDArray[np.uint8]
    design: Floats
    retained: NDArray[np.bool_]
    duration: NDArray[np.int64]
    departed: NDArray[np.bool_]

    @property
    def n(self) -> int:
        """Accounts."""
        return len(self.retained)

    @property
    def few(self) -> NDArray[np.intp]:
        """The rules that other libraries fit."""
        reach = estimate.count_within(self.packed, np.ones(self.n, dtype=bool)) / self.n
        common = np.flatnonzero((reach > COMMON) & (reach < 1 - COMMON))
        places = np.linspace(0, len(common) - 1, FEW).astype(np.intp)
        return common[places if self.n < ONE_FROM else places[FEW // 2 : FEW // 2 + 1]]


def made(candidates: int, accounts: int, seed: int = 0) -> World:
    """Make rules of events that are done by one account in ten to most of them, more often by the busy ones."""
    busy = np.random.default_rng([seed, 0]).standard_normal(accounts)
    packed = np.empty((candidates, -(-accounts // 8)), dtype=np.uint8)

    def fill(tile: slice) -> None:
        generator = np.random.default_rng([seed, 1, tile.start])
        usual = generator.uniform(np.log(0.1), np.log(3.0))
        counts = generator.poisson(np.exp(0.7 * busy + usual), size=accounts)
        within = [counts]
        for share in (0.6, 0.6, 0.4):
            within.append(generator.binomial(within[-1], share))
        rules = ((done, k) for k in (1, 2, 3, 4, 5, 6, 7, 8, 10) for done in within)
        for place, (done, k) in zip(range(tile.start, tile.stop), rules, strict=False):
            packed[place] = np.packbits(done >= k)

    in_parallel(fill, candidates, RULES_OF_AN_EVENT, candidates * accounts)
    generator = np.random.default_rng([seed, 2])
    design = np.column_stack([np.ones(accounts), busy, generator.standard_normal((accounts, COVARIATES - 2))])
    leaves = generator.exponential(300.0 * np.exp(0.4 * busy)).astype(np.int64)
    return World(
        packed=packed,
        design=design,
        retained=leaves >= DAYS // 2,
        duration=np.minimum(leaves, DAYS),
        departed=leaves < DAYS,
    )


def scan(world: World) -> dict[str, float]:
    """Time the unadjusted separation and the survival scan of every rule."""
    everyone = np.ones(world.n, dtype=bool)
    separated = _seconds(lambda: estimate.separate(world.packed, world.retained, everyone))
    scanned = _seconds(lambda: estimate.scan(world.packed, world.n, world.duration, world.departed))
    return {"seconds": separated + scanned, "separate": separated, "scan": scanned}


def lifelines(world: World) -> dict[str, float]:
    """Time lifelines' Cox fits of a few rules, and compare their coefficients with those of the scan."""
    import pandas as pd
    from lifelines import CoxPHFitter

    ours = estimate.scan(world.packed[world.few], world.n, world.duration, world.departed)
    frame = pd.DataFrame({"duration": world.duration, "departed": world.departed})
    fits: list[float] = []
    started = time.perf_counter()
    for flag in estimate.unpack(world.packed[world.few], world.n):
        fitted = CoxPHFitter().fit(frame.assign(flag=flag), "duration", "departed", fit_options={"precision": 1e-9})
        fits.append(float(fitted.params_["flag"]))
    seconds = time.perf_counter() - started
    return {
        "seconds": seconds,
        "each": seconds / len(world.few),
        "largest_difference": float(np.abs(ours.log_hazard_ratio - fits).max()),
    }


def inference(world: World) -> dict[str, float]:
    """Time all that is said of single rules: null models, scores, the bound of the search, differences, held out."""
    rows = np.arange(world.n)
    parts: dict[str, float] = {}
    started = time.perf_counter()

    def lap(name: str) -> None:
        parts[name] = time.perf_counter() - started - sum(parts.values())

    logistic = [estimate.fit_null(world.design[:, :columns], world.retained) for columns in (COVARIATES, 20)]
    cox = estimate.fit_cox_null(world.design, world.duration.astype(float), world.departed)
    halves = estimate.draw_halves(world.duration, SPLITS, 1)
    lap("null_models")
    asked = [
        estimate.Beside(null=cox, halves=halves, scores_only=True),
        *(estimate.Beside(null=null) for null in logistic),
    ]
    sums = estimate.flag_sums(world.packed, world.n, asked)
    half_scores = sums[0].half_scores
    lap("sums")
    deciding = estimate.score_all(cox, world.packed, world.n, rows, known=sums[0].scores)
    for null, beside in zip(logistic, sums[1:], strict=True):
        estimate.score_all(null, world.packed, world.n, rows, tails=False, known=beside.scores)
    coefficients = logistic[0].coefficients
    estimate.leverage(sums[1].met, sums[1].along(coefficients), logistic[0].design @ coefficients)
    lap("scores")
    some = estimate.bootstrap_rows(world.n)
    multipliers = estimate.draw_multipliers(len(some), DRAWS, 1)
    thin = estimate.flags_of(world.packed, some)
    draws = estimate.bootstrap_beside(cox, sums[0].scores, thin, len(some), None, multipliers, some).score_draws
    estimate.upper_bound(np.sort(np.abs(draws).max(axis=0)), 0.05)
    lap("bound")
    for null, beside in zip(logistic, sums[1:], strict=True):
        estimate.differences(null, world.packed, world.n, rows, left=beside.left)
    lap("differences")
    families = [np.arange(start, min(start + RULES_OF_AN_EVENT, len(draws))) for start in _starts(len(draws))]
    chosen = [own[np.argmax(half_scores[own], axis=0)] for own in families]
    needed = np.unique(np.concatenate(chosen))
    places = [np.searchsorted(needed, own) for own in chosen]
    left = sums[1].of(needed).left
    estimate.held_out_packed(logistic[0], world.packed[needed], world.n, rows, places, halves, left=left)
    estimate.together(world.packed[[own[np.argmax(deciding.score[own])] for own in families]], world.n)
    lap("held_out")
    described = scan(world)["seconds"]
    lap("described")
    return {"seconds": sum(parts.values()), **parts, "of_which_scan": described}


def statsmodels(world: World) -> dict[str, float]:
    """Time statsmodels' logistic regressions of a few rules, and compare coefficients with those of our own fits."""
    import statsmodels.api as sm

    seconds, differences = 0.0, []
    for flag in estimate.unpack(world.packed[world.few], world.n):
        design = np.column_stack([world.design, flag])
        started = time.perf_counter()
        fitted = sm.Logit(world.retained.astype(float), design).fit(disp=0, method="newton")
        seconds += time.perf_counter() - started
        ours = estimate.fit_null(design, world.retained, ridge=0.0)
        differences.append(float(np.abs(ours.coefficients - fitted.params).max()))
    return {"seconds": seconds, "each": seconds / len(world.few), "largest_difference": max(differences)}


TASKS: dict[str, Callable[[World], dict[str, float]]] = {
    "scan": scan,
    "lifelines": lifelines,
    "inference": inference,
    "statsmodels": statsmodels,
}


def measured(task: str, candidates: int, accounts: int) -> dict[str, float]:
    """Do one task in a process of its own.

    Returns
    -------
    dict of str to float
        `seconds` of the task, without the making of the accounts; `peak`, bytes of memory at most; for the other
        libraries `each`, seconds for one rule, and `largest_difference` between their coefficients and ours.
    """
    command = [sys.executable, "-m", "benchmarks.scale.ranking", task, str(candidates), str(accounts)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    said: dict[str, float] = json.loads(done.stdout)
    return said


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _starts(candidates: int) -> range:
    return range(0, candidates, RULES_OF_AN_EVENT)


def _peak() -> float:
    with open("/proc/self/status", encoding="utf-8") as status:
        kilobytes = next(line for line in status if line.startswith("VmHWM:")).split()[1]
    return 1024.0 * int(kilobytes)


def main(given: list[str]) -> None:
    """Do one task in this process, and print what it took."""
    task, candidates, accounts = given[0], int(given[1]), int(given[2])
    world = made(candidates, accounts)
    started = time.process_time()
    said = TASKS[task](world)
    print(json.dumps({**said, "cpu": time.process_time() - started, "peak": _peak()}))


if __name__ == "__main__":
    main(sys.argv[1:])
