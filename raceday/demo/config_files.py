"""Writes the configuration files of the demo, one for each process: the same that an organiser would write by hand."""

import contextlib
import json
import pathlib
from typing import Any

from raceday.demo.plan import DemoPlan, DemoRacer
from raceday.demo.supervisor import Process
from shared.config import load
from station.access.roles import Role
from station.access.station_access import open_access, script_token
from station.config import StationConfig

GATE = "start"
SPLITS = (0.33, 0.66)  # split gates, as fractions of the lap: they divide it into three sectors
LEASE_MS = 500
# Frame periods without a setpoint until the guard holds and trips: a demo machine shares its cores with a browser.
HOLD_PERIODS, TRIP_PERIODS = 4.0, 10.0
FRAME_RATE_HZ = 15


class DemoLayout:
    """Paths, ports and command lines of every process of one demo."""

    def __init__(self, plan: DemoPlan, folder: pathlib.Path, ports: "Ports") -> None:
        self.plan = plan
        self.folder = folder
        self.ports = ports
        self.station_db = folder / "station" / "station.db"
        self.sync_db = folder / "station" / "sync.db"
        self.webhook_secret = folder / "secrets" / "webhook.secret"
        self.admin_token = folder / "secrets" / "admin.token"
        self.world = folder / "world"
        self._tokens: tuple[str, str] | None = None

    @property
    def station_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.station}"

    @property
    def leaderboard_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.leaderboard}"

    def write(self) -> None:
        """Writes all configuration files."""
        self.world.mkdir(parents=True, exist_ok=True)
        files = {"leaderboard": self._leaderboard(), "world": self._world(), "station": self._station()}
        files |= {racer.car: self._vehicle(racer) for racer in self.plan.racers}
        for name, table in files.items():
            self.config(name).write_text(toml(table))

    def crew_tokens(self) -> tuple[str, str]:
        """Tokens for the demo's operator and its marshal, made on the station's machine as an organiser would.

        Made once: a station that runs already takes a second to notice a new one.
        """
        if self._tokens is None:
            data_dir, by = self.station_db.parent, "the demo"
            operator = script_token(data_dir, by, "demo operator", Role.OPERATOR)
            self._tokens = operator, script_token(data_dir, by, "demo marshal", Role.REFEREE)
        return self._tokens

    def claim_code(self) -> str:
        """The code with which a visitor claims the station, as its console shows it."""
        config = load(self.config("station"), StationConfig)
        with contextlib.closing(open_access(config.data_dir, config.access.limits)) as access:
            return access.claim_code_to_show()

    def config(self, name: str) -> pathlib.Path:
        return self.folder / f"{name}.toml"

    def process(self, name: str) -> Process:
        """The process of that name: 'broker', 'leaderboard', 'world', 'station', 'sync' or a car's name."""
        if name == "broker":
            kind = ("--kind", self.plan.broker) if self.plan.broker else ()
            return Process(name, ("broker", "--port", str(self.ports.broker), "--run-dir", str(self.folder), *kind))
        command = "vehicle" if name.startswith("car-") else name
        config = self.config("station" if name == "sync" else name)
        return Process(name, (command, "--config", str(config)))

    def _clock(self) -> dict[str, Any]:
        return {"driver": "simulator", "options": {"world": str(self.world)}}

    def _mqtt(self) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": self.ports.broker}

    def _world(self) -> dict[str, Any]:
        plan = self.plan
        return {
            "run_dir": str(self.world),
            "track": plan.track_source,
            "seed": plan.seed,
            "speed": plan.speed,
            "patience_ms": 500,
            "splits": list(SPLITS),
        }

    def _leaderboard(self) -> dict[str, Any]:
        return {
            "title": "Raceday demo",
            "server": {"port": self.ports.leaderboard},
            "store": {"path": "leaderboard.db"},
            "secrets": {"webhook_files": ["secrets/webhook.secret"], "admin_file": "secrets/admin.token"},
        }

    def _vehicle(self, racer: DemoRacer) -> dict[str, Any]:
        plan, devices = self.plan, {"world": str(self.world), "car": racer.car}
        return {
            "device": racer.car,
            "clock": self._clock(),
            "camera": {"driver": "simulator", "options": devices},
            "motors": {"driver": "simulator", "options": devices},
            "calibration": {"stock": True},
            "model": {
                "path": str(self.plan.model),
                "throttle_percent": racer.throttle_percent,
                "profile": plan.profile,
            },
            "outbox": {"path": str(self.folder / f"{racer.car}.outbox.db")},
            "local": {"socket": str(self.folder / f"{racer.car}.sock")},
            "mqtt": self._mqtt(),
            "safety": {
                "frame_period_ms": 1000 / FRAME_RATE_HZ,
                # A guard with real-time priority would delay the pilot, which shares its core with a browser.
                "realtime": False,
                "hang_ms": 1500,
                "hold_periods": min(20.0, HOLD_PERIODS * max(1.0, self.plan.speed)),
                "trip_periods": min(40.0, TRIP_PERIODS * max(1.0, self.plan.speed)),
            },
        }

    def _station(self) -> dict[str, Any]:
        plan = self.plan
        rules = {name: value for name, value in _fields(plan.rules).items() if value is not None}
        return {
            "name": "station-1",
            "data_dir": str(self.folder / "station"),
            "lease_ms": round(LEASE_MS * max(1.0, plan.speed)),
            "clock": self._clock(),
            "gate": [
                {"name": GATE, "driver": "simulator", "sensors": ["beam"], "options": {"world": str(self.world)}},
                *(
                    {"name": f"split{n}", "driver": "simulator", "kind": "split", "options": {"world": str(self.world)}}
                    for n in range(1, len(SPLITS) + 1)
                ),
            ],
            "mqtt": self._mqtt(),
            "web": {"port": self.ports.station},
            "race": {
                "id": plan.race_id,
                "name": "Demo race",
                "kind": "virtual",
                "track": plan.track.name,
                "rules": rules,
            },
            "sync": {"leaderboard_url": self.leaderboard_url, "secret_file": str(self.webhook_secret)},
        }


class Ports:
    """The loopback ports of one demo, chosen once, so that a restarted process has the same address."""

    def __init__(self, station: int, leaderboard: int, broker: int) -> None:
        self.station = station
        self.leaderboard = leaderboard
        self.broker = broker


def _fields(rules: Any) -> dict[str, Any]:
    return {name: getattr(rules, name) for name in rules.__dataclass_fields__}


def toml(table: dict[str, Any], prefix: str = "") -> str:
    """A table as TOML: scalars and lists first, then tables and lists of tables, whose names begin with `prefix`."""
    plain = {k: v for k, v in table.items() if not _is_table(v) and not _is_tables(v)}
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in plain.items())
    for key, value in table.items():
        if _is_table(value):
            text += f"\n[{prefix}{key}]\n{toml(value, f'{prefix}{key}.')}"
        elif _is_tables(value):
            text += "".join(f"\n[[{prefix}{key}]]\n{toml(row, f'{prefix}{key}.')}" for row in value)
    return text


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)
