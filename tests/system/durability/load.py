"""Loads a station and remembers its answers: a gate that repeats every edge, a car on MQTT, a race director.

The gate speaks the mock world's words on its socket, in a time of its own that runs fast: each lap of some seconds
takes some milliseconds. It records everything that was sent and that the station acknowledged.
"""

import contextlib
import http.client
import json
import pathlib
import random
import socket
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field

from shared.errors import BadInput
from shared.link.interface import Delivery, Subscription
from shared.link.mqtt import MqttLink, MqttOptions
from shared.protocol import messages as m
from shared.protocol.topics import BY_BODY
from simulator.realtime.protocol import GateEdge, Hello, PacketReader, ReplayRequest, Welcome, pack

LAP_NS = 5_000_000_000
WIDTH_NS = 90_000_000
REPORT_S = 0.6  # a station takes two reports a second of a car, and drops more
# The station under this load: one gate, FastGate's socket.
STATION_CONFIG = """
data_dir = "{folder}/data"
[[gate]]
name = "start"
driver = "simulator"
options = {{ world = "{folder}/gate" }}
[mqtt]
port = {broker}
[web]
port = 0
[race]
id = "race-1"
name = "A race"
rules = {{ max_laps = {max_laps} }}
"""


class FastGate:
    """A mock world's gate on a Unix socket: two edges per lap, all stored, and sent from any number on request."""

    def __init__(self, path: pathlib.Path, boot: str, lap_s: float, seed: int) -> None:
        self.boot = boot
        self.edges: list[GateEdge] = []
        self.made_s: dict[int, float] = {}  # by stamp: when the edge was made, on this machine's clock
        self._lap_s, self._chance = lap_s, random.Random(seed)
        self._changed = threading.Condition()
        self._over = threading.Event()
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(path))
        self._server.listen()
        for work in (self._accept, self._turn):
            threading.Thread(target=work, daemon=True).start()

    def close(self) -> None:
        self._over.set()
        self._server.close()

    def _turn(self) -> None:
        """Drives one lap."""
        at_ns = LAP_NS
        while not self._over.wait(self._lap_s):
            at_ns += LAP_NS + self._chance.randrange(LAP_NS)
            with self._changed:
                self.made_s[at_ns] = time.monotonic()
                for broken, stamp in ((True, at_ns), (False, at_ns + WIDTH_NS)):
                    self.edges.append(GateEdge(broken, stamp, len(self.edges) + 1, 1))
                self._changed.notify_all()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._server.accept()
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        unpacker = PacketReader()
        with sock, contextlib.suppress(OSError, BadInput):
            while data := sock.recv(65_536):
                for word in unpacker.feed(data):
                    if isinstance(word, Hello):
                        sock.sendall(pack(Welcome(self.boot, 1.0)))
                    elif isinstance(word, ReplayRequest):
                        self._send(sock, word.after)

    def _send(self, sock: socket.socket, sent: int) -> None:
        while not self._over.is_set():
            with self._changed:
                if len(self.edges) <= sent:
                    self._changed.wait(0.5)
                fresh = self.edges[sent:]
            sent += len(fresh)
            sock.sendall(b"".join(pack(edge) for edge in fresh))


@dataclass
class StationReplies:
    """What the station acknowledged or published: none of it may be lost, and nothing else may be in the journal."""

    laps: set[tuple[str, int, int]] = field(default_factory=set)  # run, number, ns: official laps received over MQTT
    reports: set[int] = field(default_factory=set)  # the car's reports that were acknowledged
    runs: set[str] = field(default_factory=set)  # runs whose opening was answered with "done"
    offered: int = 0  # reports that the car ever sent: 1 to this number


class Car:
    """A car that reports a lap from time to time, and repeats it until the station acknowledges it."""

    def __init__(self, port: int, boot: str, replies: StationReplies) -> None:
        self.boot, self._replies = boot, replies
        self._link = MqttLink(MqttOptions(port=port, protocol="5"), "car-1", boot, "car")
        self._over = threading.Event()
        subscriptions = [Subscription(BY_BODY[m.LapAck], "car-1"), Subscription(BY_BODY[m.OfficialLap])]
        self._link.start(subscriptions, self._on_message)
        self._thread = threading.Thread(target=self._report, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join(5)
        self._link.close()

    def _report(self) -> None:
        while not self._over.wait(REPORT_S):
            self._replies.offered += 1
            waiting = [seq for seq in range(1, self._replies.offered + 1) if seq not in self._replies.reports]
            for seq in waiting[-20:]:
                body = m.CarLap(seq * LAP_NS, self.boot, lap_ns=LAP_NS)
                self._link.publish_as(m.Message(m.Envelope("car-1", self.boot, seq), body))

    def _on_message(self, delivery: Delivery) -> None:
        body = delivery.message.body
        if isinstance(body, m.LapAck) and body.boot == self.boot:
            self._replies.reports.add(body.seq)
        elif isinstance(body, m.OfficialLap):
            self._replies.laps.add((body.run_id, body.number, body.lap_ns))
        delivery.ack()


class Director:
    """Opens and starts one run after another, and remembers the station's answers."""

    def __init__(self, name: str, replies: StationReplies) -> None:
        self.url = ""
        self.bearer: dict[str, str] = {}
        self._name, self._replies, self._number = name, replies, 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._direct, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join(15)

    def _direct(self) -> None:
        while not self._over.wait(0.03):
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
                self._once()

    def _once(self) -> None:
        if not self.url:
            return
        self._number += 1
        run_id = f"{self._name}-{self._number}"
        opened = self._post(command="open_run", racer=f"Racer {self._number % 20}", car="car-1", run_id=run_id)
        if opened.get("run_id") == run_id:
            self._replies.runs.add(run_id)
        self._post(command="start", by_hand=True)  # if it was refused, a run is on, which may still wait for its start

    def _post(self, **command: object) -> dict[str, object]:
        body = json.dumps(command).encode()
        headers = {"content-type": "application/json", **self.bearer}
        request = urllib.request.Request(f"{self.url}/api/v1/commands", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=3) as answer:
                answer_body: dict[str, object] = json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return {}
        return answer_body
