"""Where data sets and trainings lie unless told otherwise: outside the checkout."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """DRIVE_AGENT_HOME, else ~/.cache/drive_agent."""
    told = os.environ.get("DRIVE_AGENT_HOME")
    return Path(told) if told else Path.home() / ".cache" / "drive_agent"
