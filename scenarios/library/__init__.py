"""The scenario types, a module a family. Importing this package registers them all."""

from scenarios.library import braking, crossings, obstacles

__all__ = ["braking", "crossings", "obstacles"]
