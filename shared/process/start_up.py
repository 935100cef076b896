"""Keeps Python's search for garbage away from a start, and later from what the start has made."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def without_collecting() -> Iterator[None]:
    """No search for garbage in here, nor later among what is made in here: modules, routes, a restored race day.

    All of that stays until the process ends. Each search would read it again: that takes a fifth of a start, and a full
    one among a day's laps would hold up the timing for a good part of a second.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collecting:
            gc.enable()
