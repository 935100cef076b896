"""Builds the whole league of the demo. Called by `raceday demo --league`, and by tests: all see the same one."""

import contextlib
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

from leaderboard.core.league.series import opening_utc_ns
from raceday.league_demo.cast import DIVISIONS, RACER, cast
from raceday.league_demo.community import DemoCommunity, build_community
from raceday.league_demo.meeting import DemoMeeting, build_meeting
from raceday.league_demo.months import DAY_NS, OVER, SEASON, build_season, first_opening
from raceday.league_demo.people import sign_up_all
from raceday.league_demo.racing import RacingWorld
from raceday.league_demo.rulings import rule_on_runs
from raceday.league_demo.serving import DemoClock, served
from shared.access.pass_code_hashing import PassCodeHasher

SEED = 1


@dataclass(frozen=True, slots=True, repr=False)
class DemoLeague:
    """The league as it is served: where to look, and who may sign in."""

    world: RacingWorld
    season_id: str
    meeting: DemoMeeting
    community: DemoCommunity

    @property
    def url(self) -> str:
        """Its address, without a path."""
        return self.world.leaderboard.url

    @property
    def passphrases(self) -> dict[str, str]:
        """Of the accounts that a visitor can sign in to, by alias."""
        return self.world.people.passphrases

    @property
    def racer_race_id(self) -> str:
        """The open race of the season in which the demo's racer drives: that of the own division."""
        for division in DIVISIONS:
            race_id = f"{division.lower()}-{OVER + 1}"
            if RACER in {line.racer for line in self.world.services.board.standings(race_id)}:
                return race_id
        return self.meeting.qualifying_id

    def pages(self) -> dict[str, str]:
        """What there is to open: names and paths, in the order of a tour."""
        return {
            "home": "/",
            "season": f"/seasons/{self.season_id}",
            "season, Pro": f"/seasons/{self.season_id}?division=Pro",
            "teams": f"/seasons/{self.season_id}/teams",
            "prizes": f"/seasons/{self.season_id}/prizes",
            "final race": f"/races/open-{OVER}",
            "open race": f"/races/open-{OVER + 1}",
            "race to come": f"/races/open-{OVER + 2}",
            "racer": f"/races/{self.racer_race_id}/racers/{RACER}",
            "a racer's profile": f"/racers/{RACER}",
            "event": f"/events/{self.meeting.event_id}",
            "bracket": f"/brackets/{self.meeting.bracket_id}",
            "LIVE queue": f"/races/{self.meeting.live_id}/queue",
            "LIVE broadcast": f"/races/{self.meeting.live_id}/broadcast",
            "records": "/records",
            "community race": f"/races/{self.community.public_id}",
            "private race, by its invitation": self.community.invitation_path,
        }


@contextlib.contextmanager
def demo_league(
    folder: pathlib.Path, now_utc_ns: int, seed: int = SEED, port: int = 0, hasher: PassCodeHasher | None = None
) -> Iterator[DemoLeague]:
    """The league of this seed as it is at `now_utc_ns`, served; its clock stands there. Raises OperatorError.

    `hasher`: of passphrases; tests pass a cheap one.
    """
    clock = DemoClock(now_utc_ns)
    with served(folder, clock, port, hasher) as leaderboard:
        racers = cast(seed)
        founded_utc_ns = opening_utc_ns(first_opening(now_utc_ns), 1) - 10 * DAY_NS
        clock.set(founded_utc_ns)
        world = RacingWorld(leaderboard, sign_up_all(leaderboard.services, racers, founded_utc_ns), racers, seed)
        build_season(world, now_utc_ns)
        rule_on_runs(world, now_utc_ns)
        community = build_community(world, now_utc_ns)
        meeting = build_meeting(world, now_utc_ns)
        clock.set(now_utc_ns)
        yield DemoLeague(world, SEASON, meeting, community)
