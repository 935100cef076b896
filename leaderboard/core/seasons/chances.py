"""Who can still win a season or qualify, by bounds. Pure; called by the seasons' services.

What is open is every race that is not over: coming ones, and open ones, whose lines may all still change. Three sides:

* the most that a racer can reach: first in every open race, alone there, with pole and fastest lap;
* the least: nothing more (in an open race with a line of theirs: points for taking part, if there are any);
* anybody else: their most against the racer's least, and the other way round.

`can_win` and `can_qualify` are exact as long as anybody may enter the open races: the outcome in which this racer
has the most and all known others have their least is possible then, and no other outcome is better for the racer.
Where entries are limited they are upper bounds: "no" is always proved. `has_won` is exact in the same sense.
`has_qualified` is a lower bound: "yes" is always proved, since each of the others is given their most at once, which
they cannot all have. Ties count for the racer in `can_...` and against in `has_...`.
"""

import bisect
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from leaderboard.core.seasons.points import Points, worth
from leaderboard.core.seasons.rules import SeasonRules
from leaderboard.core.seasons.standing import RaceOutcome, RacePoints, SeasonLine, held, order_key, season_standing

_LATER_PLACE = 10**9  # worse than any place that is ever taken


@dataclass(frozen=True, slots=True)
class Chance:
    """What is still possible for a racer; of the points at the end the most and the least."""

    racer: str
    min_points: Points
    max_points: Points
    can_win: bool
    has_won: bool
    can_qualify: bool
    has_qualified: bool


def chances(
    rules: SeasonRules, races: Sequence[RaceOutcome], members: Collection[str] | None = None
) -> dict[str, Chance]:
    """The chances of every racer with a result so far. `races`: all of the season's (of one kind and division)."""
    standing = season_standing(rules, held(races), members)
    worst = {line.racer: order_key(_bounded(rules, races, line, best=False)) for line in standing}
    best = {line.racer: order_key(_bounded(rules, races, line, best=True)) for line in standing}
    # Somebody who has not raced yet may still come, as often as is left.
    newcomer = _bounded(rules, races, SeasonLine(0, "", 0, (None,) * len(held(races))), best=True)
    newcomers = order_key(newcomer) if any(newcomer.races) else None
    leasts, mosts = sorted(worst.values()), sorted(best.values())
    found = {}
    for line in standing:
        low, high = worst[line.racer], best[line.racer]
        # A key is smaller the better it is. Those whose least is ahead even of this racer's most; it is not among them.
        ahead = bisect.bisect_left(leasts, high)
        may_pass = bisect.bisect_right(mosts, low) - 1
        unbounded = newcomers is not None and newcomers <= low
        places = rules.qualify_places
        found[line.racer] = Chance(
            line.racer,
            -low[0],
            -high[0],
            can_win=ahead == 0,
            has_won=may_pass == 0 and not unbounded,
            can_qualify=ahead < places,
            has_qualified=may_pass < places and not unbounded,
        )
    return found


def _bounded(rules: SeasonRules, races: Sequence[RaceOutcome], line: SeasonLine, best: bool) -> SeasonLine:
    """The line at the end of the season if all goes as well, or as badly, as it can for this racer."""
    results = iter(line.races)
    row: list[RacePoints | None] = []
    for race in races:
        now = next(results) if race.held else None
        if race.over:
            row.append(now)
        elif best:
            row.append(RacePoints(1, rules.points.most_in_a_race, counted=True))
        else:
            row.append(None if now is None else RacePoints(_LATER_PLACE, rules.points.participation, counted=True))
    kept = sorted((each.points for each in row if each is not None), reverse=True)[: rules.counted(len(races))]
    return SeasonLine(0, line.racer, sum(kept), tuple(row))


def what_if(rules: SeasonRules, races: Sequence[RaceOutcome], line: SeasonLine, place: int) -> Points:
    """The racer's points at the end if every race to come brings this place, in a field as large as the last one."""
    fields = [len(race.lines) for race in races if race.over]
    field = max(place, fields[-1] if fields else place)
    each = worth(rules.points, place, field) + rules.points.participation
    results = iter(line.races)
    won: list[Points] = []
    for race in races:
        now = next(results) if race.held else None
        if not race.over:
            won.append(each)
        elif now is not None:
            won.append(now.points)
    return sum(sorted(won, reverse=True)[: rules.counted(len(races))])
