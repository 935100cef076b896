"""What tools/walk.py walks through: a station, a gate, a car and the sync service, on one thread and virtual time."""

import base64
import functools
import json
import pathlib
import random
from typing import Any

from shared.clock import ManualClock
from shared.config import from_table
from shared.link.interface import Delivery, Subscription
from shared.link.mock import MockBroker, MockLink
from shared.protocol import messages as m
from shared.protocol.races import RaceOffer
from shared.protocol.topics import BY_BODY
from shared.rules.ranking import RaceRules
from shared.web.http_exchange import Reply
from station.build import JOURNAL, build
from station.config import StationConfig
from station.core import inputs as e
from station.gates.mock import MockGate
from station.store.event_files.race_offers import RaceOffers
from station.sync.attempts import AttemptStore
from station.sync.build import utc_s
from station.sync.operator.send_requests import SendRequestQueue
from station.sync.operator.status import DATABASE
from station.sync.outbox_reader import OutboxReader
from station.sync.syncer import Syncer
from station.sync.webhook import WebhookLeaderboard

LAPS = 3  # of a run
RACE = "race-1"
NS_PER_MS, NS_PER_S = 1_000_000, 1_000_000_000


class Track:
    """One station, one gate, one car and the sync service, on virtual time."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.clock = ManualClock(10 * NS_PER_S)
        self.broker = MockBroker()
        self.gate = MockGate("start", ("beam",), {}, self.clock)
        config = from_table(_config(folder), StationConfig, source="station.toml")
        link = MockLink(self.broker, config.name, "start-1", "station")
        self.station = build(config, clock=self.clock, link=link, gates={"start": self.gate})
        self.station.start()
        self.car = MockLink(self.broker, "car-1", "car-1-boot", "car")
        self.car.start([Subscription(BY_BODY[kind], "car-1") for kind in (m.Lease, m.DriveOrder)], _acknowledge)
        self.beats = 0
        self.source = OutboxReader(folder / JOURNAL)
        self.attempts = AttemptStore(folder / DATABASE)
        self.syncer = _syncer(folder, self.clock, self.source, self.attempts)
        self.wait(0)

    def close(self) -> None:
        """Close the station and the files."""
        self.station.close()
        self.source.close()
        self.attempts.close()

    def wait(self, duration_ns: int) -> None:
        """Let the time pass, then let broker and station finish their work."""
        self.clock.advance(self.clock.now_ns() + duration_ns)
        for _ in range(6):
            self.broker.run_until(self.clock.now_ns())
            self.station.pump_live()
            self.station.pump()

    def beat(self, mode: m.CarMode) -> None:
        """Publish one heartbeat of the car, with its mode."""
        self.beats += 1
        self.car.publish(m.CarHeartbeat(self.beats, mode))
        self.wait(100 * NS_PER_MS)

    def give(self, command: e.Command) -> None:
        """Give an official's command. Raises AssertionError when it is refused."""
        ticket = self.station.offer(command)
        self.wait(0)
        assert ticket.answer is not None, "the station did not answer"
        assert not hasattr(ticket.answer, "sentence"), ticket.answer

    def start_run(self) -> None:
        """Open a run and start it, with the car ready."""
        self.give(e.OpenRun(author="official", racer="Ada", car="car-1"))
        self.beat("ready")
        self.give(e.StartRun(author="official"))

    def come_round(self, lap_ns: int) -> None:
        """Drive the car until it is just before the gate."""
        self.beat("driving")
        self.wait(lap_ns - 300 * NS_PER_MS)

    def break_beam(self) -> None:
        """Break the beam: the edge that times the pass, as the driver's thread reports it."""
        self.gate.edge("beam", True)

    def leave_gate(self) -> None:
        """Restore the beam once the car has passed, and let some time go by."""
        self.wait(120 * NS_PER_MS)
        self.gate.edge("beam", False)
        self.wait(80 * NS_PER_MS)

    def sync_step(self) -> None:
        """Run one step of the sync service."""
        self.syncer.step(self.clock.now_ns())


def _config(folder: pathlib.Path) -> dict[str, Any]:
    return {
        "name": "station-1",
        "data_dir": str(folder),
        "gate": [{"name": "start", "driver": "mock", "sensors": ["beam"]}],
        "race": {"id": RACE, "name": "A race", "rules": {"max_laps": LAPS}},
    }


def _syncer(folder: pathlib.Path, clock: ManualClock, source: OutboxReader, attempts: AttemptStore) -> Syncer:
    """The syncer as the sync service builds it, except for the stub in place of HTTP."""
    secret = "whsec_" + base64.b64encode(bytes(32)).decode()
    stamp, requests = functools.partial(utc_s, clock, source), SendRequestQueue(folder)
    leaderboard = WebhookLeaderboard("http://127.0.0.1:9", secret, {}, stamp, exchange=Stub())
    parts = (source, attempts, leaderboard, random.Random(1), clock.utc_ns, lambda _sentence: None)
    offers = RaceOffers(RACE, (RaceOffer(RACE, "A race", "", RaceRules(max_laps=LAPS)),))
    return Syncer(*parts, requests=requests.pending, acknowledge=requests.acknowledge, offers=lambda: offers)


class Stub:
    """In place of HTTP: a leaderboard that has the race, and accepts each result as posted."""

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Reply:  # noqa: ARG002
        """Answer a post with the score that it states, and any other request with the race."""
        answer: dict[str, object] = {"race_id": RACE}
        if method == "POST":
            score_ms = json.loads(body)["score_ms"]
            answer = {"best": True, "rank": 1, "racers": 1, "score_ms": score_ms}
        return Reply(200, {"content-type": "application/json"}, json.dumps(answer).encode())


def _acknowledge(delivery: Delivery) -> None:
    delivery.ack()
