"""Points for places in a race: by a list, by the field that was beaten, or by percentile. Pure; called by season.py.

Points are whole numbers or exact fractions (three racers who share 25 + 18 + 15 have 58/3 each), so that sums compare
without rounding; they are rounded only where they are shown.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

from shared.errors import Refused
from shared.text import text

Points = int | Fraction
PointsMethod = Literal["list", "field", "percentile"]
Sharing = Literal["share", "higher", "earlier"]

CLASSIC = (25, 18, 15, 12, 10, 8, 6, 4, 2, 1)
MAX_POINTS = 10_000
_LONGEST_LIST = 1_000


@dataclass(frozen=True, slots=True)
class PointsRule:
    """What a place is worth. Ranges are checked by `check_points`.

    `method`: "list": `listed`, from place 1 on; "field": the number of racers behind, plus 1, at most `cap`;
    "percentile": the share of the field that is not ahead, of `top` points, whole points only.
    `shared`: racers with equal scores share the points of the places that they take, or each has those of the higher
    one; "earlier": they share no place, the one who set the score earlier is ahead (as on the race's own board).
    `participation`: for each racer with a result; `pole`: for the first of the race's qualifying race;
    `fastest_lap`: for the fastest lap of the race (each, if several have it).
    """

    method: PointsMethod = "list"
    listed: tuple[int, ...] = CLASSIC
    cap: int = 100
    top: int = 100
    shared: Sharing = "share"
    participation: int = 0
    pole: int = 0
    fastest_lap: int = 0

    @property
    def most_in_a_race(self) -> int:
        """What the best race can bring: place 1, pole and fastest lap."""
        first = {"list": self.listed[0], "field": self.cap, "percentile": self.top}[self.method]
        return first + self.participation + self.pole + self.fastest_lap


@dataclass(frozen=True, slots=True)
class Finish:
    """A racer's place in a race; of racers who share one the next places stay free (1, 1, 3)."""

    racer: str
    place: int
    score_ms: int = 0


def check_points(rule: PointsRule) -> PointsRule:
    """The rule, or Refused with the sentence that says what is wrong."""
    if rule.method not in get_args(PointsMethod):
        raise Refused(
            text("Points by {method} are not known: choose list, field or percentile.", method=repr(rule.method))
        )
    if rule.shared not in get_args(Sharing):
        raise Refused(
            text("Shared places cannot be {shared}: choose share, higher or earlier.", shared=repr(rule.shared))
        )
    if not 1 <= len(rule.listed) <= _LONGEST_LIST:
        raise Refused(
            text(
                "The list of points has {count} places; allowed are 1 to {max}.",
                count=len(rule.listed),
                max=_LONGEST_LIST,
            )
        )
    amounts = (*rule.listed, rule.participation, rule.pole, rule.fastest_lap)
    if any(not 0 <= amount <= MAX_POINTS for amount in amounts):
        raise Refused(text("Points are whole numbers from 0 to {max}.", max=MAX_POINTS))
    if not (2 <= rule.cap <= MAX_POINTS and 2 <= rule.top <= MAX_POINTS):
        raise Refused(
            text(
                "Points that never fall: the winner's highest points (`cap`, `top`) are 2 to {max}.",
                max=MAX_POINTS,
            )
        )
    _check_falling(rule.listed)
    return rule


def _check_falling(listed: Sequence[int]) -> None:
    for place, (better, worse) in enumerate(itertools.pairwise(listed), 1):
        if worse > better:
            raise Refused(
                text(
                    "Points that never fall: place {next} would get {worse}, place {place} only {better}. "
                    "Give no place more than the one before it.",
                    next=place + 1,
                    worse=worse,
                    place=place,
                    better=better,
                )
            )
    if listed[0] == (listed[-1] if len(listed) > 1 else 0):
        raise Refused(
            text(
                "Points that never fall: each of the {count} places would get {points}. Give the first "
                "place more than the last.",
                count=len(listed),
                points=listed[0],
            )
        )


def worth(rule: PointsRule, place: int, field: int) -> int:
    """The points of one place among `field` racers, without anything for taking part."""
    if rule.method == "list":
        return rule.listed[place - 1] if place <= len(rule.listed) else 0
    if rule.method == "field":
        return min(rule.cap, field - place + 1)
    return rule.top * (field - place + 1) // field


def points_of(
    rule: PointsRule, finishes: Sequence[Finish], pole: str = "", fastest: Iterable[str] = ()
) -> dict[str, Points]:
    """Each racer's points in one race. `pole`: who was first in qualifying; `fastest`: who drove the fastest lap.

    Pole and fastest lap count only for a racer with a result in the race.
    """
    field = len(finishes)
    sharing = Counter(finish.place for finish in finishes)
    of_place = {place: _shared(rule, place, many, field) for place, many in sharing.items()}
    points = {finish.racer: of_place[finish.place] + rule.participation for finish in finishes}
    if pole in points:
        points[pole] += rule.pole
    for racer in fastest:
        if racer in points:
            points[racer] += rule.fastest_lap
    return points


def _shared(rule: PointsRule, place: int, many: int, field: int) -> Points:
    if many == 1 or rule.shared != "share":
        return worth(rule, place, field)
    total = Fraction(sum(worth(rule, each, field) for each in range(place, place + many)), many)
    return int(total) if total.denominator == 1 else total


def placed(lines: Iterable[tuple[str, int]], shared: Sharing) -> list[Finish]:
    """Places of (racer, score in ms) in the board's order; equal scores share one unless `shared` is earlier."""
    finishes: list[Finish] = []
    for index, (racer, score_ms) in enumerate(lines, 1):
        same = bool(finishes) and finishes[-1].score_ms == score_ms and shared != "earlier"
        finishes.append(Finish(racer, finishes[-1].place if same else index, score_ms))
    return finishes


def points_text(points: Points) -> str:
    """Points as they are shown: whole, or with up to two decimals, cut off (19.33 of 58/3)."""
    hundredths = int(points * 100)
    whole, part = divmod(hundredths, 100)
    return str(whole) if part == 0 else f"{whole}.{part:02d}".rstrip("0")


def totals(of_races: Iterable[Mapping[str, Points]]) -> dict[str, Points]:
    """The sum over several races."""
    summed: dict[str, Points] = {}
    for points in of_races:
        for racer, amount in points.items():
            summed[racer] = summed.get(racer, 0) + amount
    return summed
