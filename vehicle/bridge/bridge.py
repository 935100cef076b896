"""The bridge's process: MQTT on one side, a stock console and perhaps a leash on the other.

Called by commands/bridge.py.

One loop on one thread decides (core/stock_car.py); MQTT and the console's calls have threads of their own, which only
hand over what arrived.
"""

import contextlib
import queue
import selectors
import socket
from dataclasses import dataclass

from shared.clock import Clock
from shared.link.interface import Delivery, Link, Subscription
from shared.process.car_unit_status import CarUnitStatus
from shared.process.service_state import tell_service_state
from shared.protocol import topics
from shared.protocol.messages import LOW_BATTERY_PERCENT, CarState, DriveOrder, Lease
from shared.units import NS_PER_MS, NS_PER_S
from vehicle.bridge.console_caller import ConsoleCaller
from vehicle.bridge.console_session import ConsoleSession
from vehicle.bridge.core.console_calls import ConsoleCall, StockConsoleAnswer
from vehicle.bridge.core.stock_car import StockCar
from vehicle.bridge.leash_link import LeashLink
from vehicle.core.light_patterns import WHITE, colour_of, light_at
from vehicle.process.log import log

HEARTBEAT_NS = 100 * NS_PER_MS
RESEND_NS = 3 * NS_PER_S
WAIT_S = 0.05
MAX_DELIVERIES = 1000
LAST_STOP_S = 3.0
BREAK_OFF_S = 1.0


@dataclass(slots=True)
class _Due:
    """When something is done next, each `every_ns`."""

    every_ns: int
    at_ns: int = 0

    def is_now(self, now_ns: int) -> bool:
        if now_ns < self.at_ns:
            return False
        self.at_ns = now_ns + self.every_ns
        return True


class Bridge:
    """One stock car at our broker. `step` does what is due and never blocks."""

    def __init__(
        self, device: str, car: StockCar, link: Link, session: ConsoleSession, clock: Clock, leash: LeashLink | None
    ) -> None:
        self._device = device
        self._car = car
        self._link = link
        self._clock = clock
        self._leash = leash
        self._colour = colour_of(car.colour) or WHITE
        self._session = session
        self._deliveries: queue.Queue[Delivery] = queue.Queue(MAX_DELIVERIES)
        self._answers: queue.SimpleQueue[StockConsoleAnswer] = queue.SimpleQueue()
        self._caller = ConsoleCaller(session, self._on_answer)
        self._wake_out, self._wake_in = socket.socketpair()
        self._wake_out.setblocking(False)
        self._wake_in.setblocking(False)
        self._state: CarState | None = None
        self._status: CarUnitStatus | None = None
        self._heartbeat, self._resend = _Due(HEARTBEAT_NS), _Due(RESEND_NS)

    def start(self) -> None:
        """Connect to the broker and to the console, in the background."""
        subscriptions = [Subscription(topics.BY_BODY[kind], self._device) for kind in (Lease, DriveOrder)]
        self._link.start(subscriptions, self._on_delivery)
        self._caller.start()
        if self._leash is not None:
            self._leash.start()

    def run(self) -> None:
        """Run until a signal raises."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_out, selectors.EVENT_READ)
            if self._leash is not None:
                selector.register(self._leash.socket, selectors.EVENT_READ)
            while True:
                selector.select(WAIT_S)
                self.step()

    def step(self) -> None:
        """Take what has arrived, decide, and send what follows from it."""
        self._drain_wake()
        now_ns = self._clock.now_ns()
        while not self._answers.empty():
            self._car.on_answer(self._answers.get_nowait(), now_ns)
        while not self._deliveries.empty():
            self._take(self._deliveries.get_nowait(), now_ns)
        if self._leash is not None:
            self._leash.receive(now_ns)
        for call in self._car.tick(now_ns):
            self._caller.submit(call)
        is_due = self._heartbeat.is_now(now_ns)
        if self._leash is not None and (is_due or self._leash.has_new_request):
            self._leash.send(self._tail_light(now_ns))
        if is_due and self._car.is_online(now_ns):
            self._link.publish(self._car.next_heartbeat(now_ns))
        self._publish_state(now_ns)

    def close(self) -> None:
        """Stop a car that may be moving, as far as its console obeys at once; then disconnect from everything."""
        self._caller.break_off_start(BREAK_OFF_S)  # it must not arrive after the stop
        if self._car.may_move:
            answer = self._session.call(ConsoleCall("stop"), LAST_STOP_S)
            log(f"{self._device}: the last stop: {answer.why or answer.outcome}", "bridge")
        self._caller.close()
        self._link.close()
        if self._leash is not None:
            self._leash.close()
        self._wake_in.close()
        self._wake_out.close()

    def _take(self, delivery: Delivery, now_ns: int) -> None:
        body = delivery.message.body
        if isinstance(body, Lease):
            self._car.on_lease(body, now_ns)
        elif isinstance(body, DriveOrder):
            self._car.on_order(body, now_ns)
        delivery.ack()

    def _tail_light(self, now_ns: int) -> bytes:
        """Red, green and blue, as the lights of our own cars: the datagrams are just often enough for the rhythms."""
        percent = self._car.battery_percent
        is_low = percent is not None and percent < LOW_BATTERY_PERCENT
        light = light_at(self._car.mode, self._colour, is_battery_low=is_low, at_ns=now_ns)
        return bytes((light.red, light.green, light.blue))

    def _publish_state(self, now_ns: int) -> None:
        state = self._car.state(now_ns)
        changed = state != self._state
        if changed and (self._state is None or state.reason != self._state.reason) and state.reason:
            log(f"{self._device}: {state.reason}", "bridge")
        if self._resend.is_now(now_ns) or changed:
            self._state = state
            self._link.publish(state)
        status = CarUnitStatus(state.mode, state.online, str(state.reason))
        if status != self._status and tell_service_state(status.line()) != "not sent":
            self._status = status

    def _on_delivery(self, delivery: Delivery) -> None:
        """On the link's thread: only enqueue. What does not fit is not acknowledged, so it comes again."""
        with contextlib.suppress(queue.Full):
            self._deliveries.put_nowait(delivery)
        self._wake()

    def _on_answer(self, answer: StockConsoleAnswer) -> None:
        """On a thread of the caller: only enqueue."""
        self._answers.put(answer)
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # a wake-up already waits, or the bridge has ended
            self._wake_in.send(b"!")

    def _drain_wake(self) -> None:
        try:
            self._wake_out.recv(4096)
        except BlockingIOError:
            return  # no wake-up is waiting: something else ended the wait
