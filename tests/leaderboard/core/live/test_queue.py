"""The queue of a LIVE race: the table of moves, the clock, and any interleaving of what officials do."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.core.errors import Conflict
from leaderboard.core.live import heats, order, queue
from leaderboard.core.live.queue import LiveQueue
from leaderboard.core.live.turn import (
    COUNTDOWN_NS,
    ON_TRACK,
    PLAIN_MOVES,
    QUEUE_MOVES,
    QUEUE_STATES,
    PlainMove,
    QueueItem,
    QueueState,
)
from shared.errors import Refused
from shared.rules.person_names import name_key
from shared.units import NS_PER_S

NOW = 1_700_000_000_000_000_000


def of(*racers: str) -> LiveQueue:
    return queue.added(LiveQueue("cup"), [(f"i-{each}", each, each.title(), "") for each in racers])


def order_of(live: LiveQueue) -> list[str]:
    return [each.racer for each in live.waiting]


def state(live: LiveQueue, racer: str) -> QueueState:
    return live.item(f"i-{racer}").state


@pytest.mark.parametrize("begin", QUEUE_STATES)
@pytest.mark.parametrize("move", PLAIN_MOVES)
def test_every_move_from_every_state(begin: QueueState, move: PlainMove) -> None:
    live = LiveQueue("cup", items=(QueueItem("i", "anna", "Anna", 0, state=begin, launched_utc_ns=NOW),))
    if (begin, move) in QUEUE_MOVES:
        assert queue.changed(live, "i", move, NOW).item("i").state == QUEUE_MOVES[begin, move]
    else:
        with pytest.raises(Refused, match="Anna is"):
            queue.changed(live, "i", move, NOW)


def test_the_clock_ends_the_countdown_and_the_run() -> None:
    live = queue.launched(queue.set_run_time(of("anna", "tom"), 60), "", NOW, {})
    end = NOW + COUNTDOWN_NS + 60 * NS_PER_S
    for at, wanted in ((NOW, "countdown"), (NOW + COUNTDOWN_NS - 1, "countdown"), (NOW + COUNTDOWN_NS, "running"),
                       (end - 1, "running"), (end, "done"), (end + 10**15, "done")):  # fmt: skip
        assert state(queue.settled(live, at), "anna") == wanted
    assert queue.settled(live, end + 10**15).item("i-anna").ended_utc_ns == end  # however late anybody asks
    assert queue.settled(live, end).on_track is None


def test_one_that_cannot_drive_stops_nobody() -> None:
    live = queue.launched(of("anna", "tom", "eva"), "", NOW, {"anna": "removed from the race"})
    assert (state(live, "anna"), state(live, "tom"), state(live, "eva")) == ("skipped", "countdown", "pending")
    assert live.item("i-anna").reason == "removed from the race"
    live = queue.changed(live, "i-tom", "fail", NOW, "the car broke")
    live = queue.launched(live, "", NOW, {})
    assert (state(live, "tom"), state(live, "eva")) == ("failed", "countdown")
    with pytest.raises(Refused, match="Anna cannot drive"):
        queue.launched(queue.changed(live, "i-eva", "fail", NOW), "i-anna", NOW, {"anna": "disqualified"})


def test_only_one_drives_and_no_winner_meanwhile() -> None:
    live = queue.launched(of("anna", "tom"), "i-tom", NOW, {})
    attempts: tuple[Callable[[], LiveQueue], ...] = (
        lambda: queue.launched(live, "", NOW, {}),
        lambda: queue.launched(live, "i-anna", NOW, {}),
        lambda: queue.decided(live, "anna", NOW),
        lambda: queue.cleared(live),
        lambda: queue.removed(live, "i-tom"),
        lambda: queue.moved(live, "i-tom", 1),
    )
    for attempt in attempts:
        with pytest.raises(Refused, match="Tom"):
            attempt()
    live = queue.decided(queue.changed(queue.settled(live, NOW + COUNTDOWN_NS), "i-tom", "finish", NOW), "tom", NOW)
    with pytest.raises(Refused, match="winner is declared"):
        queue.launched(live, "", NOW, {})
    assert state(queue.launched(queue.decided(live, "", NOW), "", NOW, {}), "anna") == "countdown"
    assert queue.cleared(live).items == ()


def test_relaunch_begins_anew_at_full_speed() -> None:
    live = queue.set_speed(queue.launched(of("anna"), "", NOW, {}), 120)
    assert live.item("i-anna").speed_percent == 120
    again = queue.relaunched(queue.settled(live, NOW + COUNTDOWN_NS), "i-anna", NOW + 20 * NS_PER_S, {})
    item = again.item("i-anna")
    assert (item.state, item.speed_percent, item.launches) == ("countdown", 100, 2)
    assert item.starts_utc_ns == NOW + 30 * NS_PER_S
    with pytest.raises(Refused, match="not driven yet"):
        queue.relaunched(of("anna"), "i-anna", NOW, {})


@pytest.mark.parametrize(("percent", "fine"), [(49, False), (50, True), (150, True), (151, False)])
def test_the_multiplier_has_bounds(percent: int, fine: bool) -> None:
    live = queue.launched(of("anna"), "", NOW, {})
    if fine:
        assert queue.set_speed(live, percent).item("i-anna").speed_percent == percent
    else:
        with pytest.raises(Refused, match=r"0\.5 to 1\.5"):
            queue.set_speed(live, percent)
    with pytest.raises(Refused, match="Nobody is on the track"):
        queue.set_speed(of("anna"), 100)


@pytest.mark.parametrize(("run_time_s", "fine"), [(59, False), (60, True), (600, True), (601, False)])
def test_a_run_takes_1_to_10_minutes(run_time_s: int, fine: bool) -> None:
    if fine:
        assert queue.launched(queue.set_run_time(of("a"), run_time_s), "", NOW, {}).item("i-a").run_time_s == run_time_s
    else:
        with pytest.raises(Refused, match="1 to 10 minutes"):
            queue.set_run_time(of("a"), run_time_s)


def test_a_racer_waits_once_and_versions_conflict() -> None:
    with pytest.raises(Refused, match="in the queue already"):
        queue.added(of("anna"), [("i-2", "ANNA", "Anna", "")])
    with pytest.raises(Conflict, match="version 3, you saw 2"):
        queue.check_version(LiveQueue("cup", version=3), 2)
    with pytest.raises(Refused, match="not in the queue any more"):
        of("anna").item("i-nobody")


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(-2, 12)), max_size=60))
def test_moves_are_those_of_a_list(moves: list[tuple[int, int]]) -> None:
    live = of(*"abcdefgh")
    naive = list("abcdefgh")
    for which, place in moves:
        racer = naive[which]
        live = queue.moved(live, f"i-{racer}", place)
        naive.remove(racer)
        naive.insert(max(0, place - 1), racer)
        assert order_of(live) == naive


def test_a_used_up_gap_is_spread_anew() -> None:
    live = of("a", "b", "c")
    for _ in range(200):  # always into the same gap, which halves
        live = queue.moved(live, live.waiting[2].item_id, 2)
    assert len({each.key for each in live.items}) == 3
    assert order.key_between(4, 5) is None
    assert order.key_between(4, 6) == 5


Change = Callable[[LiveQueue, str, int, int], LiveQueue]
COMMANDS: dict[str, Change] = {
    "launch": lambda live, _item, value, now: queue.launched(live, "", now, {"b": "gone"} if value % 2 else {}),
    "one": lambda live, item, _value, now: queue.launched(live, item, now, {}),
    "relaunch": lambda live, item, _value, now: queue.relaunched(live, item, now, {}),
    "remove": lambda live, item, _value, _now: queue.removed(live, item),
    "clear": lambda live, _item, _value, _now: queue.cleared(live),
    "move": lambda live, item, value, _now: queue.moved(live, item, value),
    "declare": lambda live, _item, value, now: queue.decided(live, "a" if value % 2 else "", now),
    "speed": lambda live, _item, value, _now: queue.set_speed(live, 80 + value),
    "add": lambda live, _item, _value, now: queue.added(live, [(f"n-{now}", f"n{now}", f"N{now}", "")]),
    "pair": lambda live, item, value, _now: heats.paired(live, item, live.items[value % len(live.items)].item_id),
    "pair all": lambda live, _item, _value, _now: heats.paired_in_order(live),
    "part": lambda live, item, _value, now: heats.parted(live, item, f"n-{now}"),
    "heat": lambda live, _item, value, now: heats.heat_added(
        live, f"n-{now}", ((f"n{now}", f"N{now}", ""), ("ab"[value % 2], "X", ""))
    ),
    "wait": lambda live, _item, value, now: queue.settled(live, now + value * 10 * NS_PER_S),
}


def plain(move: PlainMove) -> Change:
    return lambda live, item, _value, now: queue.changed(live, item, move, now)


COMMANDS |= {move: plain(move) for move in PLAIN_MOVES}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(COMMANDS)), st.integers(0, 9), st.integers(0, 40)), max_size=40))
def test_any_interleaving_keeps_one_on_the_track_and_loses_nobody(commands: list[tuple[str, int, int]]) -> None:
    """A command that is refused changes nothing; whoever leaves was removed or cleared; the order stays total.

    Two turns become a heat and a heat two turns, with the same racers; nobody drives against oneself.
    """
    live, now, ids = of("a", "b", "c", "d"), NOW, [f"i-{each}" for each in "abcd"]
    for command, which, value in commands:
        now += NS_PER_S
        live = queue.settled(live, now)
        before, item, there = live, ids[which % len(ids)], {each.item_id for each in live.items}
        wanted = there - {"remove": {item}, "clear": there}.get(command, set())
        try:
            live = COMMANDS[command](live, item, value, now)
            wanted |= {f"n-{now}"} if command in ("add", "part", "heat") else set()
        except (Refused, ZeroDivisionError):
            assert live is before
            wanted = there
        if command in ("pair", "pair all"):
            wanted = {each.item_id for each in live.items}
        if command in ("pair", "pair all", "part", "move", "wait", "speed"):
            assert _racers(live) == _racers(before)
        ids += sorted(wanted - set(ids))
        assert sum(each.state in ON_TRACK for each in live.items) <= 1
        assert sorted(each.item_id for each in live.items) == sorted(wanted)
        keys = [(each.key, each.item_id) for each in live.items]
        assert keys == sorted(set(keys))
        assert all(name_key(each.racer) != name_key(each.rival) for each in live.items)


def _racers(live: LiveQueue) -> list[str]:
    return sorted(car.racer for each in live.items for car in each.cars)
