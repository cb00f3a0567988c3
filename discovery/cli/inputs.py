"""What the words of a command line stand for: a spec, or events and accounts, and what is asked of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discovery.errors import InputError

if TYPE_CHECKING:
    from discovery.spec import StudySpec
    from discovery.study import Study

Sources = tuple[str | None, str | None]
"""Events and accounts; None where the spec names them."""


def study_of(
    inputs: list[str],
    settings: list[str],
    seed: int | None,
    memory: str | None,
    no_cache: bool,
    exposure: str | None = None,
) -> Study:
    """Return the study that is asked for; with `exposure`, of aggregates in the place of events."""
    from discovery.study import Study

    spec = spec_of(inputs, settings, seed)
    sources = sources_of(inputs) if exposure is None else (None, _accounts_of(inputs))
    return Study(*sources, spec, exposure=exposure, cache=not no_cache, memory=memory)


def sources_of(inputs: list[str]) -> Sources:
    """Tell a spec from events with their accounts, and from events alone, which the accounts are read off."""
    if len(inputs) == 1:
        return (None, None) if _is_spec(inputs[0]) else (inputs[0], None)
    if len(inputs) == 2:
        return inputs[0], inputs[1]
    raise InputError(
        f"Expected a spec (discover.toml), or EVENTS and ACCOUNTS, or EVENTS alone; got {len(inputs)}: "
        f"{' '.join(inputs)}."
    )


def _accounts_of(inputs: list[str]) -> str | None:
    """Return the accounts beside aggregates; None where a spec names them."""
    if len(inputs) == 1:
        return None if _is_spec(inputs[0]) else inputs[0]
    raise InputError(
        f"--exposure stands for the events. Give a spec (discover.toml) or ACCOUNTS beside it, and no EVENTS; got "
        f"{len(inputs)}: {' '.join(inputs)}."
    )


def spec_of(inputs: list[str], settings: list[str], seed: int | None) -> StudySpec:
    """Return the spec with the settings laid over it; without one, that of zero configuration."""
    from discovery.spec import build_spec, load_spec, override

    if seed is not None:
        settings = [*settings, f"inference.seed={seed}"]
    if len(inputs) == 1 and _is_spec(inputs[0]):
        return load_spec(inputs[0], settings)
    return build_spec(override({}, settings), origin="--set")


def reads_from(study: Study) -> list[str]:
    """Return where the study reads from."""
    events = study.exposure or study.events or study.spec.events.source
    given = (events, study.accounts or study.spec.accounts.source)
    return [str(path) for path in given if path]


def _is_spec(given: str) -> bool:
    return given.endswith(".toml")
