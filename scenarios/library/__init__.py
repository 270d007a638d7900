"""The scenario types, a module a family. Importing this package registers them all."""

from scenarios.library import braking, crossings, cut_ins, giving_way, junctions, merging, obstacles

__all__ = ["braking", "crossings", "cut_ins", "giving_way", "junctions", "merging", "obstacles"]
