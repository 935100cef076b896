"""A season's standing once more, straight from the sentences of its rules, slowly and without the product's code.

It knows races as {racer: score} and nothing of how the product computes.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

Race = Mapping[str, int]


def points_by_list(race: Race, listed: Sequence[int], higher: bool = False) -> dict[str, Fraction]:
    """Whoever has an equal score shares the place: its points are shared, or all take those of the higher one."""
    found = {}
    for racer, score in race.items():
        ahead = sum(other < score for other in race.values())
        same = sum(other == score for other in race.values())
        of_places = [listed[index] if index < len(listed) else 0 for index in range(ahead, ahead + same)]
        found[racer] = Fraction(of_places[0]) if higher else Fraction(sum(of_places), same)
    return found


def places(race: Race) -> dict[str, int]:
    return {racer: 1 + sum(other < score for other in race.values()) for racer, score in race.items()}


def season(
    races: Sequence[Race],
    listed: Sequence[int],
    best: int | None = None,
    drop: int = 0,
    participation: int = 0,
    higher: bool = False,
) -> dict[str, tuple[int, Fraction]]:
    """Each racer's rank and points."""
    racers = {racer for race in races for racer in race}
    in_each = [points_by_list(race, listed, higher) for race in races]
    totals = {}
    for racer in racers:
        won = sorted((points[racer] + participation for points in in_each if racer in points), reverse=True)
        missed = [Fraction(0)] * (len(races) - len(won))
        kept = (won + missed)[: max(1, len(races) - drop)]
        totals[racer] = sum(kept if best is None else kept[:best], Fraction(0))
    in_races = [places(race) for race in races]
    where = {racer: [race.get(racer) for race in in_races] for racer in racers}
    return {
        racer: (1 + sum(_ahead(other, racer, totals, where) for other in racers), totals[racer]) for racer in racers
    }


def _ahead(one: str, two: str, totals: Mapping[str, Fraction], where: Mapping[str, list[int | None]]) -> bool:
    """Whether `one` is ahead of `two`: points, then wins, second places and so on, then the later best place."""
    if totals[one] != totals[two]:
        return totals[one] > totals[two]
    taken = sorted(place for place in {*where[one], *where[two]} if place is not None)
    for place in taken:
        many = [where[racer].count(place) for racer in (one, two)]
        if many[0] != many[1]:
            return many[0] > many[1]
    latest = [max(n for n, place in enumerate(where[racer]) if place == taken[0]) for racer in (one, two)]
    return latest[0] > latest[1]


def outcomes(racers: Sequence[str]) -> Iterable[Race]:
    """Every way in which a race between some of these racers may end."""
    for many in range(len(racers) + 1):
        for order in itertools.permutations(racers, many):
            yield {racer: 100 + place for place, racer in enumerate(order)}
