"""The whole spec: the sections of `discover.toml`."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Self

from pydantic import model_validator

from discovery.spec.questions import (
    CandidatesSpec,
    ExperimentSpec,
    InferenceSpec,
    KindsSpec,
    LadderSpec,
    OutcomeSpec,
    ProductSpec,
)
from discovery.spec.section import Section
from discovery.spec.sources import AccountsSpec, EventsSpec, IdentitySpec


class StudySpec(Section):
    """Everything a study is asked. Sections and names are those of `discover.toml`."""

    events: EventsSpec = EventsSpec()
    accounts: AccountsSpec = AccountsSpec()
    identity: IdentitySpec = IdentitySpec()
    product: ProductSpec = ProductSpec()
    outcome: OutcomeSpec = OutcomeSpec()
    kinds: KindsSpec = KindsSpec()
    candidates: CandidatesSpec = CandidatesSpec()
    inference: InferenceSpec = InferenceSpec()
    experiment: ExperimentSpec = ExperimentSpec()
    ladder: LadderSpec = LadderSpec()

    @model_validator(mode="after")
    def _horizon_after_window(self) -> Self:
        window = self.candidates.window_days
        first_day = self.outcome.active_days[0] if self.outcome.kind == "active" else self.outcome.by_day
        if self.outcome.kind == "active" and first_day < window:
            raise ValueError(
                f"outcome.active_days starts on day {first_day}, inside the {window}-day observation window; "
                f"start it at {window} or later"
            )
        if self.outcome.kind != "active" and first_day <= window:
            raise ValueError(
                f"outcome.by_day = {first_day} is not after the {window}-day observation window; "
                "raise it, or shorten candidates.window_days"
            )
        return self

    def as_dict(self) -> dict[str, Any]:
        """Return the spec as plain values, with the names of the TOML file and no empty entries."""
        dumped = self.model_dump(by_alias=True, mode="json")
        return {section: {k: v for k, v in values.items() if v is not None} for section, values in dumped.items()}

    def sha256(self) -> str:
        """Return the digest of the canonical spec."""
        canonical = json.dumps(self.as_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()
