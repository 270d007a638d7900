"""The mark by which a test says which rows of the compatibility table it proves, and how they fare.

    @conforms("RPC", "get_level_bbs")                                            # supported: right values
    @conforms("sensor", "sensor.other.radar", limited="one return per ray")      # works, with this difference
    @conforms("RPC", "enable_carsim", refused="CarSim plugin is not enabled")  # a clear error, tested as such

Rows are those of `rows.py`. A row may be proved by several tests; a limit named by one of them limits the row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

import pytest

from tests.conformance.rows import ROWS

_KNOWN = {(row.group, row.name) for row in ROWS}
_Test = TypeVar("_Test", bound=Callable[..., None])


class Status(Enum):
    """How a row fares; the order is from best to worst."""

    SUPPORTED = "supported"
    LIMITED = "limited"
    REFUSED = "refused"


@dataclass(frozen=True)
class Claim:
    """What one test says of some rows of a group."""

    group: str
    names: tuple[str, ...]
    status: Status
    why: str


def conforms(group: str, *names: str, limited: str = "", refused: str = "") -> Callable[[_Test], _Test]:
    """Mark a test as the proof of these rows; ValueError for a row that rows.py does not have."""
    unknown = [name for name in names if (group, name) not in _KNOWN]
    if unknown or not names or (limited and refused):
        raise ValueError(
            f"conforms({group!r}, {names}): expected rows of tests/conformance/rows.py, one status"
        )
    status = Status.REFUSED if refused else Status.LIMITED if limited else Status.SUPPORTED
    return pytest.mark.conforms(Claim(group, names, status, refused or limited))
