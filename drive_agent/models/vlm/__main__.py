"""python -m drive_agent.models.vlm WEIGHTS [DEVICE]: prints what the weights do on this machine; exit 1 if anything fails."""

from __future__ import annotations

import sys

from drive_agent.models.vlm.check import checks, table


def main(words: list[str]) -> int:
    """Run the checks."""
    if not 1 <= len(words) <= 2:
        print(__doc__)
        return 2
    return 0 if table(checks(words[0], words[1] if len(words) == 2 else "cuda"), print) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
