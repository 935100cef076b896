"""A list of keys as the moves that make it of the list before, so that one that climbs costs a few bytes. Pure.

Each move is `[from, to]`: the key at place `from` is taken out and put in at place `to`; `[from, -1]`: it is gone;
`["key", to]`: it is new. They are done one after another. The browser's stream (shared/web/look/stream_hub.js) does the
same.
"""

from bisect import bisect_left
from collections.abc import Sequence

Move = tuple[int | str, int]
MAX_MOVES = 64  # beyond, the list itself is hardly longer


def list_moves(before: Sequence[str], now: Sequence[str]) -> list[Move] | None:
    """The moves that make `now` of `before`; None if there would be too many."""
    if before == now:
        return []
    places = {key: place for place, key in enumerate(now)}
    gone = [place for place, key in enumerate(before) if key not in places]
    at = [key for key in before if key in places]
    kept = set(at)
    staying = {now[place] for place in _longest_rising([places[key] for key in at])}
    if len(gone) + len(now) - len(staying) > MAX_MOVES:
        return None
    moves: list[Move] = [(place, -1) for place in reversed(gone)]
    # In the order of `now`, each behind the one before it, which has its place already.
    for place, key in enumerate(now):
        if key in staying:
            continue
        what: int | str = key
        if key in kept:
            what = at.index(key)
            del at[what]
        to = at.index(now[place - 1]) + 1 if place else 0
        at.insert(to, key)
        moves.append((what, to))
    return moves


def _longest_rising(numbers: Sequence[int]) -> list[int]:
    """A longest rising choice of different numbers, in their order (patience sorting)."""
    tops: list[int] = []
    piles: list[int] = []  # for each number, its pile
    for number in numbers:
        pile = bisect_left(tops, number)
        tops[pile : pile + 1] = [number]
        piles.append(pile)
    chosen: list[int] = []
    wanted = len(tops) - 1
    for number, pile in zip(reversed(numbers), reversed(piles), strict=True):
        if pile == wanted and (not chosen or number < chosen[-1]):
            chosen.append(number)
            wanted -= 1
    return chosen[::-1]
