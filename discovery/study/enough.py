"""Whether a run could answer at all: asked by a check, which reads what became of the accounts but studies nothing."""

from __future__ import annotations

import dataclasses

from discovery import ranking
from discovery.intake import Relations
from discovery.outcome import read_outcome
from discovery.results import QualityFinding, RuleChecked
from discovery.study.evidence import lifetimes

TOO_FEW = "too_few_accounts"


def with_enough_asked(relations: Relations) -> Relations:
    """Return the relations with the answer to whether enough accounts have a known outcome, and its finding.

    The rule is left as it is where an error stops a run before that.
    """
    if any(finding.severity == "error" for finding in relations.quality):
        return relations
    spec = relations.spec
    outcome = read_outcome(lifetimes(relations), spec.outcome, window_days=spec.candidates.window_days)
    reason = ranking.shortfall(outcome.population, outcome.summary)
    found = () if reason is None else (_finding(reason, outcome.population.mature, len(relations.accounts)),)
    rules = tuple(_answered(rule, found) if rule.code == TOO_FEW else rule for rule in relations.rules)
    notes = [finding for finding in relations.quality if finding.severity == "info"]
    loud = relations.quality[: len(relations.quality) - len(notes)]  # worst first
    return dataclasses.replace(relations, quality=(*loud, *found, *notes), rules=rules)


def _finding(reason: str, known: int, accounts: int) -> QualityFinding:
    return QualityFinding(
        code=TOO_FEW,
        severity="warning",
        message=f"A run would answer 'insufficient': {reason}.",
        count=known,
        share=known / accounts if accounts else None,
        examples=(),
        remedy="Export more accounts, or a longer time; or ask for an earlier outcome (outcome.by_day, "
        "outcome.active_days) or a shorter observation window (candidates.window_days).",
    )


def _answered(rule: RuleChecked, found: tuple[QualityFinding, ...]) -> RuleChecked:
    if not found:
        return dataclasses.replace(rule, state="passed", reason="")
    return dataclasses.replace(rule, state="warning", reason="", count=found[0].count, share=found[0].share)
