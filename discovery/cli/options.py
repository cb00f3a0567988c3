"""The arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="SPEC | EVENTS [ACCOUNTS]",
        help="A discover.toml, or the events and the accounts; without ACCOUNTS these are read off the events.",
    ),
]
OptionalInputs = Annotated[
    list[str],
    typer.Argument(
        metavar="SPEC | EVENTS [ACCOUNTS]",
        help="A discover.toml, or the events and the accounts; for a worksheet a study is run.",
    ),
]
Out = Annotated[Path, typer.Option("--out", help="Folder to write to; written whole or not at all.")]
Settings = Annotated[
    list[str], typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Override one value of the spec; repeatable.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the machine-readable result on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors (and --json).")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Seed of everything random.")]
ShowAccounts = Annotated[bool, typer.Option("--show-accounts", help="Name accounts in the files written.")]
Memory = Annotated[
    str | None,
    typer.Option(
        "--memory", metavar="SIZE", help="What reading, checking and counting may take, as in 4GB; at least 1GB."
    ),
]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Read the data again, whatever earlier runs kept; keep nothing.")
]
ExposureFile = Annotated[
    str | None,
    typer.Option(
        "--exposure",
        metavar="FILE",
        help="The answer of the SQL of export --exposure, instead of events; beside it a SPEC, or ACCOUNTS alone.",
    ),
]
