"""The standing of a season from the results of its races. Pure; called by the seasons' services, pages and chances.py.

The order of arrival never matters: a standing depends on the lines of the races alone. Ties are broken by countback
over all places of the season, dropped ones too (a win that does not count is still a win): more wins, then more second
places, and so on; then whoever took the best place in a later race; then it is a tie, shown as one place.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from leaderboard.core.seasons.points import Finish, Points, PointsRule, placed, points_of
from leaderboard.core.seasons.rules import SeasonRules


@dataclass(frozen=True, slots=True)
class RaceOutcome:
    """What a race gives to its season. `lines`: (racer, score in ms) in the order of its board.

    A race where physical and virtual results are ranked apart is two outcomes, one of each `kind`. `over`: it is
    closed; a later race and an open one may still change. `pole`: the first of its qualifying race; `fastest`: who
    drove the fastest lap. `division`: "" for all.
    """

    race_id: str
    name: str
    over: bool
    lines: tuple[tuple[str, int], ...] = ()
    kind: str = ""
    division: str = ""
    pole: str = ""
    fastest: tuple[str, ...] = ()

    @property
    def held(self) -> bool:
        """Whether it counts among the races of the season so far."""
        return self.over or bool(self.lines)


@dataclass(frozen=True, slots=True)
class RacePoints:
    """A racer's part in one race of the season; `counted` False: dropped."""

    place: int
    points: Points
    counted: bool


@dataclass(frozen=True, slots=True)
class SeasonLine:
    """A racer in the standing. `races`: one for each race that was held, None where the racer has no result.

    `tied`: shares the rank; the next ranks stay free.
    """

    rank: int
    racer: str
    points: Points
    races: tuple[RacePoints | None, ...]
    tied: bool = False

    @property
    def started(self) -> int:
        """In how many races the racer has a result."""
        return sum(each is not None for each in self.races)

    @property
    def best_place(self) -> int:
        """The best place in any race."""
        return min(each.place for each in self.races if each is not None)


@dataclass(slots=True)
class _Season:
    """A racer's results by the number of the race, while they are collected."""

    results: dict[int, tuple[int, Points]] = field(default_factory=dict)


def held(races: Iterable[RaceOutcome], kind: str = "", division: str = "") -> list[RaceOutcome]:
    """The races that a standing is made of, in the order of the season."""
    return [race for race in races if race.held and matching(race, kind, division)]


def matching(race: RaceOutcome, kind: str, division: str) -> bool:
    """Whether the race belongs to the standing of this kind and division ("" for all); one of all divisions always."""
    return kind in ("", race.kind) and (not division or race.division in ("", division))


def season_standing(
    rules: SeasonRules, races: Sequence[RaceOutcome], members: Collection[str] | None = None
) -> list[SeasonLine]:
    """All racers with a result in these races (see `held`), best first.

    `members`: only these racers, placed among themselves in every race (a region or a category); None: all.
    """
    found: dict[str, _Season] = {}
    for number, race in enumerate(races):
        finishes = finishes_of(race, rules.points, members)
        points = points_of(rules.points, finishes, race.pole, race.fastest)
        for finish in finishes:
            season = found.get(finish.racer)
            if season is None:
                season = found[finish.racer] = _Season()
            season.results[number] = (finish.place, points[finish.racer])
    counted = rules.counted(len(races))
    return _ranked([_line(racer, season.results, counted, len(races)) for racer, season in found.items()])


def finishes_of(race: RaceOutcome, rule: PointsRule, members: Collection[str] | None = None) -> list[Finish]:
    """The places in one race, each racer once, by the better line; those of `members` among themselves."""
    once = dict[str, int]()
    for racer, score_ms in race.lines:
        if members is None or racer in members:
            once.setdefault(racer, score_ms)
    return placed(once.items(), rule.shared)


def _line(racer: str, results: dict[int, tuple[int, Points]], counted: int, races: int) -> SeasonLine:
    # The fewest points are dropped first; of equal ones the worse place, then the earlier race.
    best = sorted(results, key=lambda number: (-results[number][1], results[number][0], -number))[:counted]
    row: list[RacePoints | None] = [None] * races
    for number, (place, points) in results.items():
        row[number] = RacePoints(place, points, number in best)
    return SeasonLine(0, racer, sum(results[number][1] for number in best), tuple(row))


def order_key(line: SeasonLine) -> tuple[Points, tuple[float, ...], int]:
    """Sorts the lines of a standing, the best first; equal keys are a tie."""
    places = sorted(each.place for each in line.races if each is not None)
    latest = max(
        (number for number, each in enumerate(line.races) if each is not None and each.place == places[0]), default=0
    )
    # One more place of any number is ahead of none: what is missing sorts last.
    return (-line.points, (*places, math.inf), -latest)


def _ranked(lines: Iterable[SeasonLine]) -> list[SeasonLine]:
    ordered = sorted(((order_key(line), line.racer, line) for line in lines), key=lambda each: each[:2])
    ranks: list[int] = []
    for index, (key, _, _) in enumerate(ordered):
        ranks.append(ranks[-1] if index and ordered[index - 1][0] == key else index + 1)
    many = Counter(ranks)
    return [
        SeasonLine(rank, line.racer, line.points, line.races, many[rank] > 1)
        for rank, (_, _, line) in zip(ranks, ordered, strict=True)
    ]
