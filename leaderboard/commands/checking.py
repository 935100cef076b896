"""`raceday leaderboard check`: whether what is derived and stored agrees with the results; with `--repair` it will."""

import argparse

from leaderboard.checks import CHECKS
from leaderboard.config import read
from leaderboard.core.race import RaceRecord
from leaderboard.store import race_rows
from leaderboard.store.database import Store, open_readers, open_store
from shared.chosen_config import add_config_option, chosen_config

_SHOWN = 50  # of each race and check


def main(arguments: list[str]) -> int:
    """The command; returns 1 if something disagrees (and was not repaired). Raises RacedayError."""
    chosen = _parser().parse_args(arguments)
    place = read(chosen_config(chosen.config, "leaderboard.toml")).store.place
    store = open_store(place) if chosen.repair else open_readers(place)
    try:
        return check(store, chosen.race, chosen.repair)
    finally:
        store.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="raceday leaderboard check",
        description="Compare lines, counts and all that is derived from results with these, race by race. "
        "It may run beside the leaderboard; to repair, stop that first.",
    )
    parser.add_argument("race", nargs="?", metavar="RACE", help="only this race")
    parser.add_argument("--repair", action="store_true", help="derive what disagrees again")
    add_config_option(parser, "leaderboard.toml")
    return parser


def check(store: Store, race_id: str | None, repair: bool) -> int:
    """Checks one race or all of them, each as it is at one moment; prints what disagrees. Raises UnknownRace."""
    with store.read() as db:
        races = [race_rows.race(db, race_id)] if race_id else [head.race for head in race_rows.heads(db)]
    found = sum(_checked(store, race) for race in races)
    if not found:
        print(f"{len(races)} races: everything agrees with the results")
        return 0
    if not repair:
        print(f"{found} rows disagree; stop the leaderboard and run this with --repair")
        return 1
    for race in races:
        with store.write() as db:
            for each in CHECKS:
                each.repair(db, race_rows.race(db, race.race_id, for_change=True))
            race_rows.bump(db, race.race_id, {})
    left = sum(_checked(store, race) for race in races)
    print(f"{found} rows disagreed, {left} do so after the repair")
    return 1 if left else 0


def _checked(store: Store, race: RaceRecord) -> int:
    found = 0
    for each in CHECKS:
        with store.read() as db:
            sentences = list(each.find(db, race))
        for sentence in sentences[:_SHOWN]:
            print(f"{race.race_id}: {sentence}")
        if len(sentences) > _SHOWN:
            print(f"{race.race_id}: … and {len(sentences) - _SHOWN} more of {each.name}")
        found += len(sentences)
    return found
