"""Who gets a turn in the queue of a LIVE race, and who has won it. Called by service.py, within its transactions."""

import secrets
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from leaderboard.core.access import Caller
from leaderboard.core.errors import NotAllowed
from leaderboard.core.live.heats import Entrant, last_won, sides
from leaderboard.core.live.queue import LiveQueue
from leaderboard.core.race import RaceRecord
from leaderboard.live_races import rows
from leaderboard.live_races.queue_changes import Unable
from shared.errors import Refused
from shared.rules.person_names import name_key, person_name
from shared.text import text

Turn = tuple[str, str, str, str]  # its id, the racer, the name, the account or ""


def wanted_turns(
    db: sa.Connection, queue: LiveQueue, racers: Sequence[str], unable: Unable, *, entries: bool
) -> list[Turn]:
    """Turns for these racers; `entries`: and before them for all who are entered and have none. Raises Refused."""
    known = {name_key(racer): (racer, name, account) for racer, name, account in rows.entered(db, queue.race_id)}
    has_turn = {name_key(car.racer) for each in queue.items for car in each.cars}
    wanted = [known[key] for key in known if entries and key not in has_turn]
    wanted += [_entrant(known, each, unable) for each in racers]
    return [(new_turn(), *each) for each in wanted]


def wanted_heat(
    db: sa.Connection, queue: LiveQueue, first: str, second: str, unable: Unable
) -> tuple[Entrant, Entrant]:
    """The two of a heat. Raises Refused."""
    known = {name_key(racer): (racer, name, account) for racer, name, account in rows.entered(db, queue.race_id)}
    return _entrant(known, first, unable), _entrant(known, second, unable)


def new_turn() -> str:
    """The id of a turn."""
    return secrets.token_hex(8)


def _entrant(known: Mapping[str, Entrant], written: str, unable: Unable) -> Entrant:
    racer = person_name(written)
    _check_able(racer, unable)
    return known.get(name_key(racer), (racer, racer, ""))


def own_turn(
    db: sa.Connection, caller: Caller, race: RaceRecord, queue: LiveQueue, racers: Sequence[str], entries: bool
) -> Turn:
    """The turn of the caller's own entry."""
    own = rows.own_entry(db, race.race_id, caller.account_id)
    if racers or entries or own is None:
        raise NotAllowed(
            text("Only officials put others into the queue; you can put yourself in once you are entered.")
        )
    state, racer, name = own
    if not queue.entries_open:
        raise Refused(text("Entries to the queue are closed: an official can still add you."))
    if state != "entered":
        raise Refused(text("You are not entered in this race: enter it first."))
    return new_turn(), racer, name, caller.account_id


def winner(db: sa.Connection, race: RaceRecord, queue: LiveQueue, racer: str | None) -> str:
    """The racer's name as it is shown; "" for none. None is who won the last heat, or else who leads the standing."""
    if racer == "":
        return ""
    top = rows.top(db, race, 1)
    if racer is None:
        if (heat := last_won(queue.items)) is not None:
            return sides(heat)[0]
        if not top:
            raise Refused(text("No run has qualified yet: there is no winner to declare."))
        return top[0].name
    cars = [car for each in queue.items for car in each.cars]
    driven = [car for car in cars if name_key(racer) in (name_key(car.racer), name_key(car.name))]
    if not driven and not (top and name_key(racer) in (name_key(top[0].racer), name_key(top[0].name))):
        raise Refused(text("{name} has no turn in this queue.", name=racer[:80]))
    return driven[0].name if driven else top[0].name


def _check_able(racer: str, unable: Unable) -> None:
    if (why := unable.get(name_key(racer))) is not None:
        raise Refused(text("{name} cannot drive: {why}", name=racer, why=why))
