"""Lets racers of the cast enter a race and drive it, in the order in which their runs end."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.core.access import Caller
from leaderboard.core.race import RaceRecord, ResultKind
from leaderboard.services import LeaderboardServices
from raceday.league_demo.cast import CastRacer
from raceday.league_demo.driving import DrivenRun, drive, result_of
from raceday.league_demo.people import DemoPeople
from raceday.league_demo.serving import DemoLeaderboard
from shared.protocol.results import Result
from shared.rules.ranking import RaceRules
from shared.units import NS_PER_S

RULES = RaceRules(off_track_penalty_s=1.0, max_laps=6, time_limit_s=180.0, attempts_per_racer=5)
_SYNC_NS = 20 * NS_PER_S  # from the end of a run to its post


@dataclass(frozen=True, slots=True)
class DemoRun:
    """A run of a racer, and when it ended."""

    racer: str
    number: int
    run: DrivenRun
    finished_utc_ns: int


@dataclass(frozen=True, slots=True)
class RacingWorld:
    """Everything that the parts of the demo build on: the leaderboard, its people, the cast, and the seed."""

    leaderboard: DemoLeaderboard
    people: DemoPeople
    racers: tuple[CastRacer, ...]
    seed: int

    @property
    def services(self) -> LeaderboardServices:
        """The services of the leaderboard."""
        return self.leaderboard.services

    def caller(self, alias: str) -> Caller:
        """The account of this alias."""
        return self.people.callers[alias]

    def racer(self, alias: str) -> CastRacer:
        """The racer of this alias."""
        return next(each for each in self.racers if each.alias == alias)

    def chance(self, what: str) -> random.Random:
        """Random numbers of their own for this part: another part that draws more changes nothing here."""
        return random.Random(f"{what} {self.seed}")

    def race(
        self, race: RaceRecord, racers: Sequence[CastRacer], until_utc_ns: int, months: int = 0, drawn: str = ""
    ) -> None:
        """Enter the racers and let each drive one to three times before `until_utc_ns`; posts what they drove.

        `months`: how long they have been training. `drawn`: what the chances are drawn by, the race's id if "".
        """
        opens_utc_ns = race.opens_utc_ns
        assert opens_utc_ns is not None
        runs = drawn_runs(self.chance(drawn or race.race_id), racers, opens_utc_ns, until_utc_ns, months)
        clock, entered = self.leaderboard.clock, set[str]()
        for each in runs:
            clock.set(each.finished_utc_ns + _SYNC_NS)
            if each.racer not in entered:
                entered.add(each.racer)
                self.services.entries.enter(self.caller(each.racer), race.race_id, clock())
            self.leaderboard.station.post(posted(each, race))


def posted(run: DemoRun, race: RaceRecord) -> Result:
    """The result that the station makes of a run in this race."""
    kind: ResultKind = "virtual" if race.venue == "virtual" else "physical"
    return result_of(run.run, race.race_id, run.racer, run.number, race.rules, run.finished_utc_ns, kind)


def drawn_runs(
    chance: random.Random, racers: Sequence[CastRacer], begins_utc_ns: int, ends_utc_ns: int, months: int
) -> list[DemoRun]:
    """One to three runs of each racer between two times, in the order in which they end."""
    span_ns = ends_utc_ns - begins_utc_ns - 2 * _SYNC_NS
    drawn = []
    for racer in racers:
        pace_ms = racer.pace_ms - months * racer.gain_ms
        ends = sorted(begins_utc_ns + round(span_ns * chance.uniform(0.05, 0.98)) for _ in range(chance.randint(1, 3)))
        for number, finished_utc_ns in enumerate(ends, 1):
            drawn.append(DemoRun(racer.alias, number, drive(chance, pace_ms), finished_utc_ns))
    return sorted(drawn, key=lambda each: (each.finished_utc_ns, each.racer))
