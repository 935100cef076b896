"""Receives what gates and cars send: stamps it, makes inputs of the core of it, and queues them.

Called by gate drivers and by the link on their threads; station.py takes what is queued, in its order.
"""

from collections.abc import Callable
from dataclasses import replace

from shared.link.interface import Delivery, Link, Subscription
from shared.protocol import messages as m
from shared.protocol.topics import BY_BODY
from station.core import inputs as e
from station.gates.driver import GateOutput
from station.service.cars.car_control import CarControl
from station.service.cars.journal_budget import MAX_CARS, JournalBudget
from station.service.inbox import QueuedInput
from station.service.station_clock import StationClock

MAX_NOTE_CHARS = 300
CAR_MESSAGES: tuple[type[m.Body], ...] = (m.CarHeartbeat, m.CarState, m.CarLap, m.CarTelemetry)
SUBSCRIPTIONS = [Subscription(BY_BODY[kind]) for kind in CAR_MESSAGES]


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
        decided_at_ns=lap.decided_at_ns,
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
            return e.CarModel(taken, car, False, "", "")
        return e.CarModel(taken, car, True, *reported)

    def store(self, change: e.CarModel) -> None:
        """The change is journaled. Of too many cars, the one whose last change is the oldest is forgotten."""
        self._last.pop(change.car, None)
        if change.online:
            if len(self._last) >= MAX_CARS:
                del self._last[next(iter(self._last))]
            self._last[change.car] = (change.model, change.model_sha256)


def gate_note(note: e.GateNote, taken: e.Moment) -> e.GateNote:
    """A driver's note as an input, received at `taken`: a device's text is cut to what the journal can read back."""
    sentence = "".join(sign for sign in note.sentence[:MAX_NOTE_CHARS] if sign.isprintable())
    boot = note.boot if note.boot.isprintable() else ""
    return replace(note, sentence=sentence, boot=boot, moment=taken)


class Receiver:
    """What gate drivers and the link call, on their own threads: it stamps what arrives and queues it, nothing else."""

    def __init__(
        self,
        put: Callable[[QueuedInput], None],
        put_car_message: Callable[[Delivery], None],
        clock: StationClock,
        cars: CarControl,
        link: Link,
        on_no_room: Callable[[str], None],
    ) -> None:
        """`put` queues what is journaled, `put_car_message` what is only live.

        `on_no_room` gets the name of a car that has filled its share of the journal.
        """
        self._put, self._put_car_message = put, put_car_message
        self._clock, self._cars, self._link = clock, cars, link
        self._models, self._budget = CarModelChanges(), JournalBudget(clock.rate)
        self._on_no_room = on_no_room

    def gate_event(self, edge: GateOutput) -> None:
        if isinstance(edge, e.GateNote):
            self._put(QueuedInput(gate_note(edge, self._clock.now())))
            return
        if (pair := self._clock.device_pair(edge)) is not None:
            self._put(QueuedInput(pair))
        self._put(QueuedInput(edge))

    def gate_health(self, gate: str, healthy: bool, sentence: str) -> None:
        self._put(QueuedInput(e.GateReported(self._clock.now(), gate, healthy, sentence)))

    def message(self, delivery: Delivery) -> None:
        """A car's message; a lap report is acknowledged to the car once it is stored.

        One that the journal has no room for is acknowledged to the broker alone: the car sends it again.
        """
        body, envelope = delivery.message.body, delivery.message.envelope
        if isinstance(body, m.CarState):
            self._car_model(body, envelope)
        if not isinstance(body, m.CarLap):
            self._put_car_message(delivery)
            return
        report = car_report(delivery.message, body, self._clock.now())
        if report is None or not self._has_room(report):
            delivery.ack()
            return

        def acknowledge() -> None:
            self._link.publish(m.LapAck(envelope.boot, envelope.seq), envelope.device)
            delivery.ack()

        self._put(QueuedInput(report, acknowledge))

    def _has_room(self, event: e.CarReport | e.CarModel) -> bool:
        if self._budget.takes(event, self._clock.now_ns()):
            return True
        self._on_no_room(event.car)
        return False

    def _car_model(self, state: m.CarState, who: m.Envelope) -> None:
        """Journals which model a car has, if the sender is the machine that owns the car's name."""
        if self._cars.owns_name(who.device, state, self._clock.now_ns(), who.boot):
            change = self._models.change(who.device, state, self._clock.now())
            if change is not None and self._has_room(change):
                self._models.store(change)
                self._put(QueuedInput(change))
