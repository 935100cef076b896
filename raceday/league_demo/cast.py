"""Who takes part in the demo's season: racers with a pace each, their teams, and the people who run it. Pure."""

import random
from dataclasses import dataclass

REGIONS = ("Africa", "Americas", "Asia", "Europe")
CATEGORIES = ("Club", "Student")
TEAMS = ("Apex Hunters", "Chicane Club", "Late Brakers", "Night Shift", "Pit Crew", "Slipstream")
DIVISIONS = OPEN, PRO = ("Open", "Pro")
RACERS = 40
PROS = 8  # who begin the season in the upper division
RACER, ORGANISER, OFFICIAL = "mara", "olga", "otto"  # the demo's accounts with a passphrase to sign in by
_NAMES = (
    "Mara Lindqvist", "Jonas Weber", "Priya Raman", "Kenji Mori", "Amara Okafor", "Lucas Moreau", "Sofia Rossi",
    "Noah Fischer", "Zainab Bello", "Diego Torres", "Hana Sato", "Emma Nilsson", "Tariq Aziz", "Chloe Martin",
    "Mateo Silva", "Aisha Diallo", "Felix Braun", "Yuki Tanaka", "Leila Haddad", "Oscar Jensen", "Nadia Petrova",
    "Samuel Mensah", "Ingrid Dahl", "Ravi Patel", "Carla Mendes", "Theo Dubois", "Mei Chen", "Ivan Horvat",
    "Grace Mwangi", "Henrik Olsen", "Lucia Romero", "Arjun Nair", "Elsa Virtanen", "Pablo Ortega", "Kofi Asante",
    "Marta Kowalska", "Daniel Novak", "Thandi Dlamini", "Viktor Szabo", "Rosa Alvarez",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CastRacer:
    """A racer: `pace_ms` is a lap at the begin of the season, `gain_ms` what each month of training takes off it."""

    alias: str
    name: str
    pace_ms: int
    gain_ms: int
    region: str
    category: str
    team: str
    division: str


@dataclass(frozen=True, slots=True)
class CastOfficial:
    """Somebody who runs the season and does not race."""

    alias: str
    name: str


STAFF = (CastOfficial(ORGANISER, "Olga Brandt"), CastOfficial(OFFICIAL, "Otto Keller"))


def cast(seed: int) -> tuple[CastRacer, ...]:
    """The racers of this seed; the first of them is the one whose passphrase the demo prints."""
    chance = random.Random(f"cast {seed}")
    places = [*range(1, RACERS)]
    chance.shuffle(places)
    # The demo's racer is quick enough to be seen moving up, and not among the pros from the begin.
    order = [PROS + 1, *(place if place <= PROS else place + 1 for place in places)]
    return tuple(_racer(chance, name, number, order[number]) for number, name in enumerate(_NAMES))


def _racer(chance: random.Random, name: str, number: int, place: int) -> CastRacer:
    return CastRacer(
        alias=name.split(maxsplit=1)[0].lower(),
        name=name,
        pace_ms=8_300 + 62 * place + chance.randrange(120),
        gain_ms=chance.randrange(20, 160),
        region=REGIONS[chance.randrange(len(REGIONS))],
        category=CATEGORIES[chance.randrange(3) == 0],
        team=TEAMS[number % len(TEAMS)] if number % 10 else "",
        division=PRO if place <= PROS else OPEN,
    )
