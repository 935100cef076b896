"""Heats in the queue of a LIVE race: two racers in one turn, made of turns and made into turns again."""

from dataclasses import replace

import pytest

from leaderboard.core.live import heats, queue
from leaderboard.core.live.queue import LiveQueue
from leaderboard.core.live.turn import COUNTDOWN_NS, QueueItem
from shared.errors import Refused
from shared.units import NS_PER_S
from tests.leaderboard.sample_races import race

NOW = 1_700_000_000_000_000_000


def of(*racers: str) -> LiveQueue:
    return queue.added(LiveQueue("cup"), [(f"i-{each}", each, each.title(), f"a-{each}") for each in racers])


def shown(live: LiveQueue) -> list[str]:
    return [each.names for each in live.waiting]


def heat(live: LiveQueue) -> QueueItem:
    return next(each for each in live.items if each.rival)


def test_two_who_wait_become_one_turn_and_two_again() -> None:
    live = heats.paired(of("anna", "tom", "eva"), "i-eva", "i-anna")
    assert shown(live) == ["Tom", "Eva – Anna"]
    assert [(car.racer, car.name, car.account_id) for car in heat(live).cars] == [
        ("eva", "Eva", "a-eva"),
        ("anna", "Anna", "a-anna"),
    ]
    with pytest.raises(Refused, match="Anna is in the queue already"):
        queue.added(live, [("i-2", "ANNA", "Anna", "")])
    live = queue.moved(live, "i-eva", 1)
    live = heats.parted(live, "i-eva", "i-new")
    assert shown(live) == ["Eva", "Anna", "Tom"]
    assert live.item("i-new").account_id == "a-anna"


def test_pairs_in_order_leave_an_odd_one_alone() -> None:
    live = heats.paired_in_order(of("a", "b", "c", "d", "e"))
    assert shown(live) == ["A – B", "C – D", "E"]
    with pytest.raises(Refused, match="no two who wait alone"):
        heats.paired_in_order(live)


def test_what_is_no_heat_is_refused() -> None:
    live = heats.paired(of("a", "b", "c", "d"), "i-a", "i-b")
    running = queue.launched(live, "i-c", NOW, {})
    for refused, why in (
        (lambda: heats.paired(live, "i-c", "i-c"), "in the queue already"),
        (lambda: heats.paired(live, "i-c", "i-a"), "A – B are a heat already"),
        (lambda: heats.paired(running, "i-d", "i-c"), "C does not wait"),
        (lambda: heats.parted(live, "i-c", "i-9"), "C is no heat that waits"),
        (lambda: heats.heat_added(live, "i-9", (("x", "X", ""), ("X", "X", ""))), "X is in the queue already"),
        (lambda: heats.heat_added(live, "i-9", (("x", "X", ""), ("b", "B", ""))), "B is in the queue already"),
        (lambda: heats.check_heats(race("cup")), "head to head"),
        (lambda: heats.check_heats(race("cup", venue="virtual")), "head to head"),
        (lambda: heats.check_heats(race("cup", race_type="head_to_head")), "virtual"),
    ):
        with pytest.raises(Refused, match=why):
            refused()
    heats.check_heats(race("cup", venue="virtual", race_type="head_to_head"))


def test_a_heat_is_one_turn_on_the_track_with_two_speeds() -> None:
    live = queue.launched(heats.paired_in_order(of("anna", "tom", "eva", "leo")), "", NOW, {})
    live = queue.set_speed(queue.set_speed(live, 90), 120, "TOM")
    assert [car.speed_percent for car in heat(live).cars] == [90, 120]
    with pytest.raises(Refused, match="eva is not on the track"):
        queue.set_speed(live, 100, "eva")
    with pytest.raises(Refused, match="Anna – Tom is on the track"):
        queue.launched(live, "", NOW, {})
    again = queue.relaunched(queue.settled(live, NOW + COUNTDOWN_NS), "i-anna", NOW + 20 * NS_PER_S, {})
    assert [car.speed_percent for car in heat(again).cars] == [100, 100]


def test_a_heat_of_one_who_cannot_drive_stops_nobody_and_says_who() -> None:
    live = heats.paired_in_order(of("anna", "tom", "eva", "leo"))
    launched = queue.launched(live, "", NOW, {"tom": "disqualified"})
    assert [each.state for each in launched.items] == ["skipped", "countdown"]
    assert str(launched.items[0].reason) == "Tom cannot drive: disqualified"
    with pytest.raises(Refused, match="Tom cannot drive: disqualified"):
        queue.launched(live, "i-anna", NOW, {"tom": "disqualified"})


def test_who_won_stays_until_the_next_launch_and_the_last_one_counts() -> None:
    live = queue.launched(heats.paired_in_order(of("anna", "tom", "eva", "leo")), "", NOW, {})
    assert heats.last_won(live.items) is None
    live = queue.changed(queue.settled(live, NOW + COUNTDOWN_NS), "i-anna", "finish", NOW + 30 * NS_PER_S)
    live = heats.won(live, "i-anna", "tom", "first over the line, by 0.250 s")
    live = queue.settled(queue.launched(live, "", NOW + 40 * NS_PER_S, {}), NOW + 60 * NS_PER_S)
    live = heats.won(queue.changed(live, "i-eva", "finish", NOW + 70 * NS_PER_S), "i-eva", "eva", "farther")
    last = heats.last_won(live.items)
    assert last is not None
    assert heats.sides(last) == ("Eva", "Leo")
    assert heats.sides(live.item("i-anna")) == ("Tom", "Anna")
    level = heats.won(replace(live, items=live.items[:1]), "i-anna", "", "level")
    assert heats.last_won(level.items) is None
    live = queue.relaunched(live, "i-eva", NOW + 80 * NS_PER_S, {})
    assert (live.item("i-eva").ahead, live.item("i-eva").reason) == ("", "")
