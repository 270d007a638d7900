"""`make bench`: one table of how fast it is; `--plots`: how cost grows, as docs/images/performance.png."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from tests.bench import growth, parts

CONSOLE = Console(highlight=False)


def main() -> None:
    """Measure part by part and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--plots", action="store_true", help="measure how cost grows, and draw it")
    parser.add_argument("parts", nargs="*", help="only the parts whose names hold one of these words")
    arguments = parser.parse_args()

    def wanted(name: str) -> bool:
        return not arguments.parts or any(word in name for word in arguments.parts)

    table = Table("what", "median", "", title="make bench")
    if arguments.plots:
        curves = []
        for measure in growth.CURVES:
            CONSOLE.print(f"measuring: {(measure.__doc__ or '').strip()}")
            curves.append(measure())
            growth.add_rows(table, curves[-1])
        growth.draw(curves)
    else:
        for part in parts.PARTS:
            if wanted(part.__name__):
                CONSOLE.print(f"measuring: {(part.__doc__ or '').strip()}")
                part(table)
    CONSOLE.print(table)


if __name__ == "__main__":
    main()
