"""Open-loop scores: planned paths against what was recorded, by every published protocol. Arrays in, numbers out."""

from drive_agent.score.openloop.table import score_plans

__all__ = ["score_plans"]
