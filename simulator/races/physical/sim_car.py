"""A car on MQTT: heartbeats, modes, and lap reports that stay in its outbox until the station acknowledges them.

It has its own clock: another epoch, another rate, and stamps as coarse as camera frames. The outbox is on the car's
disk and survives its restarts; a report has the same (device, boot, seq) each time it is sent.
"""

import random
from collections import Counter

from shared.link.interface import Delivery, Subscription
from shared.link.mock import MockBroker, MockLink
from shared.protocol import messages as m
from shared.protocol.topics import BY_BODY
from shared.units import NS_PER_MS, NS_PER_S
from shared.virtual_time import VirtualTime

RESEND_NS = 5 * NS_PER_S
BEAT_NS = NS_PER_S  # the product's rate is 10 Hz; these tests are about orders, not about how soon silence is noticed
DRIVING_BEAT_NS = 4 * NS_PER_S  # not with a clone present: a machine silent for 3 s loses its name
FRAME_NS = NS_PER_S // 15
STAMP_SIGMA_NS = 2.5 * NS_PER_MS
MEMORY_NS = 120 * NS_PER_S

NEXT_MODE: dict[tuple[m.CarMode, m.OrderAction], m.CarMode] = {
    ("disarmed", "arm"): "ready",
    ("stopped", "arm"): "ready",
    ("ready", "start"): "driving",
    ("ready", "stop"): "stopped",
    ("driving", "stop"): "stopped",
    ("tripped", "reset"): "disarmed",
    ("stopped", "reset"): "disarmed",
}


class SimCar:
    """One car: its MQTT traffic, and whether it drives or stands on the track."""

    def __init__(
        self, virtual_time: VirtualTime, broker: MockBroker, name: str, rng: random.Random, machine: str = ""
    ) -> None:
        """`machine` tells apart several machines that use the same name."""
        self.name = name
        self.clones = 0  # other machines that use this name now
        self._machine = machine or name
        self.mode: m.CarMode = "disarmed"
        self.model = self.model_sha256 = ""
        self.reports: dict[tuple[str, int], m.Message] = {}
        self.outbox: dict[tuple[str, int], m.Message] = {}
        self._virtual_time, self._broker, self._rng = virtual_time, broker, rng
        self._rate = 1.0 + rng.uniform(-40e-6, 40e-6)
        self._boots = 0
        self._beats: dict[int, int] = {}
        self._beat = 0
        self._on_duty_until_ns = 0
        self._beating = False
        self._last_pass: tuple[str, int] | None = None
        self._numbers: Counter[str] = Counter()
        self._resending = False
        self._stopped_ns: int | None = None
        self._stalled_ns = 0
        self._link = self._boot()

    @property
    def boot(self) -> str:
        return f"{self._machine}-boot-{self._boots}"

    def now_ns(self) -> int:
        return self._epoch_ns + round((self._virtual_time.now_ns - self._booted_ns) * self._rate)

    def restart(self) -> None:
        """Restart the car's computer: a new boot, a new clock, the same outbox on disk."""
        self._link.vanish()
        self._boots += 1
        if self.mode == "driving":
            self._stopped_ns = self._virtual_time.now_ns
        self.mode = "disarmed"
        self._link = self._boot()
        self._publish_state()
        self._resend_later()

    def load(self, model: str, sha256: str) -> None:
        """Load a racer's model."""
        self.model, self.model_sha256 = model, sha256
        self._publish_state()

    def on_duty(self, until_ns: int) -> None:
        """Send heartbeats until then; off duty the car only receives messages and resends its outbox."""
        self._on_duty_until_ns = max(self._on_duty_until_ns, until_ns)
        if not self._beating:
            self._beating = True
            self._tick()

    def clone(self, rng: random.Random) -> "SimCar":
        """Another machine with a copy of this one's SD card: the same name, its own boot and clock."""
        self.clones += 1
        return SimCar(self._virtual_time, self._broker, self.name, rng, f"{self.name}-clone-{rng.getrandbits(32):08x}")

    def switch_off(self) -> None:
        """Switch off: the connection is lost without a goodbye."""
        self._on_duty_until_ns = 0
        self._link.vanish()

    def trips(self) -> bool:
        """Trip in mid-lap, as the guard does; it latches until an official resumes. False if the car is not driving."""
        if self.mode != "driving":
            return False
        self.mode, self._stopped_ns = "tripped", self._virtual_time.now_ns
        self._publish_state()
        return True

    @property
    def stands(self) -> bool:
        """True if the car stopped in a lap and has not been resumed."""
        return self._stopped_ns is not None

    def take_stall_ns(self) -> int:
        """How long (ns) the car stood since the last call: its lap takes that much longer."""
        stalled_ns, self._stalled_ns = self._stalled_ns, 0
        return stalled_ns

    def gets_away(self) -> None:
        """End a stop: the car drives on, or is carried off."""
        if self._stopped_ns is not None:
            self._stalled_ns += self._virtual_time.now_ns - self._stopped_ns
            self._stopped_ns = None

    def passes_gate(self, blind: bool) -> None:
        """Pass the gate's board now; if `blind`, no frame shows it and the next report has one longer lap."""
        if blind:
            return
        at_ns = self.now_ns() + round(self._rng.gauss(0.0, STAMP_SIGMA_NS))
        last, self._last_pass = self._last_pass, (self.boot, at_ns)
        known = last is not None and last[0] == self.boot and at_ns - last[1] < MEMORY_NS
        lap_ns = at_ns - last[1] if known and last is not None else None
        body = m.CarLap(at_ns, self.boot, board_id=0, lap_ns=lap_ns, frames_seen=3, uncertainty_ns=FRAME_NS // 2)
        self._virtual_time.after(self._rng.randint(30, 90) * NS_PER_MS, lambda: self._report(body))

    def forget_last_pass(self) -> None:
        """Forget the last pass: the car was carried to the start."""
        self._last_pass = None

    # Inside

    def _boot(self) -> MockLink:
        self._booted_ns = self._virtual_time.now_ns
        self._epoch_ns = self._rng.randint(5, 4000) * NS_PER_S
        self._beats.clear()
        link = MockLink(self._broker, self.name, self.boot, "car")
        link.start(
            [Subscription(BY_BODY[kind], self.name) for kind in (m.LapAck, m.Lease, m.DriveOrder)], self._on_message
        )
        return link

    def _on_message(self, delivery: Delivery) -> None:
        body = delivery.message.body
        match body:
            case m.LapAck():
                self.outbox.pop((body.boot, body.seq), None)
            case m.DriveOrder():
                self._obey(body)
        delivery.ack()

    def _obey(self, order: m.DriveOrder) -> None:
        sent_ns = self._beats.get(order.heartbeat)
        fresh = sent_ns is not None and self.now_ns() - sent_ns <= order.ttl_ms * NS_PER_MS
        if order.boot != self.boot or not fresh:
            return
        mode = NEXT_MODE.get((self.mode, order.action))
        if order.action == "estop":
            mode = "tripped"
        if mode is not None and mode != self.mode:
            self.mode = mode
            if mode == "driving":
                self.gets_away()
            self._publish_state()

    def _tick(self) -> None:
        if self._virtual_time.now_ns > self._on_duty_until_ns:
            self._beating = False
            return
        self._beat += 1
        self._beats[self._beat] = self.now_ns()
        self._beats.pop(self._beat - 8, None)
        self._link.publish(m.CarHeartbeat(self._beat, self.mode))
        rarely = self.mode == "driving" and not self.clones
        self._virtual_time.after(DRIVING_BEAT_NS if rarely else BEAT_NS, self._tick)

    def _publish_state(self) -> None:
        self._link.publish(m.CarState(True, self.mode, model=self.model, model_sha256=self.model_sha256))

    def _report(self, body: m.CarLap) -> None:
        # Numbered by the boot that measured it, on the car's disk: a restart in between changes nothing.
        self._numbers[body.car_boot] += 1
        message = m.Message(m.Envelope(self.name, body.car_boot, self._numbers[body.car_boot]), body)
        key = (message.envelope.boot, message.envelope.seq)
        self.reports[key] = self.outbox[key] = message
        self._link.publish_as(message)
        self._resend_later()

    def _resend_later(self) -> None:
        if self.outbox and not self._resending:
            self._resending = True
            self._virtual_time.after(RESEND_NS, self._resend)

    def _resend(self) -> None:
        self._resending = False
        for message in list(self.outbox.values())[:16]:
            self._link.publish_as(message)
        self._resend_later()
