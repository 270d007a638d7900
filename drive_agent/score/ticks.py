"""What is counted over the ticks of drives: how long each stage took, what the guard did, which replies held no plan."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from drive_agent.score.drive_record import DriveRecord

PERCENTILES = {"p50": 50, "p90": 90, "p99": 99, "max": 100}


@dataclass
class Ticks:
    """Sums over drives."""

    ticks: int = 0
    model_calls: int = 0
    timings_ms: dict[str, list[float]] = field(default_factory=dict)
    guard: Counter[str] = field(default_factory=Counter)
    plan_errors: Counter[str] = field(default_factory=Counter)
    tokens: list[int] = field(default_factory=list)

    def add(self, drive: DriveRecord) -> None:
        """Take all ticks of one drive."""
        for record in drive.ticks:
            self.ticks += 1
            if record.reply is not None:
                self.model_calls += 1
                self.tokens.append(record.reply.tokens)
            if record.guard:
                self.guard[record.guard] += 1
            if record.plan_error is not None and record.reply is not None:
                self.plan_errors[record.plan_error.reason] += 1
            for stage, spent in record.timings_ms.items():
                self.timings_ms.setdefault(stage, []).append(spent)

    def figures(self) -> dict:
        """Plain values for JSON."""
        return {
            "ticks": self.ticks,
            "model_calls": self.model_calls,
            "latency_ms": {stage: _percentiles(spent) for stage, spent in sorted(self.timings_ms.items())},
            "guard_interventions": dict(self.guard),
            "parse_failures": dict(self.plan_errors),
            "tokens": {
                "total": sum(self.tokens),
                "per_call": float(np.mean(self.tokens)) if self.tokens else None,
            },
        }


def _percentiles(spent_ms: list[float]) -> dict[str, float]:
    values = np.percentile(spent_ms, list(PERCENTILES.values()))
    return {name: round(float(v), 3) for name, v in zip(PERCENTILES, values, strict=True)} | {
        "count": len(spent_ms)
    }
