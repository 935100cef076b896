"""The queue of a LIVE race: who drives, who is next, and what officials may do with it. Pure; time is an argument.

Every function takes the queue and returns the one after. The countdown and the run end by themselves: `settled` says
what the clock has made of a stored queue, and whoever changes one settles it first. At most one turn is on the track:
of one racer, or a heat of two (heats.py).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from leaderboard.core.errors import Conflict
from leaderboard.core.live.order import STEP, key_between, spread
from leaderboard.core.live.turn import (
    DEFAULT_RUN_S,
    FULL_PERCENT,
    MAX_PERCENT,
    MAX_RUN_S,
    MIN_PERCENT,
    MIN_RUN_S,
    ON_TRACK,
    QUEUE_MOVES,
    STATE_WORDS,
    WAITING,
    PlainMove,
    QueueItem,
    QueueMove,
    QueueState,
)
from shared.errors import Refused
from shared.rules.person_names import name_key
from shared.text import text

MAX_ITEMS = 1000


@dataclass(frozen=True, slots=True)
class LiveQueue:
    """The queue of one race, in order. `version` rises with each change; `entries_open`: racers may put themselves in.

    `run_time_s`: of the next launch. `winner`: the racer who was declared the winner, "" before that.
    """

    race_id: str
    version: int = 0
    entries_open: bool = False
    run_time_s: int = DEFAULT_RUN_S
    winner: str = ""
    winner_utc_ns: int | None = None
    items: tuple[QueueItem, ...] = ()

    def item(self, item_id: str) -> QueueItem:
        """The item. Raises Refused if it is not in the queue (any more)."""
        for each in self.items:
            if each.item_id == item_id:
                return each
        raise Refused(text("This turn is not in the queue any more: load the page again."))

    @property
    def waiting(self) -> tuple[QueueItem, ...]:
        """Those still to drive, the next first."""
        return tuple(each for each in self.items if each.state in WAITING)

    @property
    def on_track(self) -> QueueItem | None:
        """The turn that is on the track: counted down, or driven."""
        return next((each for each in self.items if each.state in ON_TRACK), None)


def check_version(queue: LiveQueue, version: int) -> None:
    """Check that the caller saw the newest queue. Raises Conflict with the version."""
    if version != queue.version:
        raise Conflict(
            text(
                "Somebody else has changed the queue: it is at version {now}, you saw {seen}. Look at it, then do it "
                "again.",
                now=queue.version,
                seen=version,
            )
        )


def settled(queue: LiveQueue, now_utc_ns: int) -> LiveQueue:
    """The queue at this time: a countdown that is over became a run, and a run whose time is up is done."""
    item = queue.on_track
    if item is None:
        return queue
    starts, ends = item.starts_utc_ns, item.ends_utc_ns
    assert starts is not None
    assert ends is not None
    if item.state == "countdown" and now_utc_ns >= starts:
        item = replace(item, state=QUEUE_MOVES["countdown", "start"])
    if item.state == "running" and now_utc_ns >= ends:
        item = replace(item, state=QUEUE_MOVES["running", "finish"], ended_utc_ns=ends)
    return with_items(queue, item)


def busy(queue: LiveQueue) -> set[str]:
    """Who waits or drives, by `name_key`."""
    return {name_key(car.racer) for each in queue.items if each.state in WAITING | ON_TRACK for car in each.cars}


def check_room(items: Iterable[QueueItem]) -> None:
    """Check that there is room for another turn. Raises Refused."""
    if len(tuple(items)) >= MAX_ITEMS:
        raise Refused(text("The queue holds at most {maximum} turns: remove some first.", maximum=MAX_ITEMS))


def added(queue: LiveQueue, racers: Iterable[tuple[str, str, str, str]]) -> LiveQueue:
    """The queue with these at its end: (item id, racer, name, account) each. Raises Refused for one who waits."""
    items = list(queue.items)
    taken = busy(queue)
    key = max((each.key for each in items), default=-STEP)
    for item_id, racer, name, account_id in racers:
        if name_key(racer) in taken:
            raise Refused(text("{name} is in the queue already.", name=name))
        check_room(items)
        taken.add(name_key(racer))
        key += STEP
        items.append(QueueItem(item_id, racer, name, key, account_id))
    return replace(queue, items=tuple(items))


def moved(queue: LiveQueue, item_id: str, place: int) -> LiveQueue:
    """The queue with this turn at a place (1: the next) among those who wait; beyond the end is the end."""
    item = queue.item(item_id)
    if item.state not in WAITING:
        raise Refused(text("{name} does not wait: only those who wait are moved.", name=item.names))
    others = [each for each in queue.waiting if each.item_id != item_id]
    at = max(0, min(place - 1, len(others)))
    before = others[at - 1].key if at else None
    after = others[at].key if at < len(others) else None
    key = key_between(before, after)
    if key is not None:
        return with_items(queue, replace(item, key=key))
    in_order = [*others[:at], item, *others[at:]]
    keyed = [replace(each, key=key) for each, key in zip(in_order, spread(len(in_order)), strict=True)]
    return with_items(queue, *keyed)


def changed(queue: LiveQueue, item_id: str, move: PlainMove, now_utc_ns: int, reason: str = "") -> LiveQueue:
    """The queue after a move that starts nobody. Raises Refused."""
    item = queue.item(item_id)
    state = _after(item, move)
    ended = now_utc_ns if state in ("done", "failed") else None
    kept = item.launched_utc_ns if state in ("done", "failed") else None
    item = replace(item, state=state, reason=reason, ended_utc_ns=ended, launched_utc_ns=kept, ahead="")
    if move == "return":
        item = replace(item, key=max(each.key for each in queue.items) + STEP)
    return with_items(queue, item)


def launched(queue: LiveQueue, item_id: str, now_utc_ns: int, unable: Mapping[str, str]) -> LiveQueue:
    """The queue with the countdown of this turn begun; "": of the next one that can drive. Raises Refused.

    `unable`: racers who may not drive (by `name_key`), and why. Whom the next launch passes over is skipped with that
    reason, so that one who cannot drive never stops the others.
    """
    _check_free(queue)
    if item_id:
        item = queue.item(item_id)
        for car in item.cars:
            if (why := unable.get(name_key(car.racer))) is not None:
                raise Refused(text("{name} cannot drive: {why}", name=car.name, why=why))
        return with_items(
            queue, _counted_down(queue, item, "launch" if item.state in WAITING else "relaunch", now_utc_ns)
        )
    passed: list[QueueItem] = []
    for each in queue.waiting:
        reason = _why_unable(each, unable)
        if reason is None:
            return with_items(queue, *passed, _counted_down(queue, each, "launch", now_utc_ns))
        passed.append(replace(each, state=_after(each, "skip"), reason=reason))
    raise Refused(text("Nobody who waits can drive: add racers to the queue."))


def _why_unable(item: QueueItem, unable: Mapping[str, str]) -> str | None:
    for car in item.cars:
        if (why := unable.get(name_key(car.racer))) is not None:
            return text("{name} cannot drive: {why}", name=car.name, why=why) if item.rival else why
    return None


def relaunched(queue: LiveQueue, item_id: str, now_utc_ns: int, unable: Mapping[str, str]) -> LiveQueue:
    """The queue with this turn counted down anew; whoever is on the track already starts again. Raises Refused."""
    on_track, item = queue.on_track, queue.item(item_id)
    if on_track is not None and on_track.item_id == item_id:
        _check_undecided(queue)
        return with_items(queue, _counted_down(queue, item, "relaunch", now_utc_ns))
    if item.state in WAITING:
        raise Refused(text("{name} has not driven yet: launch the turn.", name=item.names))
    return launched(queue, item_id, now_utc_ns, unable)


def removed(queue: LiveQueue, item_id: str) -> LiveQueue:
    """The queue without this turn. Raises Refused while it is on the track."""
    item = queue.item(item_id)
    if item.state in ON_TRACK:
        raise Refused(text("{name} is on the track: end the run first.", name=item.names))
    return replace(queue, items=tuple(each for each in queue.items if each.item_id != item_id))


def cleared(queue: LiveQueue) -> LiveQueue:
    """The queue without any turn, and without a winner. Raises Refused while somebody drives."""
    check_track_free(queue)
    return replace(queue, items=(), winner="", winner_utc_ns=None)


def set_speed(queue: LiveQueue, speed_percent: int, racer: str = "") -> LiveQueue:
    """The queue with the speed of the cars on the track scaled, or of this racer's alone. Raises Refused."""
    if not MIN_PERCENT <= speed_percent <= MAX_PERCENT:
        raise Refused(text("The multiplier is {low} to {high}.", low="0.5", high="1.5"))
    item = queue.on_track
    if item is None:
        raise Refused(text("Nobody is on the track: each run begins at a multiplier of 1."))
    places = [place for place, car in enumerate(item.cars) if not racer or name_key(car.racer) == name_key(racer)]
    if not places:
        raise Refused(text("{name} is not on the track.", name=racer))
    if 0 in places:
        item = replace(item, speed_percent=speed_percent)
    if 1 in places:
        item = replace(item, rival_speed_percent=speed_percent)
    return with_items(queue, item)


def set_run_time(queue: LiveQueue, run_time_s: int) -> LiveQueue:
    """The queue with this run time from the next launch on. Raises Refused."""
    if not MIN_RUN_S <= run_time_s <= MAX_RUN_S:
        raise Refused(text("A run takes 1 to 10 minutes; {seconds} s is not possible.", seconds=run_time_s))
    return replace(queue, run_time_s=run_time_s)


def decided(queue: LiveQueue, winner: str, now_utc_ns: int) -> LiveQueue:
    """The queue with its winner declared; "" takes that back. Raises Refused while somebody drives."""
    check_track_free(queue)
    return replace(queue, winner=winner, winner_utc_ns=now_utc_ns if winner else None)


def _counted_down(queue: LiveQueue, item: QueueItem, move: QueueMove, now_utc_ns: int) -> QueueItem:
    return replace(
        item,
        state=_after(item, move),
        launched_utc_ns=now_utc_ns,
        ended_utc_ns=None,
        run_time_s=queue.run_time_s,
        speed_percent=FULL_PERCENT,
        rival_speed_percent=FULL_PERCENT,
        launches=item.launches + 1,
        reason="",
        driver="",
        submission_id="",
        rival_submission_id="",
        ahead="",
    )


def _check_free(queue: LiveQueue) -> None:
    check_track_free(queue)
    _check_undecided(queue)


def _check_undecided(queue: LiveQueue) -> None:
    if queue.winner:
        raise Refused(text("The winner is declared: take that back before anybody drives again."))


def check_track_free(queue: LiveQueue) -> None:
    """Check that nobody drives. Raises Refused."""
    if (item := queue.on_track) is not None:
        raise Refused(text("{name} is on the track: end the run first.", name=item.names))


def _after(item: QueueItem, move: QueueMove) -> QueueState:
    if (item.state, move) not in QUEUE_MOVES:
        raise Refused(
            text("This is not possible now: {name} is {state}.", name=item.names, state=STATE_WORDS[item.state])
        )
    return QUEUE_MOVES[item.state, move]


def with_items(queue: LiveQueue, *changed_items: QueueItem) -> LiveQueue:
    """The queue with these turns as they are here, in order."""
    by_id = {each.item_id: each for each in changed_items}
    items = sorted((by_id.get(each.item_id, each) for each in queue.items), key=lambda each: (each.key, each.item_id))
    return replace(queue, items=tuple(items))
