"""What waits in the station's queue: inputs with what is owed for each, and the answer that a command waits for."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import TypeVar

from shared.protocol import messages as m
from station.core import facts as f
from station.core import inputs as e
from station.views.views import Accepted, Declined, RulingEffect

MAX_BATCH = 256
MAX_NOTE_CHARS = 300
T = TypeVar("T")


class Ticket:
    """A command that waits for its answer."""

    def __init__(self, command: e.Command) -> None:
        self.command = command
        self.answer: Accepted | Declined | None = None
        self._done = threading.Event()

    def settle(self, answer: Accepted | Declined) -> None:
        self.answer = answer
        self._done.set()

    def wait(self, timeout_s: float) -> Accepted | Declined:
        if not self._done.wait(timeout_s) or self.answer is None:
            return Declined(f"The station did not answer within {timeout_s:g} s; look whether it was done.")
        return self.answer


@dataclass(frozen=True, slots=True)
class QueuedInput:
    """One input on its way. `on_commit` is called after the commit that holds it; `ticket` is answered then."""

    input: e.Input
    on_commit: Callable[[], None] | None = None
    ticket: Ticket | None = None


def car_report(message: m.Message, lap: m.CarLap, taken: e.Moment) -> e.CarReport | None:
    """A car's message as the core takes it; None if it could not be read again from the journal."""
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
    """What each car reported last of its model: only what is new goes to the core. Called on the link's thread."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[str, str]] = {}

    def change(self, car: str, state: m.CarState, taken: e.Moment) -> e.CarModel | None:
        """As the core takes it; None if it was known, or could not be read again from the journal."""
        reported = (state.model, state.model_sha256) if state.online else None
        if reported == self._last.get(car) or not (state.model.isprintable() and state.model_sha256.isprintable()):
            return None
        if reported is None:
            del self._last[car]
            return e.CarModel(taken, car, False, "", "")
        self._last[car] = reported
        return e.CarModel(taken, car, True, *reported)


def gate_note(note: e.GateNote, taken: e.Moment) -> e.GateNote:
    """A driver's note as the core takes it: what stems from a device is cut to what the journal can read again."""
    sentence = "".join(sign for sign in note.sentence[:MAX_NOTE_CHARS] if sign.isprintable())
    boot = note.boot if note.boot.isprintable() else ""
    return replace(note, sentence=sentence, boot=boot, moment=taken)


def drain(queue: "SimpleQueue[T]", wait_s: float) -> list[T]:
    found: list[T] = []
    try:
        found.append(queue.get(timeout=wait_s) if wait_s else queue.get_nowait())
        while len(found) < MAX_BATCH:
            found.append(queue.get_nowait())
    except Empty:
        return found
    return found


def answer_of(seq: int, facts: tuple[f.Fact, ...], effect: RulingEffect | None = None) -> Accepted | Declined:
    """What a command is told: refused, or done with what it changed."""
    for fact in facts:
        if isinstance(fact, f.CommandRefused):
            return Declined(fact.sentence)
    run_id = next((fact.run_id for fact in facts if isinstance(fact, f.RunOpened)), "")
    order = next((fact for fact in facts if isinstance(fact, f.CarOrdered)), None)
    ordered = {} if order is None else {"car": order.car, "goal": str(order.action)}
    return Accepted(seq, run_id, **ordered, effect=effect)


def declined_unstored(command: e.Input, why: str) -> Declined:
    """The answer while the disk refuses."""
    if isinstance(command, e.StopAll):
        return Declined(f"The stop was sent to all cars and holds, but it cannot be stored yet: {why}")
    if isinstance(command, e.OrderCar) and command.action == "estop":
        return Declined(f"The emergency stop was sent, but it cannot be stored: {why}")
    return Declined(f"Not done, because it cannot be stored: {why}")
