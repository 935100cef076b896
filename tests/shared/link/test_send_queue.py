"""The send queue: bounded, in order, states replaced, and nothing lost with the connection."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.link.backoff import Backoff
from shared.link.packets import Packet, matches
from shared.link.send_queue import QOS0_LIMIT, SendQueue


def lap(number: int) -> Packet:
    return Packet("lap", b"%d" % number, 1, False)


def state(number: int) -> Packet:
    return Packet("state", b"%d" % number, 1, True)


def beat(number: int) -> Packet:
    return Packet("beat", b"%d" % number, 0, False)


def drain(queue: SendQueue, mids: list[int]) -> list[bytes]:
    payloads = []
    while (packet := queue.pop()) is not None:
        payloads.append(packet.payload)
        if packet.qos:
            mids.append(len(mids) + 1)
            queue.on_sent(mids[-1])
    return payloads


def test_the_window_holds_back_and_answers_open_it() -> None:
    queue, mids = SendQueue(window=2), list[int]()
    for number in range(4):
        queue.put(lap(number), online=True)
    assert drain(queue, mids) == [b"0", b"1"]
    queue.on_answer(1)
    assert drain(queue, mids) == [b"2"]
    assert queue.queued == 3
    assert queue.on_answer(99) is None


def test_the_fast_lane_is_not_held_back_and_its_oldest_falls_out() -> None:
    queue, mids = SendQueue(window=0), list[int]()
    queue.put(lap(0), online=True)
    for number in range(QOS0_LIMIT + 3):
        assert queue.put(beat(number), online=True)
    assert drain(queue, mids)[0] == b"3"
    assert queue.dropped == 3
    assert not queue.put(beat(0), online=False)


def test_a_lost_connection_brings_the_unanswered_back_in_front_and_drops_the_fast() -> None:
    queue, mids = SendQueue(), list[int]()
    for number in range(3):
        queue.put(lap(number), online=True)
    drain(queue, mids)
    queue.on_answer(2)
    queue.put(lap(3), online=True)
    queue.put(beat(0), online=True)
    queue.on_connection_lost()
    assert drain(queue, mids) == [b"0", b"2", b"3"]


def test_a_newer_state_takes_the_place_of_the_one_under_way() -> None:
    queue, mids = SendQueue(), list[int]()
    queue.put(state(1), online=True)
    drain(queue, mids)
    queue.put(state(2), online=True)
    queue.on_connection_lost()
    assert drain(queue, mids) == [b"2"]


def test_the_last_state_is_said_again_after_each_connect_but_not_a_refused_one() -> None:
    queue, mids = SendQueue(), list[int]()
    queue.put(state(1), online=True)
    assert drain(queue, mids) == [b"1"]
    queue.on_answer(1)
    queue.on_connected()
    assert drain(queue, mids) == [b"1"]
    queue.on_answer(2, refused=True)
    queue.on_connected()
    assert drain(queue, mids) == []


@given(st.lists(st.sampled_from(["lap", "state", "send", "answer", "lost", "connected"]), max_size=80))
def test_no_taken_lap_is_ever_lost_and_the_newest_state_is_said_last(steps: list[str]) -> None:
    queue, sent, laps, last_state = SendQueue(limit=10, window=3), [], set(), None
    mids, open_mids = list[int](), list[int]()
    for number, step in enumerate(steps):
        if step == "lap" and queue.put(lap(number), online=True):
            laps.add(b"%d" % number)
        elif step == "state":
            last_state = b"%d" % number
            assert queue.put(state(number), online=True)
        elif step == "send":
            before = len(mids)
            sent += drain(queue, mids)
            open_mids += mids[before:]
        elif step == "answer" and open_mids:
            queue.on_answer(open_mids.pop(0))
        elif step == "lost":
            queue.on_connection_lost()
            open_mids.clear()
        elif step == "connected":
            queue.on_connected()
        assert queue.queued <= 10 + 1 + 3
    for _ in range(30):
        before = len(mids)
        sent += drain(queue, mids)
        open_mids += mids[before:]
        while open_mids:
            queue.on_answer(open_mids.pop(0))
    assert laps <= set(sent)
    assert queue.queued == 0
    states = [payload for payload in sent if payload not in laps]
    assert (states[-1] if states else None) == last_state


@given(st.integers(0, 100))
def test_the_waits_grow_stay_bounded_and_differ(seed: int) -> None:
    backoff = Backoff(0.2, 8.0, random.Random(seed))
    waits = [backoff.next_s() for _ in range(60)]
    assert 0.1 <= waits[0] <= 0.2
    assert all(4.0 <= wait <= 8.0 for wait in waits[10:])
    assert len(set(waits)) > 50
    backoff.reset()
    assert backoff.next_s() <= 0.2


@pytest.mark.parametrize(
    ("topic_filter", "topic", "matching"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/+/c", "a/b/c", True),
        ("a/+", "a/b/c", False),
        ("a/#", "a/b/c", True),
        ("a/#", "a", True),
        ("#", "a/b", True),
        ("a/+/#", "a", False),
        ("b/#", "a/b", False),
    ],
)
def test_filters_hear_as_mqtt_says(topic_filter: str, topic: str, matching: bool) -> None:
    assert matches(topic_filter, topic) == matching
