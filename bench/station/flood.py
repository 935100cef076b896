"""What one car's flood costs another: how late its leases come, from a real station by a real broker with certificates.

The honest car beats ten times a second. Beside it a process with a certificate of its own floods, by raw packets.
`answered`: the milliseconds from a heartbeat to the lease that answers it; `gap`: between two leases (a car stops by
itself after 500 ms without one).
"""

import itertools
import json
import pathlib
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass

from rich.table import Table

from bench.report import OUT, console, machine
from shared.link.interface import Delivery, Subscription
from shared.link.mqtt import MqttLink
from shared.protocol import codec
from shared.protocol import messages as m
from shared.protocol.topics import BY_BODY
from tests.secure_broker import SecureBroker

BEAT_S = 0.1
LATE_MS = 200.0
EVIL = "car-66"
BATCH = 50
KINDS = (("nothing", 0), ("heartbeat", 5_000), ("heartbeat", 20_000), ("lap", 20_000), ("lap, QoS 1", 20_000))
RUBBISH = (("16 kB of rubbish", 2_000),)
_STATION = """
data_dir = "{folder}/data"
[[gate]]
name = "start"
driver = "mock"
[mqtt]
port = {port}
ca = "{tls}/ca.pem"
cert = "{tls}/station-1.pem"
key = "{tls}/station-1.key"
[web]
port = 0
[race]
id = "race-1"
name = "A race"
"""


@dataclass(frozen=True, slots=True)
class FloodCost:
    """One flood: what was sent, and what the honest car's leases and the station showed meanwhile."""

    flood: str
    asked_per_s: int
    sent_per_s: int
    beats: int
    leases: int
    answered_p50_ms: float
    answered_p99_ms: float
    answered_max_ms: float
    gap_max_ms: float
    journal_kb: int
    station_mb: int
    station_cpu_percent: int
    broker_cpu_percent: int


class HonestCar:
    """A car on our own link, and when each of its heartbeats was sent and answered."""

    def __init__(self, broker: SecureBroker) -> None:
        self.sent_s: dict[int, float] = {}
        self.answered_s: dict[int, float] = {}
        self._link = MqttLink(broker.options("car-1"), "car-1", "boot-1", "car")
        self._link.start([Subscription(BY_BODY[m.Lease], "car-1")], self._on_delivery)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._link.close()

    def _beat(self) -> None:
        number, due_s = 0, time.monotonic()
        while not self._over.wait(max(0.0, due_s - time.monotonic())):
            number, due_s = number + 1, due_s + BEAT_S
            self.sent_s[number] = time.monotonic()
            self._link.publish(m.CarHeartbeat(number, "ready"))

    def _on_delivery(self, delivery: Delivery) -> None:
        body = delivery.message.body
        if isinstance(body, m.Lease):
            self.answered_s.setdefault(body.heartbeat, time.monotonic())
        delivery.ack()


def main(quick: bool) -> None:
    """Prints the table and writes run/bench/flood.json; exits with 1 if a lease came too late."""
    seconds = 4.0 if quick else 20.0
    broker = SecureBroker(("station-1", "car-1", EVIL))
    try:
        costs = _costs(broker, seconds)
    finally:
        broker.end()
    table = Table(title=f"one car's flood, {seconds:.0f} s each; the other car's leases", title_justify="left")
    for column in ("flood", "per s", "sent", "beats", "leases", "p50 ms", "p99 ms", "max ms", "gap ms", "journal kB"):
        table.add_column(column, justify="left" if column == "flood" else "right")
    for each in costs:
        times = (each.answered_p50_ms, each.answered_p99_ms, each.answered_max_ms, each.gap_max_ms)
        counts = (each.asked_per_s, each.sent_per_s, each.beats, each.leases)
        table.add_row(each.flood, *map(str, counts), *(f"{ms:.0f}" for ms in times), str(each.journal_kb))
    console().print(table)
    OUT.mkdir(parents=True, exist_ok=True)
    document = {"bench": "flood", "machine": machine(), "seconds": seconds, "rows": [asdict(each) for each in costs]}
    (OUT / "flood.json").write_text(json.dumps(document, indent=1) + "\n")
    late = [each.flood for each in costs if each.answered_max_ms > LATE_MS]
    console().print(f"later than {LATE_MS:.0f} ms: {', '.join(late) or 'none'}")
    if late:
        sys.exit(1)


def _costs(broker: SecureBroker, seconds: float) -> list[FloodCost]:
    config = broker.folder / "station.toml"
    config.write_text(_STATION.format(folder=broker.folder, port=broker.port, tls=broker.folder / "station-1"))
    command = [sys.executable, "-m", "raceday", "station", "--config", str(config)]
    station = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert station.stdout is not None
    station.stdout.readline()
    car = HonestCar(broker)
    try:
        broker.until(lambda: len(car.answered_s) > 10, 60.0)
        pids = (station.pid, broker.pid)
        return [_cost(broker, car, pids, kind, per_s, seconds) for kind, per_s in (*KINDS, *RUBBISH)]
    finally:
        car.close()
        station.terminate()
        station.communicate(timeout=30)


def _cost(
    broker: SecureBroker, car: HonestCar, pids: tuple[int, int], kind: str, per_s: int, seconds: float
) -> FloodCost:
    """Floods for `seconds`, and looks at the leases of all but its first second."""
    words = [sys.executable, "-m", "bench.station.flood", kind, str(per_s), str(seconds), str(broker.port)]
    before_kb, cpu_s = _journal_kb(broker.folder), [_cpu_s(pid) for pid in pids]
    flooder = subprocess.Popen([*words, str(broker.folder / EVIL)], stdout=subprocess.PIPE, text=True)
    begin_s = time.monotonic() + 1.0
    sent = int(flooder.communicate(timeout=seconds * 10 + 60)[0])
    end_s = time.monotonic()
    used = [round(100 * (_cpu_s(pid) - was) / (end_s - begin_s + 1.0)) for pid, was in zip(pids, cpu_s, strict=True)]
    beats = {number: at_s for number, at_s in car.sent_s.items() if begin_s <= at_s < end_s}
    threading.Event().wait(2.0)  # for answers that are late
    answered = {number: at_s for number, at_s in car.answered_s.items() if number in beats}
    waits_ms = sorted(1e3 * (answered[number] - beats[number]) for number in answered) or [1e3 * seconds]
    came_s = sorted(answered.values()) or [begin_s, end_s]
    gaps_ms = [1e3 * (later - earlier) for earlier, later in itertools.pairwise(came_s)]
    return FloodCost(
        kind, per_s, round(sent / seconds), len(beats), len(answered), waits_ms[len(waits_ms) // 2],
        waits_ms[len(waits_ms) * 99 // 100], waits_ms[-1], max(gaps_ms, default=1e3 * seconds),
        _journal_kb(broker.folder) - before_kb, _resident_mb(pids[0]), *used,
    )  # fmt: skip


def flood(kind: str, per_s: int, seconds: float, port: int, folder: pathlib.Path) -> int:
    """Sends packets over a raw connection with a certificate; returns how many."""
    tls = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    tls.load_cert_chain(folder / f"{EVIL}.pem", folder / f"{EVIL}.key")
    begin_s, number = time.monotonic(), 0
    with tls.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="127.0.0.1") as sock:
        sock.sendall(b"\x10\x12\x00\x04MQTT\x04\x02\x00\x3c\x00\x06car-66")
        assert sock.recv(4)[3:] == b"\0", "the broker does not let the flooder in"
        threading.Thread(target=_discard, args=(sock,), daemon=True).start()
        while (now_s := time.monotonic()) - begin_s < seconds:
            ahead_s = number / per_s - (now_s - begin_s) if per_s else seconds
            if ahead_s > 0:
                threading.Event().wait(ahead_s)
                continue
            sock.sendall(b"".join(_packet(kind, number + each + 1) for each in range(BATCH)))
            number += BATCH
    return number


def _discard(sock: ssl.SSLSocket) -> None:
    """Reads what the broker answers, so that it does not wait for us."""
    while sock.recv(65_536):
        pass


def _packet(kind: str, number: int) -> bytes:
    body: m.Body = m.CarHeartbeat(number, "driving")
    if kind.startswith("lap"):
        body = m.CarLap(number * 10**9, "x" * 400)
    payload = codec.encode(m.Message(m.Envelope(EVIL, "flood", number), body))
    topic = f"raceday/cars/{EVIL}/{'lap' if kind.startswith('lap') else 'heartbeat'}".encode()
    if kind.endswith("rubbish"):
        payload = b"{" * 16_000
    qos = 1 if kind.endswith("QoS 1") else 0
    rest = struct.pack("!H", len(topic)) + topic + (struct.pack("!H", number % 65_535 + 1) if qos else b"") + payload
    length, digits = len(rest), b""
    while length:
        length, digit = length >> 7, length & 0x7F
        digits += bytes([digit | (0x80 if length else 0)])
    return bytes([0x30 | qos << 1]) + digits + rest


def _journal_kb(folder: pathlib.Path) -> int:
    return sum(file.stat().st_size for file in (folder / "data").glob("station.db*")) // 1_000


def _resident_mb(pid: int) -> int:
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) // 1_000


def _cpu_s(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


if __name__ == "__main__":
    print(flood(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), pathlib.Path(sys.argv[5])))
