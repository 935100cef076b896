"""What cars sent and nobody has read yet: only the newest of each machine and kind waits."""

import threading

from shared.link.interface import Delivery
from shared.protocol import messages as m
from station.service.cars.car_mailbox import MAX_WAITING, CarMailbox


class Post:
    """A mailbox and which messages were acknowledged."""

    def __init__(self) -> None:
        self.mailbox, self.acknowledged = CarMailbox(), list[int]()
        self.seq = 0

    def put(self, body: m.Body, car: str = "car-1", boot: str = "b1") -> int:
        self.seq += 1
        seq = self.seq
        message = m.Message(m.Envelope(car, boot, seq), body)
        self.mailbox.put(Delivery("topic", message, False, lambda: self.acknowledged.append(seq)))
        return seq

    def taken(self) -> list[int]:
        return [delivery.message.envelope.seq for delivery in self.mailbox.take()]


def test_of_several_heartbeats_only_the_newest_waits() -> None:
    post = Post()
    seqs = [post.put(m.CarHeartbeat(number, "ready")) for number in range(300)]
    assert post.taken() == [seqs[-1]]
    assert post.acknowledged == seqs[:-1], "a replaced state would come again and again"
    assert post.taken() == []


def test_two_machines_with_one_name_are_both_heard() -> None:
    post = Post()
    first, second = post.put(m.CarHeartbeat(1, "ready"), boot="b1"), post.put(m.CarHeartbeat(1, "ready"), boot="b2")
    assert post.taken() == [first, second]


def test_a_newer_message_never_overtakes_what_came_before_it() -> None:
    """The state that says "tripped" came last, so it is read last, whatever the state before it said."""
    post = Post()
    post.put(m.CarState(True, "driving"))
    beat = post.put(m.CarHeartbeat(1, "driving"))
    state = post.put(m.CarState(True, "tripped"))
    assert post.taken() == [beat, state]


def test_another_cars_flood_delays_nobody() -> None:
    post = Post()
    for number in range(20_000):
        post.put(m.CarHeartbeat(number, "ready"), "evil")
    mine = post.put(m.CarHeartbeat(1, "ready"))
    assert post.taken() == [20_000, mine]


def test_names_without_end_take_no_memory() -> None:
    post = Post()
    for number in range(3 * MAX_WAITING):
        post.put(m.CarHeartbeat(1, "ready"), f"e{number}")
    taken = post.taken()
    assert len(taken) == MAX_WAITING
    assert taken[-1] == 3 * MAX_WAITING
    assert len(post.acknowledged) == 2 * MAX_WAITING


def test_who_waits_is_woken() -> None:
    post, taken = Post(), list[Delivery]()
    reader = threading.Thread(target=lambda: taken.extend(post.mailbox.take(60.0)))
    reader.start()
    post.put(m.CarHeartbeat(1, "ready"))
    reader.join(60.0)
    assert len(taken) == 1
