"""Which races of a season share a column of its table, and which columns are shown. Called by standing_view.py."""

from collections import Counter
from collections.abc import Sequence

from leaderboard.core.seasons.standing import RaceOutcome, SeasonLine

Column = tuple[int, ...]  # the places of its races in the season


def race_columns(races: Sequence[RaceOutcome], lines: Sequence[SeasonLine]) -> tuple[Column, ...]:
    """All columns. The first races of all divisions share one, so do the second ones, and so on.

    A racer is in one division at a time: with a column for each race, half of each row would be empty. Where a racer
    has results in several races of a column nevertheless, each of these races has its own.
    """
    held, together = Counter[tuple[str, str]](), dict[tuple[str, int], list[int]]()
    for place, race in enumerate(races):
        key = ("", place)
        if race.division:
            held[race.kind, race.division] += 1
            key = (f"kind {race.kind}", held[race.kind, race.division])
        together.setdefault(key, []).append(place)
    columns: list[Column] = []
    for places in together.values():
        columns += [tuple(places)] if _share(places, lines) else [(place,) for place in places]
    return tuple(sorted(columns))


def _share(places: Sequence[int], lines: Sequence[SeasonLine]) -> bool:
    return len(places) == 1 or all(sum(line.races[place] is not None for place in places) < 2 for line in lines)


def shown_columns(columns: Sequence[Column], rows: Sequence[SeasonLine]) -> tuple[Column, ...]:
    """Those in which one of the rows has a result; all of them where there is none at all."""
    driven = tuple(each for each in columns if any(row.races[place] is not None for row in rows for place in each))
    return driven or tuple(columns)
