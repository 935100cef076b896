"""The queue of a LIVE race: who drives, who is next, and what officials may do with it. Pure; time is an argument.

Every function takes the queue and returns the one after. The countdown and the run end by themselves: `settled` says
what the clock has made of a stored queue, and whoever changes one settles it first. At most one racer is on the track.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from leaderboard.core.errors import Conflict
from leaderboard.core.live.order import STEP, key_between, spread
from shared.errors import Refused
from shared.rules.person_names import name_key
from shared.text import Sentence, text
from shared.units import NS_PER_S

QueueState = Literal["pending", "called", "countdown", "running", "done", "failed", "skipped"]
QueueMove = Literal["call", "uncall", "launch", "cancel", "start", "finish", "fail", "skip", "relaunch", "return"]

PlainMove = Literal["call", "uncall", "cancel", "finish", "fail", "skip", "return"]  # those that start nobody

# (state, what is done) -> the state then. What is not here is refused.
QUEUE_MOVES: Mapping[tuple[QueueState, QueueMove], QueueState] = {
    ("pending", "call"): "called",
    ("called", "uncall"): "pending",
    ("pending", "launch"): "countdown",
    ("called", "launch"): "countdown",
    ("countdown", "cancel"): "called",
    ("countdown", "start"): "running",  # by the clock
    ("running", "finish"): "done",  # by the clock, or by an official
    ("countdown", "fail"): "failed",
    ("running", "fail"): "failed",
    ("pending", "skip"): "skipped",
    ("called", "skip"): "skipped",
    ("countdown", "relaunch"): "countdown",
    ("running", "relaunch"): "countdown",
    ("failed", "relaunch"): "countdown",
    ("done", "relaunch"): "countdown",
    ("skipped", "relaunch"): "countdown",
    ("failed", "return"): "pending",
    ("skipped", "return"): "pending",
    ("done", "return"): "pending",
}
QUEUE_STATES: tuple[QueueState, ...] = get_args(QueueState)
PLAIN_MOVES: tuple[PlainMove, ...] = get_args(PlainMove)
WAITING: frozenset[QueueState] = frozenset({"pending", "called"})
ON_TRACK: frozenset[QueueState] = frozenset({"countdown", "running"})

COUNTDOWN_NS = 10 * NS_PER_S
MIN_RUN_S, MAX_RUN_S, DEFAULT_RUN_S = 60, 600, 180
MIN_PERCENT, MAX_PERCENT, FULL_PERCENT = 50, 150, 100
MAX_ITEMS = 1000


@dataclass(frozen=True, slots=True)
class QueueItem:
    """A racer's turn. `key` orders the queue; `speed_percent` scales the model's speed, never its steering.

    `run_time_s` is fixed at the launch. `launches` counts them; `reason` says why it failed or was skipped.
    In a virtual race `driver` is the node of a farm that drives the last launch, with the model of `submission_id`.
    """

    item_id: str
    racer: str
    name: str
    key: int
    account_id: str = ""
    state: QueueState = "pending"
    launched_utc_ns: int | None = None
    ended_utc_ns: int | None = None
    run_time_s: int = DEFAULT_RUN_S
    speed_percent: int = FULL_PERCENT
    launches: int = 0
    reason: str = ""
    driver: str = ""
    submission_id: str = ""

    @property
    def starts_utc_ns(self) -> int | None:
        """When the countdown of the last launch is over."""
        return None if self.launched_utc_ns is None else self.launched_utc_ns + COUNTDOWN_NS

    @property
    def ends_utc_ns(self) -> int | None:
        """When the run of the last launch is over by the clock."""
        starts = self.starts_utc_ns
        return None if starts is None else starts + self.run_time_s * NS_PER_S


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
        """Who is on the track: counted down, or driving."""
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
    return _with(queue, item)


def added(queue: LiveQueue, racers: Iterable[tuple[str, str, str, str]]) -> LiveQueue:
    """The queue with these at its end: (item id, racer, name, account) each. Raises Refused for one who waits."""
    items = list(queue.items)
    busy = {name_key(each.racer) for each in items if each.state in WAITING | ON_TRACK}
    key = max((each.key for each in items), default=-STEP)
    for item_id, racer, name, account_id in racers:
        if name_key(racer) in busy:
            raise Refused(text("{name} is in the queue already.", name=name))
        if len(items) >= MAX_ITEMS:
            raise Refused(text("The queue holds at most {maximum} turns: remove some first.", maximum=MAX_ITEMS))
        busy.add(name_key(racer))
        key += STEP
        items.append(QueueItem(item_id, racer, name, key, account_id))
    return replace(queue, items=tuple(items))


def moved(queue: LiveQueue, item_id: str, place: int) -> LiveQueue:
    """The queue with this turn at a place (1: the next) among those who wait; beyond the end is the end."""
    item = queue.item(item_id)
    if item.state not in WAITING:
        raise Refused(text("{name} does not wait: only those who wait are moved.", name=item.name))
    others = [each for each in queue.waiting if each.item_id != item_id]
    at = max(0, min(place - 1, len(others)))
    before = others[at - 1].key if at else None
    after = others[at].key if at < len(others) else None
    key = key_between(before, after)
    if key is not None:
        return _with(queue, replace(item, key=key))
    in_order = [*others[:at], item, *others[at:]]
    keyed = [replace(each, key=key) for each, key in zip(in_order, spread(len(in_order)), strict=True)]
    return _with(queue, *keyed)


def changed(queue: LiveQueue, item_id: str, move: PlainMove, now_utc_ns: int, reason: str = "") -> LiveQueue:
    """The queue after a move that starts nobody. Raises Refused."""
    item = queue.item(item_id)
    state = _after(item, move)
    ended = now_utc_ns if state in ("done", "failed") else None
    kept = item.launched_utc_ns if state in ("done", "failed") else None
    item = replace(item, state=state, reason=reason, ended_utc_ns=ended, launched_utc_ns=kept)
    if move == "return":
        item = replace(item, key=max(each.key for each in queue.items) + STEP)
    return _with(queue, item)


def launched(queue: LiveQueue, item_id: str, now_utc_ns: int, unable: Mapping[str, str]) -> LiveQueue:
    """The queue with the countdown of this turn begun; "": of the next one that can drive. Raises Refused.

    `unable`: racers who may not drive (by `name_key`), and why. Whom the next launch passes over is skipped with that
    reason, so that one who cannot drive never stops the others.
    """
    _check_free(queue)
    if item_id:
        item = queue.item(item_id)
        if (why := unable.get(name_key(item.racer))) is not None:
            raise Refused(text("{name} cannot drive: {why}", name=item.name, why=why))
        return _with(queue, _counted_down(queue, item, "launch" if item.state in WAITING else "relaunch", now_utc_ns))
    passed: list[QueueItem] = []
    for each in queue.waiting:
        if (why := unable.get(name_key(each.racer))) is None:
            return _with(queue, *passed, _counted_down(queue, each, "launch", now_utc_ns))
        passed.append(replace(each, state=_after(each, "skip"), reason=why))
    raise Refused(text("Nobody who waits can drive: add racers to the queue."))


def relaunched(queue: LiveQueue, item_id: str, now_utc_ns: int, unable: Mapping[str, str]) -> LiveQueue:
    """The queue with this turn counted down anew; whoever is on the track already starts again. Raises Refused."""
    on_track, item = queue.on_track, queue.item(item_id)
    if on_track is not None and on_track.item_id == item_id:
        _check_undecided(queue)
        return _with(queue, _counted_down(queue, item, "relaunch", now_utc_ns))
    if item.state in WAITING:
        raise Refused(text("{name} has not driven yet: launch the turn.", name=item.name))
    return launched(queue, item_id, now_utc_ns, unable)


def removed(queue: LiveQueue, item_id: str) -> LiveQueue:
    """The queue without this turn. Raises Refused while it is on the track."""
    item = queue.item(item_id)
    if item.state in ON_TRACK:
        raise Refused(text("{name} is on the track: end the run first.", name=item.name))
    return replace(queue, items=tuple(each for each in queue.items if each.item_id != item_id))


def cleared(queue: LiveQueue) -> LiveQueue:
    """The queue without any turn, and without a winner. Raises Refused while somebody drives."""
    check_track_free(queue)
    return replace(queue, items=(), winner="", winner_utc_ns=None)


def set_speed(queue: LiveQueue, speed_percent: int) -> LiveQueue:
    """The queue with the speed of the car on the track scaled. Raises Refused for a value, or if nobody drives."""
    if not MIN_PERCENT <= speed_percent <= MAX_PERCENT:
        raise Refused(text("The multiplier is {low} to {high}.", low="0.5", high="1.5"))
    item = queue.on_track
    if item is None:
        raise Refused(text("Nobody is on the track: each run begins at a multiplier of 1."))
    return _with(queue, replace(item, speed_percent=speed_percent))


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
        launches=item.launches + 1,
        reason="",
        driver="",
        submission_id="",
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
        raise Refused(text("{name} is on the track: end the run first.", name=item.name))


def _after(item: QueueItem, move: QueueMove) -> QueueState:
    if (item.state, move) not in QUEUE_MOVES:
        raise Refused(
            text("This is not possible now: {name} is {state}.", name=item.name, state=STATE_WORDS[item.state])
        )
    return QUEUE_MOVES[item.state, move]


STATE_WORDS: Mapping[QueueState, Sentence] = {
    "pending": text("waiting"),
    "called": text("called"),
    "countdown": text("in the countdown"),
    "running": text("driving"),
    "done": text("done"),
    "failed": text("failed"),
    "skipped": text("skipped"),
}


def _with(queue: LiveQueue, *changed_items: QueueItem) -> LiveQueue:
    by_id = {each.item_id: each for each in changed_items}
    items = sorted((by_id.get(each.item_id, each) for each in queue.items), key=lambda each: (each.key, each.item_id))
    return replace(queue, items=tuple(items))
