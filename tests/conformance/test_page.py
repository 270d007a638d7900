"""The committed page is what the marks say, and says something of every row."""

from __future__ import annotations

import pytest

from tests.conformance import page
from tests.conformance.marker import Claim, Status, conforms
from tests.conformance.rows import ROWS


def test_no_row_is_named_twice() -> None:
    names = [(row.group, row.name) for row in ROWS]
    assert len(set(names)) == len(names)


def test_the_committed_page_is_what_the_tests_say() -> None:
    made = page.render(page.collect_proofs())
    assert page.PAGE.read_text(encoding="utf-8") == made, "run: python -m tests.conformance"


def test_every_row_has_a_proof() -> None:
    assert [row.name for row in page.unproved(page.collect_proofs())] == []


def test_a_limit_outweighs_a_success_and_a_failure_both() -> None:
    proofs = [
        page.Proof("a.py::test_x", Claim("RPC", ("version",), Status.SUPPORTED, "")),
        page.Proof("a.py::test_y", Claim("RPC", ("version",), Status.LIMITED, "only on Sundays")),
    ]
    assert "| `version` | must | limited | only on Sundays |" in page.render(proofs)
    assert "| `version` | must | failing | test_x |" in page.render(proofs, frozenset({"a.py::test_x"}))


def test_a_claim_about_an_unknown_row_is_refused() -> None:
    with pytest.raises(ValueError, match="no_such_call"):
        conforms("RPC", "no_such_call")
