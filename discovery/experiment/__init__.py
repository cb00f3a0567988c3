"""What randomised tests say and would take: past ones as evidence, and the next one's design and size."""

from discovery.experiment.arms import Assigned
from discovery.experiment.evidence import Says, experimental_evidence
from discovery.experiment.past import Participants, read_experiments
from discovery.experiment.plan import last_day, plan_experiment

__all__ = [
    "Assigned",
    "Participants",
    "Says",
    "experimental_evidence",
    "last_day",
    "plan_experiment",
    "read_experiments",
]
