"""All processes of a hall but the cars, real and under load: broker, leaderboard, station and sync. Any may be killed.

The station has a gate that repeats its edges, a car that reports laps and a director that opens runs (load.py); sync
posts every result of it, its waits passing faster (fast_sync.py). Called by hall_kills.py.
"""

import pathlib
import threading
import time
from collections.abc import Callable
from typing import Literal, get_args

from raceday.broker import RunningBroker, start_broker
from tests.leaderboard import sample_races
from tests.station.web.signed_in import bearer_for
from tests.system.durability.forked import ProcessForker
from tests.system.durability.killed_processes import free_port
from tests.system.durability.kills import READY_S, fork_station
from tests.system.durability.load import STATION_CONFIG, Car, Director, FastGate, StationReplies

Victim = Literal["station", "sync", "leaderboard", "broker"]
VICTIMS: tuple[Victim, ...] = get_args(Victim)
MAX_LAPS = 5
SYNC_TIMES = 200
_SYNC = """
[sync]
leaderboard_url = "http://127.0.0.1:{port}"
secret_file = "{folder}/webhook.secret"
[sync.options]
connect_timeout_s = 2
read_timeout_s = 5
"""


class Hall:
    """One hall in a folder (a short name: the path of the gate's socket is limited), every process of it up."""

    def __init__(self, folder: pathlib.Path, forker: ProcessForker, seed: int, lap_s: float) -> None:
        self.folder, self._forker = folder, forker
        self._board_port, self._station_port = free_port(), free_port()
        self.replies = StationReplies()
        self._write_configs()
        self.gate = FastGate(folder / "gate", f"world-{seed}", lap_s, seed)
        self._pids: dict[Victim, int] = {}
        self._broker: RunningBroker = start_broker(folder / "broker", kind="mosquitto")
        self._write_station(self._broker.port)
        bearer = bearer_for(folder / "data")  # before there is a station, which reads it when it starts
        for name in ("leaderboard", "station", "sync"):
            self._fork(name)
        self.await_ready("leaderboard")
        self._create_race()
        self._car = Car(self._broker.port, f"car-{seed}", self.replies)
        self._director = Director(f"run-{seed}", self.replies)
        self._director.bearer = bearer
        self.await_ready("station")

    @property
    def car_boot(self) -> str:
        return self._car.boot

    @property
    def journal(self) -> pathlib.Path:
        return self.folder / "data" / "station.db"

    @property
    def board(self) -> pathlib.Path:
        return self.folder / "board.db"

    @property
    def posted(self) -> pathlib.Path:
        return self.folder / "data" / "sync.db"

    def kill(self, name: Victim) -> None:
        """kill -9, and start again at once; `await_ready` waits until it serves."""
        if name == "broker":
            port = self._broker.port
            self._broker.process.kill()
            self._broker.process.wait()
            self._broker = start_broker(self.folder / "broker", port, kind="mosquitto")
            return
        self._forker.kill(self._pids[name])
        self._fork(name)

    def await_ready(self, name: Victim) -> None:
        """Until it serves; sync and broker do at once. Raises AssertionError with the end of its log."""
        if name == "leaderboard":
            wait_until((self.folder / "board-ready").exists, f"no leaderboard: {self._log('leaderboard')}")
        elif name == "station":
            wait_until((self.folder / "ready").exists, f"no station: {self._log('station')}")
            self._director.url = f"http://127.0.0.1:{self._station_port}"

    def await_load(self) -> None:
        """Until all serve, and another lap was published and another report acknowledged."""
        for name in VICTIMS:
            self.await_ready(name)
        laps, reports = len(self.replies.laps), len(self.replies.reports)
        wait_until(
            lambda: len(self.replies.laps) > laps and len(self.replies.reports) > reports,
            f"neither laps nor reports: {self._log('station')}",
        )

    def stop_load(self) -> None:
        """No more runs, reports and edges; what was sent may still be on its way."""
        self._director.close()
        self._car.close()
        self.gate.close()

    def close(self) -> None:
        """kill -9 of all."""
        for pid in self._pids.values():
            self._forker.kill(pid)
        self._broker.process.kill()
        self._broker.process.wait()

    def _fork(self, name: Victim) -> None:
        if name == "station":
            self._pids[name] = fork_station(self._forker, self.folder)
        elif name == "sync":
            words = ("fast-sync", str(self.folder / "station.toml"), str(SYNC_TIMES), "stay")
            self._pids[name] = self._forker.fork(self.folder / "sync.log", *words)
        else:
            ready = self.folder / "board-ready"
            ready.unlink(missing_ok=True)
            words = ("raceday", "leaderboard", "--config", str(self.folder / "leaderboard.toml"))
            log = self.folder / "leaderboard.log"
            self._pids[name] = self._forker.fork(log, *words, "--ready-file", str(ready))

    def _write_configs(self) -> None:
        path = sample_races.write_config(self.folder, '[store]\npath = "board.db"\n')
        path.write_text(path.read_text().replace("port = 0", f"port = {self._board_port}"))

    def _write_station(self, broker: int) -> None:
        text = STATION_CONFIG.format(folder=self.folder, broker=broker, max_laps=MAX_LAPS)
        text = text.replace("port = 0", f"port = {self._station_port}")  # the same after each kill
        sync = _SYNC.format(port=self._board_port, folder=self.folder)
        (self.folder / "station.toml").write_text(text + sync)

    def _create_race(self) -> None:
        url = f"http://127.0.0.1:{self._board_port}"
        fields = {"race_id": "race-1", "name": "A race", "track": "Oval", "rules": {"max_laps": MAX_LAPS}}
        assert sample_races.admin(url, "POST", "/races", fields).status_code in (201, 409)

    def _log(self, name: Victim) -> str:
        path = self.folder / ("log" if name == "station" else f"{name}.log")
        return path.read_text()[-2000:] if path.exists() else "it wrote nothing"


def wait_until(true: Callable[[], bool], otherwise: str, timeout_s: float = READY_S) -> None:
    """Raises AssertionError with the sentence after the timeout."""
    until_s, never = time.monotonic() + timeout_s, threading.Event()
    while not true():
        assert time.monotonic() < until_s, otherwise
        never.wait(0.01)
