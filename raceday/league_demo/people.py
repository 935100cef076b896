"""The accounts of the demo's league: everybody signs up as a visitor would; three of them can be signed in to."""

import dataclasses
import secrets
from dataclasses import dataclass, field

from leaderboard.accounts.entrance.entrance import Visitor
from leaderboard.core.access import ADMIN, Caller, Grant
from leaderboard.services import LeaderboardServices
from raceday.league_demo.cast import OFFICIAL, ORGANISER, RACER, STAFF, CastRacer

_WORDS = (
    "amber", "anvil", "birch", "brass", "cedar", "cobalt", "comet", "delta", "ember", "falcon", "fjord", "garnet",
    "hazel", "indigo", "juniper", "kelp", "lantern", "maple", "nectar", "onyx", "pepper", "quartz", "raven", "saffron",
    "tundra", "umber", "velvet", "walnut", "yarrow", "zephyr", "basalt", "clover",
)  # fmt: skip
_PASSPHRASE_WORDS = 5


@dataclass(frozen=True, slots=True, repr=False)
class DemoPeople:
    """Who has an account, by alias, and the passphrases of those whom a visitor of the demo can be."""

    callers: dict[str, Caller] = field(default_factory=dict)
    passphrases: dict[str, str] = field(default_factory=dict)

    @property
    def organiser(self) -> Caller:
        return self.callers[ORGANISER]

    @property
    def official(self) -> Caller:
        return self.callers[OFFICIAL]


def sign_up_all(services: LeaderboardServices, racers: tuple[CastRacer, ...], now_utc_ns: int) -> DemoPeople:
    """Sign everybody up, and give the organiser and the official their roles."""
    people = DemoPeople()
    everybody = [(each.alias, each.name) for each in STAFF] + [(each.alias, each.name) for each in racers]
    for number, (alias, name) in enumerate(everybody):
        # Each from a home of their own: from one address the leaderboard takes only a few.
        visitor = Visitor(f"203.0.113.{number + 1}", "a browser at home")
        passphrase = " ".join(secrets.choice(_WORDS) for _ in range(_PASSPHRASE_WORDS))
        account = services.accounts.entrance.sign_up(alias, name, passphrase, visitor, now_utc_ns).account
        people.callers[alias] = Caller(account.account_id, account.alias, account.name)
        if alias in (RACER, ORGANISER, OFFICIAL):
            people.passphrases[alias] = passphrase
    for alias, grant in ((ORGANISER, Grant("organiser")), (OFFICIAL, Grant("official"))):
        services.accounts.administration.grant(ADMIN, alias, grant, now_utc_ns)
        people.callers[alias] = dataclasses.replace(people.callers[alias], grants=frozenset({grant}))
    return people
