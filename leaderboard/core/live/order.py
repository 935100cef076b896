"""Keys that order a queue: whole numbers with room between them, so that a move changes one row. Pure.

A move takes the middle of the gap. Where a gap is used up, all keys are spread anew (`spread`).
"""

STEP = 1 << 20


def key_between(before: int | None, after: int | None) -> int | None:
    """A key between two others (None: there is none on that side); None if there is no room between them."""
    if before is None and after is None:
        return 0
    if before is None:
        assert after is not None
        return after - STEP
    if after is None:
        return before + STEP
    middle = (before + after) // 2
    return middle if before < middle < after else None


def spread(count: int) -> list[int]:
    """Keys for this many, in order, with equal room between them."""
    return [place * STEP for place in range(count)]
