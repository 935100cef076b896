"""The demo's meeting in a hall: a qualifying race, the bracket that is seeded from it, and a LIVE race that goes on."""

from dataclasses import dataclass

from leaderboard.core.league.records import EventRecord
from leaderboard.core.race import RaceRecord
from leaderboard.core.seasons.bracket import HeatNow, HeatResult
from leaderboard.seasons.brackets import BracketNow, WantedBracket
from raceday.league_demo.driving import drive, result_of
from raceday.league_demo.months import DAY_NS, OVER, SEASON, TRACK, ZONE
from raceday.league_demo.racing import RULES, RacingWorld
from shared.rules.ranking import RaceRules
from shared.units import NS_PER_S

EVENT, QUALIFYING, LIVE = "summit", "summit-qualifying", "summit-live"
HALL = "Old Gym, Munich"
BRACKET_SIZE = 16
STARTERS, DRIVEN = 8, 3  # of the LIVE race: who is entered, and how many have driven
RUN_TIME_S = 120
LIVE_RULES = RaceRules(off_track_penalty_s=1.0, max_laps=6, time_limit_s=float(RUN_TIME_S))
HOUR_NS = 3600 * NS_PER_S
_MINUTE_NS = 60 * NS_PER_S


@dataclass(frozen=True, slots=True)
class DemoMeeting:
    """What was made: the event, its bracket and its LIVE race."""

    event_id: str
    qualifying_id: str
    bracket_id: str
    live_id: str


def build_meeting(world: RacingWorld, now_utc_ns: int) -> DemoMeeting:
    """The meeting as it is in the middle of its second day."""
    begins_utc_ns = now_utc_ns - DAY_NS - 6 * HOUR_NS
    world.leaderboard.clock.set(begins_utc_ns - 3 * DAY_NS)
    _announce(world, begins_utc_ns, now_utc_ns)
    ends_utc_ns = begins_utc_ns + 8 * HOUR_NS
    quickest = sorted(world.racers, key=lambda each: each.pace_ms)
    race = world.services.board.race(QUALIFYING)
    world.race(race, quickest[: BRACKET_SIZE + 6], ends_utc_ns, OVER)
    world.leaderboard.clock.set(ends_utc_ns + HOUR_NS)
    world.services.league.moves.move(world.people.official, QUALIFYING, "final", ends_utc_ns + HOUR_NS)
    bracket_id = _run_bracket(world, ends_utc_ns + 2 * HOUR_NS)
    _run_live(world, now_utc_ns)
    return DemoMeeting(EVENT, QUALIFYING, bracket_id, LIVE)


def _announce(world: RacingWorld, begins_utc_ns: int, now_utc_ns: int) -> None:
    organiser, league, told_utc_ns = world.people.organiser, world.services.league, world.leaderboard.clock()
    ends_utc_ns = now_utc_ns + 5 * HOUR_NS
    event = EventRecord(
        EVENT,
        "Summit of the League",
        season_id=SEASON,
        place=HALL,
        zone=ZONE,
        starts_utc_ns=begins_utc_ns,
        ends_utc_ns=ends_utc_ns,
        description="Two days in the hall: *qualifying*, the knock-out of the best sixteen, and the LIVE final.",
    )
    league.seasons.create_event(organiser, event, told_utc_ns)
    qualifying = RaceRecord(
        QUALIFYING,
        "Summit qualifying",
        "league",
        "physical",
        TRACK,
        RULES,
        opens_utc_ns=begins_utc_ns,
        closes_utc_ns=begins_utc_ns + 8 * HOUR_NS,
        season_id=SEASON,
        event_id=EVENT,
        zone=ZONE,
    )
    live = RaceRecord(
        LIVE,
        "Summit LIVE final",
        "league",
        "physical",
        TRACK,
        LIVE_RULES,
        opens_utc_ns=now_utc_ns - 2 * HOUR_NS,
        closes_utc_ns=ends_utc_ns,
        season_id=SEASON,
        event_id=EVENT,
        zone=ZONE,
        live=True,
    )
    for race in (qualifying, live):
        league.races.create(organiser, race, told_utc_ns)


def _run_bracket(world: RacingWorld, begins_utc_ns: int) -> str:
    """The knock-out up to its last two heats, which are still to be run."""
    official, brackets = world.people.official, world.services.seasons.brackets
    wanted = WantedBracket(QUALIFYING, "Knock-out of the best sixteen", BRACKET_SIZE)
    now = brackets.create(official, wanted, begins_utc_ns)
    chance = world.chance("bracket")
    at_utc_ns = begins_utc_ns
    while heat := _next_heat(now):
        at_utc_ns += 10 * _MINUTE_NS
        assert heat.first
        assert heat.second
        scores = [round(chance.gauss(world.racer(each).pace_ms, 260)) for each in (heat.first, heat.second)]
        scores[1] += scores[0] == scores[1]
        winner = heat.first if scores[0] < scores[1] else heat.second
        result = HeatResult(winner, scores[0], scores[1])
        now = brackets.enter(official, now.bracket.bracket_id, heat.plan.number, result, at_utc_ns)
    return now.bracket.bracket_id


def _next_heat(now: BracketNow) -> HeatNow | None:
    """The next heat that can be run, but for the final and the one for the third place."""
    last = max(each.plan.round for each in now.heats)
    ready = [each for each in now.heats if each.state == "ready" and each.plan.part == "winners"]
    return next((each for each in ready if each.plan.round < last), None)


def _run_live(world: RacingWorld, now_utc_ns: int) -> None:
    """The LIVE race: some have driven, one has just been launched, the others wait."""
    services, official, clock = world.services, world.people.official, world.leaderboard.clock
    starters = sorted(world.racers, key=lambda each: each.pace_ms)[:STARTERS]
    clock.set(now_utc_ns - HOUR_NS)
    for racer in starters:
        services.entries.enter(world.caller(racer.alias), LIVE, clock())
    queue = services.live.add(official, LIVE, (), clock(), entries=True)
    queue = services.live.set_up(official, LIVE, queue.version, clock(), entries_open=True, run_time_s=RUN_TIME_S)
    chance = world.chance("live")
    for turn in range(DRIVEN):
        clock.set(now_utc_ns - HOUR_NS + (turn + 1) * 8 * _MINUTE_NS)
        item = queue.waiting[0]
        queue = services.live.launch(official, LIVE, queue.version, clock(), item.item_id)
        run = drive(chance, world.racer(item.racer).pace_ms - 300)
        clock.set(clock() + 10 * NS_PER_S + run.run_ns)
        world.leaderboard.station.post(result_of(run, LIVE, item.racer, 1, LIVE_RULES, clock(), "physical"))
        queue = services.live.act(official, LIVE, queue.version, clock(), item.item_id, "finish")
