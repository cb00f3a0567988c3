"""What only the first families get: reference refits, exact times of reach and curves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from discovery import estimate, exposure
from discovery.errors import Caution
from discovery.exposure import Exposure
from discovery.intake import Relations
from discovery.milestone import Milestone
from discovery.outcome import Outcome
from discovery.ranking import Evidence, Finalist, GradedFamily, Grading
from discovery.results import Estimate, SecondOpinion, SurvivalCurve
from discovery.spec import Day
from discovery.study.properties import columns_of
from discovery.study.sample import Sample

MOST = 5
"""How many families are refitted at the most."""
ADMITTED = 10
"""How many families the second opinion names."""
NON_PROPORTIONAL_P = 0.01


@dataclass(frozen=True)
class Finalists:
    """The findings and leads, or for lack of them the first three families, seen more closely."""

    relations: Relations
    outcome: Outcome
    measured: Exposure
    sample: Sample
    evidence: Evidence
    grading: Grading

    @cached_property
    def families(self) -> tuple[GradedFamily, ...]:
        """The families seen more closely, best first."""
        ranked = tuple(family for family in self.grading.families if family.rank is not None)
        return self.grading.standing_out[:MOST] or ranked[:3]

    def _reached(self, family: GradedFamily) -> NDArray[np.bool_]:
        """Return which accounts reach a family's rule, length n."""
        return exposure.flag(self.measured, self.outcome.positions, self._milestone(family))

    def _milestone(self, family: GradedFamily) -> Milestone:
        return self.evidence.candidates.milestones[family.best]

    def _reach_days(self, family: GradedFamily) -> NDArray[np.float64] | None:
        """Return the exact days to a family's rule, length n; inf where never reached. None: the events are needed."""
        relations, milestone = self.relations, self._milestone(family)
        first = exposure.first_reached(self.measured, milestone)
        if first is not None or relations.where == "aggregates":
            return None if first is None else first[self.outcome.positions]
        days = exposure.reach_times(
            relations.engine,
            relations.events_table,
            relations.accounts_table,
            len(relations.accounts),
            milestone,
            relations.spec.candidates.window_days * Day,
            columns_of(relations),
        )
        return days[self.outcome.positions]

    def refits(self) -> dict[str, Finalist]:
        """Return the reference refits of each family's rule, by family."""
        return {family.name: self._refit(family) for family in self.families}

    def _refit(self, family: GradedFamily) -> Finalist:
        days, flag = self._reach_days(family), self._reached(family)
        odds = self._adjusted_odds_ratio(flag)
        cautions: tuple[Caution, ...] = (Caution.NOT_CONVERGED,) if odds.status == "not_converged" else ()
        hazard = proportional_p = None
        if self.outcome.duration is not None and self.outcome.departed is not None:
            alpha = self.relations.spec.inference.alpha
            cox = estimate.cox_refit(self.outcome.duration, self.outcome.departed, flag, None, alpha)
            proportional_p = cox.proportional_hazards_p
            if cox.hazard_ratio is not None:
                hazard = Estimate(
                    estimate=cox.hazard_ratio,
                    ci_lower=cox.ci_lower,
                    ci_upper=cox.ci_upper,
                    scale="hazard ratio",
                    estimand="unadjusted",
                    n_accounts=len(flag),
                    status=cox.status,
                )
            if proportional_p is not None and proportional_p < NON_PROPORTIONAL_P:
                cautions += (Caution.NON_PROPORTIONAL,)
        return Finalist(
            adjusted_odds_ratio=odds,
            hazard_ratio=hazard,
            proportional_hazards_p=proportional_p,
            median_days_to_reach=float(np.median(days[flag])) if days is not None and flag.any() else None,
            warnings=cautions,
        )

    def _adjusted_odds_ratio(self, flag: NDArray[np.bool_]) -> Estimate:
        mature, design = self.outcome.mature, self.sample.horizon_null.design
        fit = estimate.logit_refit(
            design, self.outcome.retained[mature], flag[mature], self.relations.spec.inference.alpha
        )
        return Estimate(
            estimate=fit.odds_ratio,
            ci_lower=fit.ci_lower,
            ci_upper=fit.ci_upper,
            scale="odds ratio",
            estimand="conditional on activity and traits",
            n_accounts=int(mature.sum()),
            status=fit.status,
        )

    def second_opinion(self) -> tuple[SecondOpinion, ...]:
        """Return the order in which an L1-penalised logistic path admits the families."""
        singles = len(self.sample.flags)
        rows = np.flatnonzero(self.evidence.eligible[:singles])
        mature = self.outcome.mature
        path = estimate.second_opinion(
            self.sample.flags.packed,
            mature,
            self.outcome.retained,
            self.evidence.candidates.family_of[rows],
            ADMITTED,
            rows,
        )
        return tuple(
            SecondOpinion(
                rank=place,
                family=self.evidence.candidates.families[entry.family],
                milestone=str(self.evidence.candidates.milestones[rows[entry.candidate]]),
                sign="+" if entry.sign > 0 else "-",
            )
            for place, entry in enumerate(path, start=1)
        )

    def curves(self) -> tuple[SurvivalCurve, ...]:
        """Return the Kaplan-Meier curves of the first family, reached and not reached."""
        duration, departed = self.outcome.duration, self.outcome.departed
        if duration is None or departed is None or not self.families:
            return ()
        first = self.families[0]
        flag = self._reached(first)
        alpha = self.relations.spec.inference.alpha
        text = str(self._milestone(first))
        sides = ((f"reached {text}", flag), ("did not reach it", ~flag))
        return tuple(
            estimate.kaplan_meier(duration[side], departed[side], label, alpha) for label, side in sides if side.any()
        )
