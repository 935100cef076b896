"""Machines that a doctor may be shown: what their files, accounts and commands say."""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence

from raceday.doctor.machine_reader import FileStatus, PlatformFacts, UserAccount

FOLDER = FileStatus(0o755, 0, 0, is_folder=True)
PUBLIC = FileStatus(0o644, 0, 0)
PI = PlatformFacts((3, 11, 2), 64, "aarch64", is_root=True)


@dataclasses.dataclass
class ShownMachine:
    """A `MachineReader` over tables. A path with content is there; `statuses` say more; folders on the way are open."""

    files: dict[str, str | bytes] = dataclasses.field(default_factory=dict)
    statuses: dict[str, FileStatus] = dataclasses.field(default_factory=dict)
    links: dict[str, str] = dataclasses.field(default_factory=dict)
    users: dict[str, UserAccount] = dataclasses.field(default_factory=dict)
    groups: dict[str, int] = dataclasses.field(default_factory=dict)
    commands: dict[str, str] = dataclasses.field(default_factory=dict)
    attributes: dict[str, bool] = dataclasses.field(default_factory=dict)
    closed: dict[tuple[str, int], str] = dataclasses.field(default_factory=dict)
    free: int = 20_000_000_000
    facts: PlatformFacts = PI
    clock_is_set: bool = True
    asked: list[str] = dataclasses.field(default_factory=list)

    @property
    def platform(self) -> PlatformFacts:
        return self.facts

    def now(self) -> dt.datetime:
        return dt.datetime(2026, 5, 2, 9, 0, tzinfo=dt.UTC)

    def is_clock_set(self) -> bool:
        return self.clock_is_set

    def data(self, path: str) -> bytes | None:
        found = self.files.get(path)
        return found.encode() if isinstance(found, str) else found

    def names(self, folder: str) -> tuple[str, ...]:
        prefix = folder.rstrip("/") + "/"
        known = (*self.files, *self.statuses, *self.links)
        return tuple(sorted({path.removeprefix(prefix).split("/")[0] for path in known if path.startswith(prefix)}))

    def status(self, path: str) -> FileStatus | None:
        path = self.target(path)
        if path in self.statuses:
            return self.statuses[path]
        if path in self.files:
            return PUBLIC
        return FOLDER if self.names(path) else None

    def target(self, path: str) -> str:
        return self.links.get(path, path)

    def user(self, name: str) -> UserAccount | None:
        return self.users.get(name)

    def group_number(self, name: str) -> int | None:
        return self.groups.get(name)

    def free_bytes(self, path: str) -> int | None:
        return self.free if self.status(path) is not None else None

    def run(self, words: Sequence[str]) -> str | None:
        self.asked.append(" ".join(words))
        return next((self.commands[key] for n in (4, 3, 2) if (key := " ".join(words[:n])) in self.commands), None)

    def connects(self, host: str, port: int) -> str:
        return self.closed.get((host, port), "")

    def attribute(self, module: str, name: str) -> bool | None:
        return self.attributes.get(f"{module}.{name}")


def unit(**values: str) -> str:
    """What `systemctl show` prints of a unit that runs, with differences."""
    state = {
        "LoadState": "loaded",
        "UnitFileState": "enabled",
        "ActiveState": "active",
        "SubState": "running",
        "NRestarts": "0",
        "SupplementaryGroups": "",
        **values,
    }
    return "".join(f"{key}={value}\n" for key, value in state.items())


def units(states: Mapping[str, str]) -> dict[str, str]:
    return {f"systemctl show {name}": text for name, text in states.items()}


STATION_TOML = """
data_dir = "/var/lib/raceday"
name = "station-1"
[[gate]]
name = "start"
driver = "gpio"
sensors = ["beam"]
options = { pins = [17] }
[[gate]]
name = "sector-1"
driver = "pico"
sensors = ["beam"]
kind = "split"
options = { port = "/dev/ttyACM0" }
[mqtt]
host = "127.0.0.1"
port = 1883
[sync]
leaderboard_url = "https://league.example"
"""


def pi_station() -> ShownMachine:
    """A Raspberry Pi 4 with Bookworm, after `raceday install station`, on an SSD: nothing to mend but its drop-in."""
    return ShownMachine(
        files={
            "/etc/raceday/station.toml": STATION_TOML,
            "/etc/systemd/system/raceday-station.service": "[Unit]\n",
            "/etc/group": "root:x:0:\ngpio:x:997:\ndialout:x:20:\nraceday:x:991:\n",
            "/proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
            "/var/lib/raceday/station.db": b"",
            "/etc/apt/sources.list.d/raspi.list": "deb http://archive.raspberrypi.com/debian/ bookworm main\n",
        },
        statuses={
            "/dev/gpiochip0": FileStatus(0o660, 0, 997),
            "/dev/ttyACM0": FileStatus(0o660, 0, 20),
            "/sys/class/net/wlan0/wireless": FOLDER,
        },
        links={"/dev/serial/by-id/usb-Raspberry_Pi_Pico_E66-if00": "/dev/ttyACM0"},
        users={"raceday": UserAccount("raceday", 991, frozenset({991}))},
        groups={"gpio": 997, "dialout": 20},
        commands={
            **units(
                {
                    "raceday-station.service": unit(SupplementaryGroups="gpio dialout"),
                    "raceday-sync.service": unit(),
                }
            ),
            "vcgencmd get_throttled": "throttled=0x0\n",
            "iw dev wlan0 get": "Power save: off\n",
            "findmnt -no SOURCE,FSTYPE -T": "/dev/sda2 ext4\n",
        },
        attributes={"lgpio.gpiochip_open": True},
    )
