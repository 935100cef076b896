"""A stock car on this machine: the product's mock console as a service, and the leash as docs/stock-car.md fits it.

The car's PWM chip and enable line are a folder of files of the kernel's shape, which both write: they say whether the
car moves. Called by the scenario bridge.
"""

import pathlib
import shutil
import time
from collections.abc import Callable

from tools.metal.guest.checks import check, run, until
from tools.metal.guest.installed_station import journal_tail, unit_property

CONSOLE, LEASH = "stock-console", "raceday-leash"
CONSOLE_PORT = 8443
PASSWORD = "deepracer"  # noqa: S105 - of the mock console, as docs/stock-car.md has it
ROOT = pathlib.Path("/run/stock-car")
LEASH_UNIT = pathlib.Path(f"/etc/systemd/system/{LEASH}.service")
LEASH_FOLDER, LEASH_KEY = pathlib.Path("/opt/raceday-leash"), pathlib.Path("/etc/raceday-leash.key")
DROP_IN = LEASH_UNIT.with_name(f"{LEASH_UNIT.name}.d") / "root.conf"
UP_S = 180.0
LOOK_S = 0.005
# Below the folder, as on the car's 24.04 image: the motor's channel, and the line that cuts.
DUTY, LINE = "sys/class/pwm/pwmchip0/pwm0/duty_cycle", "sys/class/gpio/gpio514/value"
NEUTRAL_NS, DEAD_BAND_NS = 1_446_000, 5_000  # of the stock calibration; what is nearer to neutral is neutral
# The shipped unit, but that the car's kernel files are those of the folder.
LEASH_ROOT = f"""[Service]
ExecStart=
ExecStart=/usr/bin/python3 {LEASH_FOLDER}/raceday_leash.py run --key {LEASH_KEY} --root {ROOT}
ExecStopPost=
ExecStopPost=/usr/bin/python3 {LEASH_FOLDER}/raceday_leash.py ended --root {ROOT}
"""


class SimulatedStockCar:
    """The car. It lies on a table: what is put out below `root` says whether its wheels turn."""

    def __init__(self, root: pathlib.Path = ROOT) -> None:
        self._root = root

    def start(self) -> bool:
        """Switches the car on; was its console up in time?"""
        ready = pathlib.Path("/run/stock-console.ready")
        words = ["--port", str(CONSOLE_PORT), "--root", str(ROOT), "--ready-file", str(ready)]
        run(["systemd-run", f"--unit={CONSOLE}", "/opt/raceday/bin/raceday", "bridge", "mock-console", *words])
        is_up = until(lambda: ready.exists() or None, UP_S)
        return check("the stock car's console is up", is_up is not None, journal_tail(CONSOLE, 2))

    def fit_leash(self, kit: pathlib.Path) -> None:
        """Steps 2 and 3 of docs/stock-car.md, with the files that the installation of the bridge made."""
        LEASH_FOLDER.mkdir(exist_ok=True)
        shutil.copy(kit / "raceday_leash.py", LEASH_FOLDER)
        shutil.copy(kit / "raceday-leash.key", LEASH_KEY)
        LEASH_KEY.chmod(0o600)
        shutil.copy(kit / LEASH_UNIT.name, LEASH_UNIT)
        DROP_IN.parent.mkdir(exist_ok=True)
        DROP_IN.write_text(LEASH_ROOT)
        run(["systemctl", "daemon-reload"])
        run(["systemctl", "enable", "--now", LEASH])
        state, restarts = unit_property(LEASH, "ActiveState"), unit_property(LEASH, "NRestarts")
        seen = f"{state}, NRestarts={restarts}: {journal_tail(LEASH, 2)}"
        check("the leash's own unit starts", (state, restarts) == ("active", "0"), seen)

    def hang(self) -> None:
        """The car's computer stands still: its ports are open, and nobody answers."""
        run(["systemctl", "kill", "--signal=STOP", CONSOLE])

    def wake(self) -> None:
        """The computer goes on."""
        run(["systemctl", "kill", "--signal=CONT", CONSOLE])

    def is_moving(self) -> bool:
        """Do its wheels turn: do pulses other than neutral reach the motor?"""
        duty_ns = self._read(DUTY)
        return self._read(LINE) == 0 and duty_ns > 0 and abs(duty_ns - NEUTRAL_NS) > DEAD_BAND_NS

    def stands_after(self, act: Callable[[], object], limit_s: float) -> float | None:
        """Does this to the car that moves; how many seconds after its beginning the car was first seen to stand.

        None: it did not move before, or has not stood in time. It is looked at once `act` has returned.
        """
        if not self.is_moving():
            return None
        began_s = time.monotonic()
        act()
        stood_s = until(lambda: None if self.is_moving() else time.monotonic(), limit_s, LOOK_S)
        return None if stood_s is None else stood_s - began_s

    def _read(self, name: str) -> int:
        """The number in one of the files, which is empty for a moment while somebody writes it."""
        text = until(lambda: (self._root / name).read_text().strip() or None, 1.0, LOOK_S)
        return int(text or "")

    def remove(self) -> None:
        """The car goes; this machine is no car."""
        run(["systemctl", "disable", "--now", LEASH])
        for path in (LEASH_UNIT, DROP_IN, LEASH_KEY):
            path.unlink(missing_ok=True)
        run(["systemctl", "daemon-reload"])
        run(["systemctl", "stop", CONSOLE])
