"""Partitions between cars, broker and station, and kills of the broker, whose store is wiped at times.

Real: the station's process, mosquitto with its store, and of each car the outbox and comms with their link. Between
each of them and the broker lies a TCP proxy that breaks the way (tcp_faults.py). When all is whole again, every lap
that a car reported must be in the station's journal once. Called by `./dev bench partitions`.
"""

import contextlib
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from raceday.broker import is_broker_up, mosquitto_path
from shared.link.mqtt import MqttLink, MqttOptions
from shared.protocol.messages import CarLap
from shared.units import NS_PER_S
from station.core import inputs as e
from station.store.encoding import decode_input
from station.store.journal_reader import JournalReader
from tests.system.durability.forked import ProcessForker
from tests.system.durability.hall import wait_until
from tests.system.durability.killed_processes import free_port
from tests.system.durability.kills import fork_station, station_url
from tests.system.durability.load import STATION_CONFIG, FastGate
from tests.system.durability.tcp_faults import TCP_FAULTS, BrokenWay
from vehicle.comms.comms import Comms
from vehicle.comms.lap_outbox import LapOutbox
from vehicle.process.channel import Channel, socket_pair

CARS = 6
LAP_S = 0.8  # a car reports a lap so often
RESEND_S = 1.0
SHORT_S, LONG_S = (0.2, 2.5), (4.0, 12.0)
LONG_SHARE = 0.1
BROKEN_SHARE = 0.6  # of the ways, in a round
KILL_SHARE, WIPE_SHARE = 0.8, 0.5
CATCH_UP_S = 90.0
_BROKER = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
autosave_interval 1
autosave_on_changes true
max_packet_size 16384
max_queued_messages 1000
set_tcp_nodelay true
connection_messages false
{user}
"""


@dataclass(slots=True)
class PartitionTally:
    """What came of it. `faults`: by kind, `broker killed` among them; `catch_up_s`: from whole until all is told."""

    faults: Counter[str] = field(default_factory=Counter)
    reported: int = 0
    lost: int = 0
    doubled: int = 0
    invented: int = 0
    catch_up_s: list[float] = field(default_factory=list)
    first_failure: str = ""

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.invented)


class StoringBroker:
    """mosquitto with a store on disk, which is killed, and wiped at times."""

    def __init__(self, folder: pathlib.Path) -> None:
        folder.mkdir()
        self._folder, self.port = folder, free_port()
        user = "user root" if os.geteuid() == 0 else ""
        (folder / "mosquitto.conf").write_text(_BROKER.format(port=self.port, folder=folder, user=user))
        self._process = self._start()

    def kill(self, *, wipe: bool) -> None:
        """kill -9; not started again yet."""
        self._process.kill()
        self._process.wait()
        if wipe:
            (self._folder / "mosquitto.db").unlink(missing_ok=True)

    def start(self) -> None:
        self._process = self._start()

    def close(self) -> None:
        self.kill(wipe=False)

    def _start(self) -> "subprocess.Popen[bytes]":
        path = mosquitto_path()
        assert path is not None
        with (self._folder / "broker.log").open("ab") as log:
            process = subprocess.Popen([path, "-c", self._folder / "mosquitto.conf"], stdout=log, stderr=log)
        wait_until(lambda: is_broker_up("127.0.0.1", self.port), "mosquitto does not start")
        return process


class ReportingCar:
    """The comms of one car, as its process runs them, with a pilot that reports a lap every `LAP_S`."""

    def __init__(self, name: str, folder: pathlib.Path, broker: int) -> None:
        self.name, self.boot, self.way = name, f"boot-{name}", BrokenWay(broker)
        self.reported: list[int] = []
        self._path = folder / f"{name}.db"
        (guard, theirs), (pilot, laps) = socket_pair(), socket_pair()
        self._guard, self._pilot = Channel(guard), Channel(pilot)
        self._over, self._ready = threading.Event(), threading.Event()
        link = MqttLink(MqttOptions(port=self.way.port), name, self.boot, "car")
        self._comms = threading.Thread(target=self._run, args=(link, Channel(theirs), Channel(laps)))
        self._reports = threading.Thread(target=self._report)
        self._comms.start()
        assert self._ready.wait(30)
        self._reports.start()

    def untold(self) -> int:
        """How many of the laps so far are not stored, or not acknowledged."""
        with contextlib.closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=5)) as db:
            [pending] = db.execute("SELECT count(*) FROM laps").fetchone()
            stored = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'laps'").fetchone()
        return int(pending) + len(self.reported) - (int(stored[0]) if stored else 0)

    def stop_reports(self) -> None:
        self._over.set()
        self._reports.join()

    def close(self) -> None:
        self.stop_reports()
        self._guard.close()
        self._pilot.close()
        self._comms.join(30)
        self.way.close()

    def _run(self, link: MqttLink, guard: Channel, laps: Channel) -> None:
        """On one thread, as in its own process: the outbox belongs to it."""
        comms = Comms(self.name, link, LapOutbox(self._path), guard, laps, RESEND_S, lambda: None)
        comms.start()
        self._ready.set()
        comms.run()
        comms.close()

    def _report(self) -> None:
        while not self._over.wait(LAP_S):
            at_ns = (len(self.reported) + 1) * NS_PER_S
            self.reported.append(at_ns)
            self._pilot.send(CarLap(at_ns, self.boot, lap_ns=5 * NS_PER_S))


class PartitionedHall:
    """Station, broker and cars, each with its way to the broker."""

    def __init__(self, folder: pathlib.Path, forker: ProcessForker, seed: int) -> None:
        self._folder, self._forker, self._chance = folder, forker, random.Random(seed)
        self._broker = StoringBroker(folder / "broker")
        self._station_way = BrokenWay(self._broker.port)
        config = STATION_CONFIG.format(folder=folder, broker=self._station_way.port, max_laps=5)
        (folder / "station.toml").write_text(config)
        self._gate = FastGate(folder / "gate", f"world-{seed}", 1.0, seed)
        self._station = fork_station(forker, folder)
        station_url(folder)
        self.cars = [ReportingCar(f"car-{n}", folder, self._broker.port) for n in range(1, CARS + 1)]
        self.tally = PartitionTally()

    def round(self) -> None:
        """Breaks some ways and perhaps the broker for a while, mends all, and waits until all is told."""
        chance, never = self._chance, threading.Event()
        broken = [way for way in self._ways() if chance.random() < BROKEN_SHARE]
        for way in broken:
            fault = chance.choice(TCP_FAULTS)
            way.break_by(fault)
            self.tally.faults[fault] += 1
        lasts_s = chance.uniform(*(LONG_S if chance.random() < LONG_SHARE else SHORT_S))
        killed = chance.random() < KILL_SHARE
        if killed:
            never.wait(chance.uniform(0.0, lasts_s / 2))
            wipe = chance.random() < WIPE_SHARE
            self._broker.kill(wipe=wipe)
            self.tally.faults["broker killed, store wiped" if wipe else "broker killed"] += 1
            never.wait(lasts_s / 2)
            self._broker.start()
        else:
            never.wait(lasts_s)
        for way in broken:
            way.heal()
        everybody = killed or self._station_way in broken
        self._catch_up({car for car in self.cars if everybody or car.way in broken})

    def _ways(self) -> list[BrokenWay]:
        return [self._station_way, *(car.way for car in self.cars)]

    def _catch_up(self, hit: set[ReportingCar]) -> None:
        """A car has caught up once it holds no more than the lap that it reported just now; timed for those `hit`."""
        began_s, never, behind = time.monotonic(), threading.Event(), set(self.cars)
        while behind:
            waited_s = time.monotonic() - began_s
            for car in [each for each in behind if each.untold() <= 1]:
                behind.discard(car)
                if car in hit:
                    self.tally.catch_up_s.append(waited_s)
            if waited_s > CATCH_UP_S:
                raise AssertionError(f"after {waited_s:.0f} s: {[(car.name, car.untold()) for car in behind]}")
            never.wait(0.02)

    def judge(self) -> None:
        """All reports end; then the journal must have each, once."""
        for car in self.cars:
            car.stop_reports()
        wait_until(lambda: all(car.untold() == 0 for car in self.cars), "laps that were never told", CATCH_UP_S)
        in_journal = Counter[tuple[str, int, int]]()
        reader = JournalReader(self._folder / "data" / "station.db")
        for record in reader.records():
            event = decode_input(record.input)
            if isinstance(event, e.CarReport):
                in_journal[event.boot, event.seq, event.at_ns] += 1
        reader.close()
        expected = {(car.boot, seq, at) for car in self.cars for seq, at in enumerate(car.reported, 1)}
        self.tally.reported = len(expected)
        self.tally.lost = len(expected - in_journal.keys())
        self.tally.invented = len(in_journal.keys() - expected)
        self.tally.doubled = sum(count > 1 for count in in_journal.values())
        if not self.tally.clean:
            self.tally.first_failure = f"lost {sorted(expected - in_journal.keys())[:3]}"

    def close(self) -> None:
        for way in self._ways():
            way.heal()
        for car in self.cars:
            car.close()
        self._forker.kill(self._station)
        self._station_way.close()
        self._gate.close()
        self._broker.close()


def partition(folder: pathlib.Path, forker: ProcessForker, rounds: int, seed: int) -> PartitionTally:
    """So many rounds of faults in one hall, and then the comparison."""
    hall = PartitionedHall(folder, forker, seed)
    try:
        for _ in range(rounds):
            hall.round()
        hall.judge()
    finally:
        hall.close()
    shutil.rmtree(folder / "data")
    return hall.tally
