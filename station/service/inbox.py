"""The station's queue: each input with what to do once it is stored, and the answer that a command waits for.

Used by station.py. Pure, except for `Ticket` and `drain`, which block until there is an answer or an item."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import TypeVar

from shared.protocol import messages as m
from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.views.command_answers import Accepted, Declined, RulingEffect

MAX_BATCH = 256
MAX_NOTE_CHARS = 300
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


def car_report(message: m.Message, lap: m.CarLap, taken: e.Moment) -> e.CarReport | None:
    """A car's lap message as an input of the core; None if its text could not be read back from the journal.

    `taken`: when the station received it.
    """
    envelope = message.envelope
    if not (envelope.boot.isprintable() and lap.car_boot.isprintable()):
        return None
    return e.CarReport(
        car=envelope.device,
        boot=envelope.boot,
        seq=envelope.seq,
        at_ns=lap.at_ns,
        car_boot=lap.car_boot,
        taken=taken,
        lap_ns=lap.lap_ns,
        uncertainty_ns=lap.uncertainty_ns,
        board_id=lap.board_id,
        frames_seen=lap.frames_seen,
    )


class CarModelChanges:
    """The model that each car last reported, so that only changes reach the core. Called on the link's thread."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[str, str]] = {}

    def change(self, car: str, state: m.CarState, taken: e.Moment) -> e.CarModel | None:
        """The change as an input; None if there is none, or its text could not be read back from the journal."""
        reported = (state.model, state.model_sha256) if state.online else None
        if reported == self._last.get(car) or not (state.model.isprintable() and state.model_sha256.isprintable()):
            return None
        if reported is None:
            del self._last[car]
            return e.CarModel(taken, car, False, "", "")
        self._last[car] = reported
        return e.CarModel(taken, car, True, *reported)


def gate_note(note: e.GateNote, taken: e.Moment) -> e.GateNote:
    """A driver's note as an input, received at `taken`: a device's text is cut to what the journal can read back."""
    sentence = "".join(sign for sign in note.sentence[:MAX_NOTE_CHARS] if sign.isprintable())
    boot = note.boot if note.boot.isprintable() else ""
    return replace(note, sentence=sentence, boot=boot, moment=taken)


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


def declined_unstored(command: e.Input, why: str) -> Declined:
    """The answer to a command while the disk refuses records; `why` is the disk's error."""
    if isinstance(command, e.StopAll):
        return Declined(text("The stop was sent to all cars and holds, but it cannot be stored yet: {why}", why=why))
    if isinstance(command, e.OrderCar) and command.action == "estop":
        return Declined(text("The emergency stop was sent, but it cannot be stored: {why}", why=why))
    return Declined(text("Not done, because it cannot be stored: {why}", why=why))
