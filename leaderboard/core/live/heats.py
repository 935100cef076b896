"""Heats in the queue of a LIVE race: turns in which two racers drive at once. Pure; functions return the queue after.

Only a virtual race of the type head to head has them: two models in one world. The first of the two starts in front.
"""

from collections.abc import Sequence
from dataclasses import replace

from leaderboard.core.live.order import STEP
from leaderboard.core.live.queue import LiveQueue, busy, check_room, moved, with_items
from leaderboard.core.live.turn import FULL_PERCENT, WAITING, QueueItem
from leaderboard.core.race import RaceRecord
from shared.errors import Refused
from shared.rules.person_names import name_key
from shared.text import Sentence, recorded, text

Entrant = tuple[str, str, str]  # the racer, the name, the account or ""


def has_heats(race: RaceRecord) -> bool:
    """Whether two drive at once in this race."""
    return race.venue == "virtual" and race.race_type == "head_to_head"


def check_heats(race: RaceRecord) -> None:
    """Check that two may drive at once in this race. Raises Refused."""
    if not has_heats(race):
        raise Refused(text("Two drive at once only in a virtual race of the type head to head."))


def heat_added(
    queue: LiveQueue, item_id: str, entrants: tuple[Entrant, Entrant], bracket_id: str = "", heat: int = 0
) -> LiveQueue:
    """The queue with a heat of these two at its end. Raises Refused for one who waits, or for one against oneself."""
    (racer, name, account_id), (rival, rival_name, rival_account_id) = entrants
    taken = busy(queue)
    for who, shown in ((racer, name), (rival, rival_name)):
        if name_key(who) in taken:
            raise Refused(text("{name} is in the queue already.", name=shown))
        taken.add(name_key(who))
    check_room(queue.items)
    key = max((each.key for each in queue.items), default=-STEP) + STEP
    item = QueueItem(
        item_id,
        racer,
        name,
        key,
        account_id,
        rival=rival,
        rival_name=rival_name,
        rival_account_id=rival_account_id,
        bracket_id=bracket_id,
        heat=heat,
    )
    return replace(queue, items=(*queue.items, item))


def paired(queue: LiveQueue, item_id: str, other_id: str) -> LiveQueue:
    """The queue with two turns that wait as one heat, at the place of the first. Raises Refused."""
    first, second = queue.item(item_id), queue.item(other_id)
    if name_key(first.racer) == name_key(second.racer):
        raise Refused(text("{name} is in the queue already.", name=first.name))
    for each in (first, second):
        if each.state not in WAITING:
            raise Refused(text("{name} does not wait: only those who wait drive against each other.", name=each.names))
        if each.rival:
            raise Refused(text("{name} are a heat already: part them first.", name=each.names))
    heat = replace(
        first,
        state="pending",
        rival=second.racer,
        rival_name=second.name,
        rival_account_id=second.account_id,
        rival_speed_percent=FULL_PERCENT,
        launches=0,
        reason="",
    )
    left = replace(queue, items=tuple(each for each in queue.items if each.item_id != other_id))
    return with_items(left, heat)


def paired_in_order(queue: LiveQueue) -> LiveQueue:
    """The queue with those who wait alone in pairs, each with the next; a last one is left alone. Raises Refused."""
    alone = [each.item_id for each in queue.waiting if not each.rival]
    if len(alone) < 2:
        raise Refused(text("There are no two who wait alone."))
    for first, second in zip(alone[::2], alone[1::2], strict=False):
        queue = paired(queue, first, second)
    return queue


def parted(queue: LiveQueue, item_id: str, rival_item_id: str) -> LiveQueue:
    """The queue with a heat that waits as two turns, one behind the other. Raises Refused."""
    heat = queue.item(item_id)
    if heat.state not in WAITING or not heat.rival:
        raise Refused(text("{name} is no heat that waits.", name=heat.names))
    check_room(queue.items)
    first = replace(
        heat,
        state="pending",
        rival="",
        rival_name="",
        rival_account_id="",
        bracket_id="",
        heat=0,
        launches=0,
        reason="",
    )
    last = max(each.key for each in queue.items) + STEP
    second = QueueItem(rival_item_id, heat.rival, heat.rival_name, last, heat.rival_account_id)
    after = with_items(replace(queue, items=(*queue.items, second)), first)
    place = [each.item_id for each in after.waiting].index(item_id) + 1
    return moved(after, rival_item_id, place + 1)


def won(queue: LiveQueue, item_id: str, ahead: str, reason: str) -> LiveQueue:
    """The queue with the outcome of a heat that is done: who was ahead ("": they were level), and why."""
    item = queue.item(item_id)
    assert item.state == "done", "only a heat that is done has an outcome"
    return with_items(queue, replace(item, ahead=ahead, reason=reason))


def last_won(items: Sequence[QueueItem]) -> QueueItem | None:
    """The heat that was won last; None before the first."""
    decided = [each for each in items if each.state == "done" and each.ahead]
    return max(decided, key=lambda each: (each.ended_utc_ns or 0, each.key), default=None)


def outcome(item: QueueItem) -> Sentence | str:
    """Who won a heat, and why; of another turn its reason. "" for none."""
    why = recorded(item.reason) if item.reason else ""
    return text("{name} wins: {why}", name=sides(item)[0], why=why) if item.ahead else why


def sides(heat: QueueItem) -> tuple[str, str]:
    """The names of who won a heat and of who lost it."""
    first_won = name_key(heat.ahead) == name_key(heat.racer)
    return (heat.name, heat.rival_name) if first_won else (heat.rival_name, heat.name)
