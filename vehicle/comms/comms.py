"""Comms: a child process between the guard and the broker. It may die without touching control.

Started by: `guard/child.py` as `python -m vehicle.comms.comms`. Calls: `shared/link` (MQTT), `comms/lap_outbox.py`,
`comms/side_services.py` (recorder, phone page, battery, lights).

It publishes heartbeats, the state, telemetry and laps, and receives leases, orders and acknowledgements. It decides
nothing: the guard decides whether a lease or an order still counts. A lap is on the disk before it is sent, and stays
there until the station has acknowledged it.
"""

import queue
import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import replace

from shared.clock import Clock, build_clock
from shared.config import load
from shared.errors import StorageError
from shared.link.inflow.rate_limits import LAPS_BURST, LAPS_PER_S, TokenBucket
from shared.link.interface import Delivery, Link, LinkState, Subscription
from shared.link.mqtt import MqttLink
from shared.protocol import topics
from shared.protocol.messages import CarHeartbeat, CarLap, CarState, DriveOrder, Envelope, LapAck, Lease, Message
from shared.refusals import Refusals
from vehicle.comms.battery_monitor import BatteryMonitor
from vehicle.comms.lap_outbox import LapOutbox, QueuedLap
from vehicle.comms.side_services import SideServices
from vehicle.config import VehicleConfig
from vehicle.core.messages import CommsReady, LoopTelemetry
from vehicle.core.pilot_messages import is_possible_lap
from vehicle.core.telemetry import telemetry
from vehicle.drivers import build_battery
from vehicle.process.channel import Channel, IpcMessage, channel_from_fd
from vehicle.process.child_main import child_arguments, run_child
from vehicle.process.log import log
from vehicle.process.sandbox import COMMS, confine

_MAX_WAIT_S = 0.2
_MAX_DELIVERIES = 1000


class Comms:
    """The messages of one car between guard and broker; `step` does what is due and never blocks.

    `battery`: the charge in per cent, or None; it never blocks. `colour`: of the car's lights, "#rrggbb" or "".
    """

    def __init__(
        self,
        device: str,
        link: Link,
        outbox: LapOutbox,
        guard: Channel,
        laps: Channel,
        resend_s: float,
        battery: Callable[[], int | None],
        colour: str = "",
        clock_rate: float = 1.0,
    ) -> None:
        self._device = device
        self._link = link
        self._outbox = outbox
        self._guard = guard
        self._laps = laps
        self._resend_s = resend_s
        # As many as the station takes in that time: it drops what is beyond, and tells of a flood.
        self._resent_at_once = max(1, min(int(LAPS_PER_S * resend_s), int(LAPS_BURST)))
        self._battery, self._colour = battery, colour
        self._resend_due_s = 0.0
        self._was_connected = False
        self._leased_at_s: float | None = None
        self.listeners: list[Callable[[IpcMessage], None]] = []  # recorder and console
        # The console replaces it: while a phone holds the car, some messages of the station are not passed on.
        self.admits: Callable[[Lease | DriveOrder], bool] = lambda _: True
        self._state: CarState | None = None
        self._unstored_laps: list[CarLap] = []
        self._lap_rate = TokenBucket(LAPS_PER_S * clock_rate, LAPS_BURST * clock_rate, 0.0)
        self._has_flooded = False
        self._deliveries: queue.Queue[Delivery] = queue.Queue(_MAX_DELIVERIES)
        self._wake_out, self._wake_in = socket.socketpair()
        self._wake_out.setblocking(False)
        self._wake_in.setblocking(False)

    def start(self) -> None:
        """Connect in the background, and report ready to the guard."""
        kinds = (Lease, DriveOrder, LapAck)
        self._link.start([Subscription(topics.BY_BODY[kind], self._device) for kind in kinds], self._on_delivery)
        self._guard.send(CommsReady())

    def run(self) -> None:
        """Run until the guard is gone."""
        with selectors.DefaultSelector() as selector:
            for source in (self._guard, self._laps, self._wake_out):
                selector.register(source, selectors.EVENT_READ)
            while not self._guard.closed:
                selector.select(_MAX_WAIT_S)
                self.step(time.monotonic())

    def step(self, now_s: float) -> None:
        """Handle everything that is waiting, most urgent first: the station's messages, then the guard's, then laps."""
        self._drain_wake()
        self._receive_from_station()
        for message in self._guard.receive():
            self._on_guard_message(message)
        for lap in [*self._unstored_laps, *self._new_laps(now_s)]:
            self._store_lap(lap)
        self._resend_if_due(now_s)

    def lease_age_s(self) -> float | None:
        """How long ago the newest lease of the station came, whether the guard took it or not; None before any."""
        leased_at_s = self._leased_at_s
        return None if leased_at_s is None else time.monotonic() - leased_at_s

    def link_state(self) -> LinkState:
        return self._link.state()

    def send_to_guard(self, message: IpcMessage) -> bool:
        """Send a message from the console to the guard, from any thread; False if it was dropped."""
        return self._guard.send(message)

    def close(self) -> None:
        """Disconnect, and close the outbox and all sockets."""
        self._link.close()
        self._outbox.close()
        self._guard.close()
        self._laps.close()
        self._wake_in.close()
        self._wake_out.close()

    # From the station

    def _on_delivery(self, delivery: Delivery) -> None:
        """On the link's thread: only enqueue. What does not fit is not acknowledged, so it comes again."""
        try:
            self._deliveries.put_nowait(delivery)
            self._wake_in.send(b"!")
        except (queue.Full, OSError):
            return  # the queue is full, or a wake-up already waits

    def _receive_from_station(self) -> None:
        while not self._deliveries.empty():
            delivery = self._deliveries.get_nowait()
            body = delivery.message.body
            if isinstance(body, Lease):
                self._leased_at_s = time.monotonic()
            if isinstance(body, Lease | DriveOrder) and self.admits(body):
                self._guard.send(body)
            elif isinstance(body, LapAck):
                self._on_lap_ack(body)
            delivery.ack()

    def _on_lap_ack(self, ack: LapAck) -> None:
        try:
            self._outbox.remove(ack.boot, ack.seq)
        except StorageError as error:
            log(str(error))  # the lap is sent again, which is harmless

    # From the guard and the pilot

    def _on_guard_message(self, message: IpcMessage) -> None:
        for listener in self.listeners:
            listener(message)
        match message:
            case CarState():
                self._state = message
                self._publish_state(message)
            case CarHeartbeat():
                self._link.publish(message)
            case LoopTelemetry():
                self._link.publish(telemetry(message))

    def _publish_state(self, state: CarState) -> None:
        """Publish the state with what the battery has now; sent again every few seconds, it stays fresh."""
        self._link.publish(replace(state, battery_percent=self._battery(), colour=self._colour))

    def _new_laps(self, now_s: float) -> list[CarLap]:
        """The pilot's laps; it runs a stranger's model, which must not fill the disk, nor what the next one finds."""
        received = [message for message in self._laps.receive() if isinstance(message, CarLap)]
        laps = [lap for lap in received if is_possible_lap(lap) and self._lap_rate.take(now_s)]
        if len(laps) < len(received) and not self._has_flooded:
            self._has_flooded = True
            log(f"the pilot reports laps that cannot be, or more than {LAPS_PER_S:g} a second: they are dropped.")
        return laps

    def _store_lap(self, lap: CarLap) -> None:
        """Store the lap, then publish it. A disk that refuses is tried again in each step, and logged once per lap."""
        try:
            queued = self._outbox.add(lap)
        except StorageError as error:
            if lap not in self._unstored_laps:
                self._unstored_laps.append(lap)
                log(str(error))
            return
        if lap in self._unstored_laps:
            self._unstored_laps.remove(lap)
        self._publish_lap(queued)

    def _publish_lap(self, queued: QueuedLap) -> None:
        self._link.publish_as(Message(Envelope(self._device, queued.boot, queued.seq), queued.lap))

    # Resending

    def _resend_if_due(self, now_s: float) -> None:
        """After a reconnect, and every few seconds, sends again the oldest laps that the station has not acknowledged.

        So is the state: the MQTT will of an older boot, or another machine of the same name, may have replaced it.
        """
        connected = self._link.state().connected
        came_back = connected and not self._was_connected
        self._was_connected = connected
        if connected and (came_back or now_s >= self._resend_due_s):
            self._resend_due_s = now_s + self._resend_s
            self._resend()

    def _resend(self) -> None:
        if self._state is not None:
            self._publish_state(self._state)
        try:
            for queued in self._outbox.pending()[: self._resent_at_once]:
                self._publish_lap(queued)
        except StorageError as error:
            log(str(error))

    def _drain_wake(self) -> None:
        try:
            self._wake_out.recv(4096)
        except BlockingIOError:
            return  # no wake-up is waiting: something else ended the wait


def main(arguments: list[str]) -> int:
    """Run the process; returns its exit code."""
    parsed = child_arguments(arguments)
    for sentence in confine(parsed.parent, COMMS):
        log(f"comms: {sentence}")
    config = load(parsed.config, VehicleConfig)
    clock: Clock = build_clock(config.clock)
    guard, laps = channel_from_fd(parsed.guard_fd), channel_from_fd(parsed.lap_fd)
    outbox = LapOutbox(config.outbox.path, log)
    link = MqttLink(config.mqtt, config.device, clock.boot_id, "car")
    battery = BatteryMonitor(lambda: build_battery(config, clock))
    comms = Comms(
        config.device,
        link,
        outbox,
        guard,
        laps,
        config.comms.resend_s,
        battery.percent,
        str(config.lights.own_colour() or ""),
        clock.rate,
    )
    services = SideServices(config, clock, comms, parsed.frame_fd, battery, Refusals())
    try:
        services.start()
        comms.start()
        comms.run()
    finally:
        services.close()
        comms.close()
    return 0


if __name__ == "__main__":
    run_child(main)
