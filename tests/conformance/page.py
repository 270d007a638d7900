"""The compatibility page, made of the claims that tests carry: one table per group, then the hand-kept sections.

Sections that no test can write (for example how ScenarioRunner's scenario classes fare) are Markdown files in
docs/carla_compatibility/, each beginning with a `## ` heading; they are appended in the order of their names.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.marker import Claim, Status
from tests.conformance.rows import GROUPS, ROWS, Row

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/carla_compatibility.md"
SECTIONS = ROOT / "docs/carla_compatibility"
PLACES = ("tests/conformance", "tests/client", "tests/unit/sim")  # where tests with claims live

_HEAD = """# What of CARLA 0.9.16 the embedded server offers

Every row is proved by tests with the genuine `carla` client, which check values, not only that a call returns. This page
is generated from them: `python -m tests.conformance` runs the tests and writes it.

*supported*: CARLA's behaviour. *limited*: works, with the difference that is named. *refused*: the client gets an error
that says so. *failing*: the test failed when this page was written. The need is the strongest that CARLA's own agents,
the Leaderboard, ScenarioRunner and the traffic manager have.
"""


@dataclass(frozen=True)
class Proof:
    """A test and one claim it makes; `test` is its pytest name without parameters."""

    test: str
    claim: Claim


def collect_proofs() -> list[Proof]:
    """All claims of all tests, in the order of files and lines."""
    proofs = []
    for place in PLACES:
        for path in sorted((ROOT / place).glob("test_*.py")):
            module = importlib.import_module(f"{place.replace('/', '.')}.{path.stem}")
            for name, test in vars(module).items():
                marks = getattr(test, "pytestmark", ()) if name.startswith("test_") else ()
                proofs += [
                    Proof(f"{place}/{path.name}::{name}", mark.args[0])
                    for mark in marks
                    if mark.name == "conforms"
                ]
    return proofs


def unproved(proofs: list[Proof]) -> list[Row]:
    """Rows that no test claims."""
    claimed = {(proof.claim.group, name) for proof in proofs for name in proof.claim.names}
    return [row for row in ROWS if (row.group, row.name) not in claimed]


def render(proofs: list[Proof], failed: frozenset[str] = frozenset()) -> str:
    """The whole page; `failed` names tests that failed."""
    parts = [_HEAD, _summary(proofs, failed)]
    for group in GROUPS:
        lines = [
            f"## {group[0].upper()}{group[1:]}\n",
            "| row | need | status | remark |",
            "|---|---|---|---|",
        ]
        lines += [_line(row, proofs, failed) for row in ROWS if row.group == group]
        parts.append("\n".join(lines) + "\n")
    parts += [path.read_text(encoding="utf-8").strip() + "\n" for path in sorted(SECTIONS.glob("*.md"))]
    return "\n".join(parts)


def _summary(proofs: list[Proof], failed: frozenset[str]) -> str:
    words = [_status(row, proofs, failed)[0] for row in ROWS]
    counts = ", ".join(
        f"{words.count(word)} {word}" for word in dict.fromkeys([s.value for s in Status] + words)
    )
    return f"{len(ROWS)} rows: {counts}.\n"


def _line(row: Row, proofs: list[Proof], failed: frozenset[str]) -> str:
    status, remark = _status(row, proofs, failed)
    return f"| `{row.name}` | {row.need} | {status} | {remark} |"


def _status(row: Row, proofs: list[Proof], failed: frozenset[str]) -> tuple[str, str]:
    mine = [proof for proof in proofs if proof.claim.group == row.group and row.name in proof.claim.names]
    broken = [proof.test.split("::")[1] for proof in mine if proof.test in failed]
    if broken:
        return "failing", ", ".join(broken)
    if not mine:
        return "not tested", ""
    worst = max((proof.claim.status for proof in mine), key=list(Status).index)
    return worst.value, "; ".join(dict.fromkeys(proof.claim.why for proof in mine if proof.claim.why))
