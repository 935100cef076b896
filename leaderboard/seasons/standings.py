"""The standings of a season: of racers, by kind, region, category and division, of teams, and what they decide.

Called by api/seasons/ and pages/seasons/. Standings are computed, not stored, and kept in memory until anything that
they were made of changes.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from leaderboard.core.access import Caller
from leaderboard.core.league.records import SeasonRecord
from leaderboard.core.seasons.chances import Chance, chances
from leaderboard.core.seasons.prizes import Award, Ranking, awards
from leaderboard.core.seasons.rules import SeasonRules
from leaderboard.core.seasons.standing import RaceOutcome, SeasonLine, held, matching, season_standing
from leaderboard.core.seasons.teams import TeamLine, team_standing
from leaderboard.league.seasons import SeasonService
from leaderboard.seasons.members import WHAT
from leaderboard.seasons.results import SeasonReader, SeasonResults, chosen
from leaderboard.store.database import Store
from leaderboard.store.season_rows import racer_key
from shared.errors import Refused
from shared.text import text

_MAX_KEPT = 32
_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class StandingChoice:
    """Which standing of a season: each "" for all. `kind`: physical or virtual."""

    kind: str = ""
    region: str = ""
    category: str = ""
    division: str = ""


@dataclass(frozen=True, slots=True)
class SeasonTable:
    """A standing with the races that it is made of; `every`: with those to come. `to_come`: how many are not over."""

    results: SeasonResults
    choice: StandingChoice
    races: tuple[RaceOutcome, ...]
    lines: tuple[SeasonLine, ...]
    to_come: int
    every: tuple[RaceOutcome, ...]


class SeasonStandings:
    """The standings of the seasons of one store. Safe to call from any thread."""

    def __init__(self, store: Store) -> None:
        self._reader, self._seasons = SeasonReader(store), SeasonService(store)
        self._kept: OrderedDict[Hashable, object] = OrderedDict()
        self._lock = threading.Lock()

    def results(self, caller: Caller, season_id: str, now_utc_ns: int) -> SeasonResults:
        """The season and its races. Raises UnknownItem, StorageError."""
        return self._reader.read(caller, season_id, now_utc_ns)

    def seasons(self, caller: Caller) -> list[SeasonRecord]:
        """The seasons that the caller may know of, the newest first."""
        return self._seasons.seasons(caller)

    def table(self, results: SeasonResults, choice: StandingChoice) -> SeasonTable:
        """The standing of this choice. Raises Refused for a region, category or division that the season has not."""
        check_choice(results, choice)
        return self._once((results.stamp, choice, "table"), lambda: _table(results, choice))

    def preview(self, caller: Caller, season_id: str, rules: SeasonRules, now_utc_ns: int) -> SeasonTable:
        """The standing of all as it would be with other rules; nothing is kept. Raises UnknownItem, StorageError."""
        return _table(self._reader.read(caller, season_id, now_utc_ns, rules), StandingChoice())

    def chances(self, results: SeasonResults, choice: StandingChoice) -> dict[str, Chance]:
        """Who can still win or qualify in this standing, by racer."""
        check_choice(results, choice)
        return self._once((results.stamp, choice, "chances"), lambda: _chances(results, choice))

    def teams(self, results: SeasonResults) -> list[TeamLine]:
        """The standing of the season's teams."""
        table = self.table(results, StandingChoice())
        points = {line.racer: line.points for line in table.lines}
        of_team: dict[str, list[str]] = {team.team_id: [] for team in results.teams}
        for member in results.members:
            if member.team_id in of_team:
                of_team[member.team_id].append(racer_key(member.racer))
        return team_standing(results.rules.teams, of_team, points)

    def awards(self, results: SeasonResults) -> list[Award]:
        """The prizes so far: of each race that is over, and of the season once its last race is."""
        outcomes = [outcome for outcome in results.outcomes() if outcome.over]
        races = [Ranking(each.race_id, tuple(dict(each.lines)), each.division) for each in outcomes]
        seasons: list[Ranking] = []
        if outcomes and not self.table(results, StandingChoice()).to_come:
            for division in ("", *results.rules.divisions.names):
                lines = self.table(results, StandingChoice(division=division)).lines
                seasons.append(Ranking("", tuple(line.racer for line in lines), division))
        return awards(results.rules.prizes, races, seasons)

    def _once(self, key: Hashable, make: Callable[[], _Made]) -> _Made:
        with self._lock:  # one at a time: ten readers of a fresh standing compute it once
            if key in self._kept:
                self._kept.move_to_end(key)
            else:
                self._kept[key] = make()
                if len(self._kept) > _MAX_KEPT:
                    self._kept.popitem(last=False)
            return self._kept[key]  # type: ignore[return-value]


def check_choice(results: SeasonResults, choice: StandingChoice) -> None:
    """Check that the season has this standing. Raises Refused."""
    rules = results.rules
    known = {
        "kind": (choice.kind, ("physical", "virtual")),
        "region": (choice.region, rules.regions),
        "category": (choice.category, rules.categories),
        "division": (choice.division, rules.divisions.names),
    }
    for what, (wanted, names) in known.items():
        if wanted and wanted not in names:
            have = ", ".join(names) or text("none")
            raise Refused(
                text(
                    "This season has no {what} {name}: it has {have}.",
                    what=WHAT[what],
                    name=repr(wanted[:80]),
                    have=have,
                )
            )


def _table(results: SeasonResults, choice: StandingChoice) -> SeasonTable:
    every = _with_planned(results, choice)
    races = held(every)
    members = chosen(results.members, choice.region, choice.category)
    lines = season_standing(results.rules, races, members)
    return SeasonTable(results, choice, tuple(races), tuple(lines), sum(not race.over for race in every), tuple(every))


def _chances(results: SeasonResults, choice: StandingChoice) -> dict[str, Chance]:
    members = chosen(results.members, choice.region, choice.category)
    return chances(results.rules, _with_planned(results, choice), members)


def _with_planned(results: SeasonResults, choice: StandingChoice) -> Sequence[RaceOutcome]:
    """The races of this standing, and those that are planned and not created yet."""
    races = [each for each in results.outcomes() if matching(each, choice.kind, choice.division)]
    return [*races, *[RaceOutcome("", "", over=False)] * (results.rules.planned_races - len(races))]
