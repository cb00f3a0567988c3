"""What every section of the spec is: frozen, and without unknown keys."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section of the spec. Everything is checked once, when it is made."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
