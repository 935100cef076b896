"""The demo's community races: a public one, and a private one that is entered by its link."""

from dataclasses import dataclass

from leaderboard.core.race import RaceRecord
from raceday.league_demo.cast import RACER
from raceday.league_demo.months import DAY_NS, ZONE
from raceday.league_demo.racing import RULES, RacingWorld

_HOST = "jonas"
_GUESTS = 6  # who joined the private race; two more hold the link and have not used it


@dataclass(frozen=True, slots=True)
class DemoCommunity:
    """The races of racers, and the path of the private one's invitation."""

    public_id: str
    private_id: str
    invitation_path: str


def build_community(world: RacingWorld, now_utc_ns: int) -> DemoCommunity:
    """Both races, opened some days ago, with those who have driven in them so far."""
    opens_utc_ns = now_utc_ns - 4 * DAY_NS
    chance, clock = world.chance("community"), world.leaderboard.clock
    wanted = RaceRecord(
        "wanted",
        "Tuesday club night",
        "community",
        "virtual",
        "A to Z Speedway",
        RULES,
        opens_utc_ns=opens_utc_ns,
        closes_utc_ns=now_utc_ns + 10 * DAY_NS,
        zone=ZONE,
        description="Bring any model. *Newcomers are welcome*; we talk about reward functions afterwards.",
    )
    clock.set(opens_utc_ns)
    public = world.services.community.create(world.caller(_HOST), wanted, clock())
    world.race(public, chance.sample(world.racers, 14), now_utc_ns, drawn=wanted.name)
    return DemoCommunity(public.race_id, *_build_private(world, wanted, now_utc_ns))


def _build_private(world: RacingWorld, like: RaceRecord, now_utc_ns: int) -> tuple[str, str]:
    services, owner, clock = world.services, world.caller(RACER), world.leaderboard.clock
    wanted = RaceRecord(
        "wanted",
        "Office cup",
        "community",
        "virtual",
        "Smile Speedway",
        RULES,
        opens_utc_ns=like.opens_utc_ns,
        closes_utc_ns=like.closes_utc_ns,
        visibility="private",
        zone=ZONE,
        description="Only for us: the link goes to colleagues, nobody else sees the race.",
    )
    clock.set(now_utc_ns - 4 * DAY_NS)
    race = services.community.create(owner, wanted, clock())
    link, _ = services.invitations.make(owner, race.race_id, clock())
    guests = [each for each in world.racers if each.alias not in (RACER, _HOST)][:_GUESTS]
    for guest in guests:
        services.invitations.join(world.caller(guest.alias), link.token, clock())
    world.race(race, [world.racer(RACER), *guests[:-1]], now_utc_ns, drawn=wanted.name)
    return race.race_id, f"/join/{link.token}"
