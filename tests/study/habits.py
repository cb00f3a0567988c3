"""Results without what is read of the first month."""

import copy


def without_habits(values):
    """Return the values of a result without its habits, which are described and decide nothing."""
    kept = copy.deepcopy(values)
    for ladder in kept["ladders"]:
        rungs = [rung for rung in ladder["rungs"] if rung["role"] != "habit"]
        ladder["rungs"], ladder["stages"] = rungs, [s for s in ladder["stages"] if s["name"] != "habit"]
        for funnel in ladder["funnels"]:
            funnel["p_adjusted"] = funnel["p_adjusted"][: len(rungs)]
            for row in funnel["rows"]:
                row["n_reached"], row["conversion"] = row["n_reached"][: len(rungs)], row["conversion"][: len(rungs)]
    return kept
