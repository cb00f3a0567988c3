"""Arrays in, frozen estimates out.

`separation` and `survival` describe every candidate at once; `adjustment`, `logistic` and `effect` say what is
left of it beside the account's traits and its general activity, and `saddlepoint` how likely that is by chance
where the outcome is rare; `multiplicity` says what that is worth after a search. `survival_models`, `logit_refit`
and `second_opinion` ask a reference library about the few candidates that are shown, and load it only then.
"""

from discovery.estimate.adjusted import ORDER_SAMPLE, AdjustedScan, Adjustment, adjusted_scan, prepare_adjustment
from discovery.estimate.adjustment import (
    Covariates,
    Design,
    descendants,
    design,
    static_covariates,
    volume_covariates,
)
from discovery.estimate.effect import AdjustedDifference, adjusted_difference
from discovery.estimate.flags import count_within, pack, tiles, unpack
from discovery.estimate.logistic import NullModel, ScoreTest, fit_null, score_test
from discovery.estimate.logit_refit import LogitRefit, logit_refit
from discovery.estimate.multiplicity import (
    accounts_needed,
    benjamini_hochberg,
    bonferroni,
    critical_z,
    minimum_detectable,
)
from discovery.estimate.second_opinion import Admission, second_opinion
from discovery.estimate.separation import Separation, separate
from discovery.estimate.survival import SurvivalScan, scan
from discovery.estimate.survival_models import CoxRefit, cox_refit, kaplan_meier

__all__ = [
    "ORDER_SAMPLE",
    "AdjustedDifference",
    "AdjustedScan",
    "Adjustment",
    "Admission",
    "Covariates",
    "CoxRefit",
    "Design",
    "LogitRefit",
    "NullModel",
    "ScoreTest",
    "Separation",
    "SurvivalScan",
    "accounts_needed",
    "adjusted_difference",
    "adjusted_scan",
    "benjamini_hochberg",
    "bonferroni",
    "count_within",
    "cox_refit",
    "critical_z",
    "descendants",
    "design",
    "fit_null",
    "kaplan_meier",
    "logit_refit",
    "minimum_detectable",
    "pack",
    "prepare_adjustment",
    "scan",
    "score_test",
    "second_opinion",
    "separate",
    "static_covariates",
    "tiles",
    "unpack",
    "volume_covariates",
]
