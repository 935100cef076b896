"""What the demo's official has ruled in the open race: a run that is disqualified, and a racer who withdrew."""

from raceday.league_demo.months import OVER
from raceday.league_demo.racing import RacingWorld
from shared.units import NS_PER_S

RULED = f"open-{OVER + 1}"


def rule_on_runs(world: RacingWorld, now_utc_ns: int) -> None:
    """Disqualify the last run of the racer in the fifth place, and let the last of the standing withdraw."""
    services, official = world.services, world.people.official
    world.leaderboard.clock.set(now_utc_ns - 600 * NS_PER_S)
    standing = [line.racer for line in services.board.standings(RULED)]
    attempts = services.attempts.attempts(official, RULED, racer=standing[4]).attempts
    services.attempts.disqualify(
        official, attempts[0].result.result_id, "The car was pushed over the line.", world.leaderboard.clock()
    )
    services.entries.withdraw(world.caller(standing[-1]), RULED, world.leaderboard.clock())
