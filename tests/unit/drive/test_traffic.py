"""Background traffic: what the client says of it."""

from __future__ import annotations

import os

import pytest

from drive_agent.drive.traffic import NO_CACHE, _stderr_without


def test_only_the_known_warning_is_kept_from_the_screen(capfd):
    with pytest.raises(RuntimeError), _stderr_without(NO_CACHE):
        os.write(2, b"WARNING: " + NO_CACHE + b". Setting up local map.\nWARNING: the port is taken\n")
        raise RuntimeError
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "WARNING: the port is taken\nafterwards\n"
