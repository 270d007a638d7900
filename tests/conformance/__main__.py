"""Write docs/carla_compatibility.md: `python -m tests.conformance` runs the tests that prove its rows, about a minute.

`python -m tests.conformance --trust` writes it from the marks alone, taking the tests as passed (the test suite runs
them anyway). Hand-kept sections: see `page.py`.
"""

import argparse

import pytest

from tests.conformance import page


class _Failures:
    """A pytest plugin that notes which tests failed."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """pytest."""
        if report.failed:
            self.names.add(report.nodeid.split("[")[0])


def main() -> int:
    """0 if every proof passed."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument(
        "--trust", action="store_true", help="write from the marks, without running the tests"
    )
    proofs, failures = page.collect_proofs(), _Failures()
    if not parser.parse_args().trust:
        # The page's own test would compare the page that is about to be replaced.
        names = sorted({proof.test for proof in proofs})
        pytest.main([*names, "--rootdir", str(page.ROOT)], plugins=[failures])
    page.PAGE.write_text(page.render(proofs, frozenset(failures.names)), encoding="utf-8")
    print(
        f"{page.PAGE.relative_to(page.ROOT)}: {len(failures.names)} failing, {len(page.unproved(proofs))} rows without a test"
    )
    return 1 if failures.names else 0


if __name__ == "__main__":
    raise SystemExit(main())
