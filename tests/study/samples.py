"""A world as the sample that is searched, without the rest of a study."""

from contextlib import closing
from dataclasses import dataclass

import discovery
from discovery import exposure, intake, ranking
from discovery.outcome import Outcome, read_outcome
from discovery.simulate import Truth
from discovery.spec import Day, StudySpec, build_spec
from discovery.study.evidence import lifetimes, prepare_sample
from discovery.study.sample import Sample

SPEC = {"accounts": {"segments": ["plan", "company_size"]}, "outcome": {"kind": "retained"}}


@dataclass(frozen=True)
class Prepared:
    """A sample with what was asked and what is true."""

    sample: Sample
    outcome: Outcome
    spec: StudySpec
    truth: Truth


def prepare(world, accounts, seed, spec=SPEC):
    """Simulate a world and walk as far as the sample."""
    made = discovery.simulate_world(world, accounts=accounts, seed=seed)
    asked = build_spec(spec)
    relations = intake.load(made.events, made.accounts, asked, progress=lambda stage, share=None: None)
    with closing(relations.engine):
        grid = relations.spec.candidates
        outcome = read_outcome(lifetimes(relations), relations.spec.outcome, window_days=grid.window_days)
        measured = exposure.measure(
            relations.engine,
            relations.events_table,
            relations.accounts_table,
            len(relations.accounts),
            tuple(days * Day for days in grid.within_days),
            grid.window_days * Day,
        )
        flags = exposure.candidate_flags(
            measured, outcome.positions, grid.at_least, grid.within_days, grid.min_users, ranking.MIN_SIDE
        )
        sample = prepare_sample(relations, outcome, measured, flags)
    return Prepared(sample=sample, outcome=outcome, spec=relations.spec, truth=made.truth)
