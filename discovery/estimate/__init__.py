"""Arrays in, frozen estimates out.

`separation` and `survival` describe every candidate at once; `adjustment`, `logistic` and `effect` say what is
left of it beside the account's traits and its general activity, and `saddlepoint` how likely that is by chance
where the outcome is rare; `multiplicity` says what that is worth after a search. `survival_models`, `logit_refit`
and `second_opinion` ask a reference library about the few candidates that are shown, and load it only then.
"""

from discovery.estimate.activity import ActivityFactors, activity_factors
from discovery.estimate.adjusted import (
    Adjustment,
    Comparison,
    Differences,
    Scores,
    cox_null,
    differences,
    logistic_null,
    score_all,
)
from discovery.estimate.adjustment import (
    Covariates,
    Design,
    activity_covariates,
    design,
    inertia_covariates,
    smooth,
    static_covariates,
    trait_of,
)
from discovery.estimate.calibration import calibrate, leverage
from discovery.estimate.cox_null import CoxNull, fit_cox_null
from discovery.estimate.effect import AdjustedDifference, LeftOver, adjusted_difference, adjusted_differences
from discovery.estimate.encouragement import (
    ComplierSet,
    Contrasts,
    arms_alike,
    complier_set,
    contrasts,
    holm_levels,
    sample_ratio,
)
from discovery.estimate.flags import ENOUGH_ACCOUNTS, count_within, evenly_spaced, pack, tiles, unpack
from discovery.estimate.going_on import GoingOn, going_on
from discovery.estimate.heterogeneity import heterogeneity
from discovery.estimate.holdout import (
    HeldOut,
    combined,
    draw_halves,
    held_out_packed,
    on_other_halves,
    residualised,
)
from discovery.estimate.logistic import (
    EfficientScores,
    NullModel,
    ScoreTest,
    WorkingModel,
    fit_null,
    score_packed,
    score_test,
)
from discovery.estimate.logit_refit import LogitRefit, logit_refit
from discovery.estimate.max_t import (
    BootstrapBlock,
    MaxT,
    bootstrap_beside,
    bootstrap_block,
    bootstrap_packed,
    bootstrap_rows,
    draw_multipliers,
    max_t,
    upper_bound,
)
from discovery.estimate.multiplicity import (
    accounts_needed,
    benjamini_hochberg,
    bonferroni,
    critical_z,
    minimum_detectable,
    normal_quantile,
)
from discovery.estimate.part import Shared, difference_among, difference_within, shared_fit
from discovery.estimate.plasmode import inertia_chance, plasmode_maxima, plasmode_packed
from discovery.estimate.power import accounts_per_arm, design_effect, intraclass_correlation
from discovery.estimate.products import cores_for, together
from discovery.estimate.proportions import holm, same_share, share
from discovery.estimate.second_opinion import Admission, second_opinion
from discovery.estimate.sensitivity import Robustness, e_value, robustness
from discovery.estimate.separation import Separation, separate
from discovery.estimate.stratified import Stratified, deciles, without_over_with
from discovery.estimate.sums import Beside, FlagSums, flag_sums
from discovery.estimate.survival import SurvivalScan, scan
from discovery.estimate.survival_models import CoxRefit, cox_refit, kaplan_meier
from discovery.estimate.thinning import flags_of, thinned
from discovery.estimate.timing import TimingEvidence, after_decision

__all__ = [
    "ENOUGH_ACCOUNTS",
    "ActivityFactors",
    "AdjustedDifference",
    "Adjustment",
    "Admission",
    "Beside",
    "BootstrapBlock",
    "Comparison",
    "ComplierSet",
    "Contrasts",
    "Covariates",
    "CoxNull",
    "CoxRefit",
    "Design",
    "Differences",
    "EfficientScores",
    "FlagSums",
    "GoingOn",
    "HeldOut",
    "LeftOver",
    "LogitRefit",
    "MaxT",
    "NullModel",
    "Robustness",
    "ScoreTest",
    "Scores",
    "Separation",
    "Shared",
    "Stratified",
    "SurvivalScan",
    "TimingEvidence",
    "WorkingModel",
    "accounts_needed",
    "accounts_per_arm",
    "activity_covariates",
    "activity_factors",
    "adjusted_difference",
    "adjusted_differences",
    "after_decision",
    "arms_alike",
    "benjamini_hochberg",
    "bonferroni",
    "bootstrap_beside",
    "bootstrap_block",
    "bootstrap_packed",
    "bootstrap_rows",
    "calibrate",
    "combined",
    "complier_set",
    "contrasts",
    "cores_for",
    "count_within",
    "cox_null",
    "cox_refit",
    "critical_z",
    "deciles",
    "design",
    "design_effect",
    "difference_among",
    "difference_within",
    "differences",
    "draw_halves",
    "draw_multipliers",
    "e_value",
    "evenly_spaced",
    "fit_cox_null",
    "fit_null",
    "flag_sums",
    "flags_of",
    "going_on",
    "held_out_packed",
    "heterogeneity",
    "holm",
    "holm_levels",
    "inertia_chance",
    "inertia_covariates",
    "intraclass_correlation",
    "kaplan_meier",
    "leverage",
    "logistic_null",
    "logit_refit",
    "max_t",
    "minimum_detectable",
    "normal_quantile",
    "on_other_halves",
    "pack",
    "plasmode_maxima",
    "plasmode_packed",
    "residualised",
    "robustness",
    "same_share",
    "sample_ratio",
    "scan",
    "score_all",
    "score_packed",
    "score_test",
    "second_opinion",
    "separate",
    "share",
    "shared_fit",
    "smooth",
    "static_covariates",
    "thinned",
    "tiles",
    "together",
    "trait_of",
    "unpack",
    "upper_bound",
    "without_over_with",
]
