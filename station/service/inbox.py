"""The station's queue: each input with what to do once it is stored, and the answer that a command waits for.

Used by station.py. Pure, except for `Ticket` and `drain`, which block until there is an answer or an item."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import TypeVar

from shared.errors import Refused
from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.views.command_answers import Accepted, Declined, RulingEffect

MAX_BATCH = 256
T = TypeVar("T")


class Ticket:
    """A command in the queue, and its answer once there is one; `settle` and `wait` may be called from any thread."""

    def __init__(self, command: e.Command) -> None:
        self.command = command
        self.answer: Accepted | Declined | None = None
        self._done = threading.Event()

    def settle(self, answer: Accepted | Declined) -> None:
        """Sets the answer and wakes whoever waits for it."""
        self.answer = answer
        self._done.set()

    def wait(self, timeout_s: float) -> Accepted | Declined:
        """Blocks until there is an answer and returns it; after `timeout_s` without one, a `Declined` that says so."""
        if not self._done.wait(timeout_s) or self.answer is None:
            return Declined(
                text("The station did not answer within {seconds:g} s; check whether it was done.", seconds=timeout_s)
            )
        return self.answer


@dataclass(frozen=True, slots=True)
class QueuedInput:
    """One input in the queue. After the commit that stores it, `on_commit` is called and `ticket` is answered."""

    input: e.Input
    on_commit: Callable[[], None] | None = None
    ticket: Ticket | None = None


def drain(queue: "SimpleQueue[T]", wait_s: float) -> list[T]:
    """Up to `MAX_BATCH` items, in order; waits up to `wait_s` for the first one."""
    items: list[T] = []
    try:
        items.append(queue.get(timeout=wait_s) if wait_s else queue.get_nowait())
        while len(items) < MAX_BATCH:
            items.append(queue.get_nowait())
    except Empty:
        return items
    return items


def answer_of(seq: int, facts: tuple[f.Fact, ...], effect: RulingEffect | None = None) -> Accepted | Declined:
    """The answer to a command stored as record `seq`, from its facts: refused, or done, with what a ruling changed."""
    for fact in facts:
        if isinstance(fact, f.CommandRefused):
            return Declined(fact.sentence)
    run_id = next((fact.run_id for fact in facts if isinstance(fact, f.RunOpened)), "")
    race_id = next((fact.race.race_id for fact in facts if isinstance(fact, f.RaceCreated)), "")
    order = next((fact for fact in facts if isinstance(fact, f.CarOrdered)), None)
    ordered = {} if order is None else {"car": order.car, "goal": str(order.action)}
    return Accepted(seq, run_id, **ordered, effect=effect, race_id=race_id)


def counter_ruling(item: QueuedInput, undo: Callable[[e.UndoLast], e.Command]) -> list[QueuedInput]:
    """The ruling that a request to undo asks for, as `undo` finds it; if there is none, the request is declined."""
    assert isinstance(item.input, e.UndoLast), "only requests to undo become counter-rulings"
    try:
        return [replace(item, input=undo(item.input))]
    except Refused as refusal:
        if item.ticket is not None:
            item.ticket.settle(Declined(str(refusal)))
        return []


def declined_unstored(command: e.Input, why: str) -> Declined:
    """The answer to a command while the disk refuses records; `why` is the disk's error."""
    if isinstance(command, e.StopAll):
        return Declined(text("The stop was sent to all cars and holds, but it cannot be stored yet: {why}", why=why))
    if isinstance(command, e.OrderCar) and command.action == "estop":
        return Declined(text("The emergency stop was sent, but it cannot be stored: {why}", why=why))
    return Declined(text("Not done, because it cannot be stored: {why}", why=why))
