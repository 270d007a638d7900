"""Trees hold every item once and stay shallow."""

from __future__ import annotations

import numpy as np

from drive_agent.sim.render import bvh


def test_many_equal_boxes_do_not_overflow_the_stack() -> None:
    low = np.zeros((5000, 3), np.float32)
    tree, order = bvh.build_tree(low, low + 1)
    assert sorted(order.tolist()) == list(range(5000))
    assert tree.counts[tree.counts != bvh.INNER].sum() == 5000


def test_boxes_that_grow_geometrically_stay_within_the_stack() -> None:
    low = np.zeros((2000, 3), np.float32)
    low[:, 0] = 1.04 ** np.arange(2000)
    tree, _ = bvh.build_tree(low, low * np.float32(1.01))

    def depth(node: int) -> int:
        inner = [c for c, n in zip(tree.children[node], tree.counts[node], strict=True) if n == bvh.INNER]
        return 1 + max((depth(child) for child in inner), default=0)

    assert depth(0) < bvh.STACK - 1
