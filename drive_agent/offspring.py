"""Processes that end with the one that began them, however that ends: a killed program leaves nobody behind."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait


def end_with_parent() -> None:
    """Called in a process of `multiprocessing`: from now on it ends at once when its parent is gone."""
    threading.Thread(target=_end_with_parent, daemon=True).start()


def process_pool(count: int, *, nicer: int = 0) -> ProcessPoolExecutor:
    """Processes of the parent's priority less `nicer`. Ctrl-C is the parent's to see: they end with it.

    Spawned, since a forked child would inherit the locks of the parent's threads.
    """
    return ProcessPoolExecutor(count, get_context("spawn"), initializer=_begin, initargs=(nicer,))


def _begin(nicer: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(nicer)
    end_with_parent()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
