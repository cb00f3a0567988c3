"""Validation as a hostile world meets it: odd exports, odd proposals, odd files; every answer whole and readable."""

from __future__ import annotations

import html
import json
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import discovery
from discovery.cli import app
from discovery.cli.scorecard import print_validation
from discovery.cli.terminal import Console
from discovery.errors import DiscoveryError
from discovery.export.tables import write_validation
from discovery.milestone import Milestone
from discovery.results import ValidationResult

RULE = "report_shared >= 3 within 7d"
SPEC = {
    "accounts": {"segments": ["plan"]},
    "outcome": {"kind": "retained"},
    "candidates": {"at_least": [1, 3], "within_days": [7, 14], "min_users": [1], "conjunctions": 1},
}
NAMES = [
    'say "hi"',
    "emoji 🎉",
    "<b>&amp;</b>",
    "日本語",
    "it's {{x}} or not >= 3",
    "a\\b\tc",
    "and",
    "within 7d",
    "z" * 200,
    "new\nline",
    " lead ",
    "%s %d",
    "null",
]
UNREADABLE = re.compile(r"\b(nan|NaN|inf|None|NaT|np\.|causes|drives)\b|  |\{\}|<NA>")

Tables = tuple[pd.DataFrame, pd.DataFrame]


@pytest.fixture(scope="module")
def world() -> Tables:
    made = discovery.simulate_world("easy", accounts=400, seed=98)
    return made.events.to_pandas(), made.accounts.to_pandas()


def asked(tables: Tables, *milestones: str | Milestone, spec: Any = SPEC, **options: Any) -> ValidationResult:
    """Validate; a warning of a library would end up on somebody's terminal."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        return discovery.Study(*tables, spec).validate(*milestones, **{"independent": True, **options})


def readable(result: ValidationResult, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Render the result in every form, and return its report once all that people read of it is found readable."""
    json.loads(result.to_json(), parse_constant=lambda name: pytest.fail(f"{name} in validation.json"))
    write_validation(result, folder, plan=True)
    print_validation(Console(), result, folder, plan=True)
    printed = capsys.readouterr().out
    for proposal in result.proposals:
        for sentence in (proposal.sentence, *proposal.reasons, *(c.sentence for c in proposal.criteria)):
            assert not UNREADABLE.search(sentence.replace(proposal.milestone, "“”")), sentence
            assert re.search(r"[.?!]$", sentence), sentence
        assert proposal.verdict.upper() in printed
    return (folder / "report.html").read_text(encoding="utf-8")


def test_event_names_of_every_kind_survive_to_every_page(
    world: Tables, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events, accounts = world
    ordinary = sorted(set(events["event"]) - {"account_created", "report_shared"})[: len(NAMES)]
    named = dict(zip(ordinary, NAMES, strict=True))
    proposed = [Milestone.of(name) for name in NAMES]
    result = asked((events.assign(event=events["event"].replace(named)), accounts), *proposed)
    assert [proposal.milestone for proposal in result.proposals] == [str(one) for one in proposed]
    assert all(
        Milestone.parse(proposal.milestone) == one for proposal, one in zip(result.proposals, proposed, strict=True)
    )
    assert all(proposal.reach > 0 for proposal in result.proposals)
    page = readable(result, tmp_path, capsys)
    body = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)
    assert "<b>&amp;</b>" not in body
    assert "<b>&amp;</b>" in html.unescape(body)


def no_users(events: pd.DataFrame, accounts: pd.DataFrame) -> Tables:
    return events.drop(columns="user_id"), accounts


def only_dates(events: pd.DataFrame, accounts: pd.DataFrame) -> Tables:
    days = {column: accounts[column].dt.strftime("%Y-%m-%d") for column in ("signup_at", "churned_at")}
    return events.assign(timestamp=events["timestamp"].dt.strftime("%Y-%m-%d")), accounts.assign(**days)


def one_segment_value(events: pd.DataFrame, accounts: pd.DataFrame) -> Tables:
    return events, accounts.assign(plan="all the same")


def a_segment_value_each(events: pd.DataFrame, accounts: pd.DataFrame) -> Tables:
    return events, accounts.assign(plan=accounts["account_id"])


def one_account(events: pd.DataFrame, accounts: pd.DataFrame) -> Tables:
    return events[events["account_id"] == accounts["account_id"][0]], accounts.head(1)


def nobody_left(events: pd.DataFrame, accounts: pd.DataFrame) -> Tables:
    return events, accounts.assign(churned_at=pd.NaT)


def only_later_events(events: pd.DataFrame, accounts: pd.DataFrame) -> Tables:
    signup = events["account_id"].map(accounts.set_index("account_id")["signup_at"])
    return events[events["timestamp"] >= signup + pd.Timedelta(days=14)], accounts


@pytest.mark.parametrize(
    ("export", "verdicts"),
    [
        (no_users, ["holds", "does not hold", "not enough data"]),
        (only_dates, ["holds", "holds", "not enough data"]),
        (one_segment_value, ["holds", "not enough data", "not enough data"]),
        (a_segment_value_each, ["holds", "not enough data", "not enough data"]),
        (one_account, ["not enough data"] * 3),
        (nobody_left, ["not enough data"] * 3),
        (only_later_events, ["not enough data"] * 3),
    ],
)
def test_a_messy_export_is_answered_and_readable(
    world: Tables, export: Any, verdicts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = asked(export(*world), RULE, f"{RULE} by 2 users", "login >= 1000")
    readable(result, tmp_path, capsys)
    said = [proposal.verdict for proposal in result.proposals]
    assert said[0] == verdicts[0]
    assert said[2] == verdicts[2]
    if export is no_users:
        assert result.proposals[1].criterion("observable").decides


@pytest.mark.parametrize(
    "proposal",
    [
        "report_shared within 36h",
        "(login within 1h) or ((report_shared >= 2 and (data_imported or task_completed)) within 7d)",
        "login or report_shared or help_opened",
        "no_such_event",
        "report_shared >= 200 within 7d by 90 users",
    ],
)
def test_an_odd_proposal_is_answered_and_readable(
    world: Tables, proposal: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = asked(world, proposal)
    readable(result, tmp_path, capsys)
    assert (result.proposals[0].verdict == "does not hold") == (proposal == "no_such_event")


def test_thresholds_beyond_a_byte_are_counted(world: Tables) -> None:
    """The search clamps its counts at 255; a proposal may not be."""
    events, accounts = world
    ids = accounts["account_id"].to_numpy()
    times = np.where(np.arange(len(ids)) % 2, 280, 320)
    place = np.repeat(np.arange(len(ids)), times)
    pings = pd.DataFrame(
        {
            "account_id": ids[place],
            "user_id": "u",
            "event": "ping",
            "timestamp": accounts["signup_at"].iloc[place].reset_index(drop=True) + pd.Timedelta(hours=3),
            "event_id": [f"ping{i}" for i in range(len(place))],
        }
    )
    pings["timestamp"] += pd.to_timedelta(np.arange(len(pings)) % 1000, unit="s")
    tables = pd.concat([events, pings]), accounts
    met, nobody = asked(tables, "ping >= 300", "ping >= 321").proposals
    assert met.reach == pytest.approx(0.5, abs=0.05)
    assert nobody.reach == 0


def test_a_dozen_proposals_and_one_spelled_twice(world: Tables) -> None:
    events = sorted(set(world[0]["event"]))[:12]
    result = asked(world, *events, f"{events[3]} >= 1", f"({events[4]})")
    assert [proposal.milestone for proposal in result.proposals] == events


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "{}",
        "[]",
        "null",
        '{"schema": 1}',
        '{"schema": 99, "proposals": []}',
        "\0\0",
        '{"schema": 1, "verdict": 3}',
    ],
)
def test_a_comparison_with_a_broken_file_is_refused_before_any_work(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("old.json").write_text(content, encoding="utf-8")
    asked = ["validate", "no_events.csv", "no_accounts.csv", "--milestone", RULE, "--compare", "old.json"]
    done = CliRunner().invoke(app, asked)
    assert isinstance(done.exception, DiscoveryError)
    assert "old.json" in str(done.exception)
    assert done.stdout == ""
    assert {path.name for path in tmp_path.iterdir()} == {"old.json"}
