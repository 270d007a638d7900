"""How all tests draw their examples, and how they say how many they tried."""

import sys
from collections.abc import Callable

import pytest
from hypothesis import settings

# The same examples in every run. To look for new ones: pytest -m hypothesis --hypothesis-profile=explore
# No deadline, since the first call of a kernel loads or compiles it.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None)
settings.load_profile("repeatable")


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints a line even where pytest keeps a passing test's output to itself."""

    def line(text: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{text}\n")

    return line
