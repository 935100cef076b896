"""A stock car on this machine: the product's mock console as a service, and the leash as docs/stock-car.md fits it.

The car's PWM chip and enable line are a folder of files of the kernel's shape, which both write. The console itself
says in the journal when the car moves and when it stands, with the journal's time. Called by the scenario bridge.
"""

import json
import pathlib
import shutil
import subprocess
from collections.abc import Iterable

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
# The shipped unit, but that the car's kernel files are those of the folder.
LEASH_ROOT = f"""[Service]
ExecStart=
ExecStart=/usr/bin/python3 {LEASH_FOLDER}/raceday_leash.py run --key {LEASH_KEY} --root {ROOT}
ExecStopPost=
ExecStopPost=/usr/bin/python3 {LEASH_FOLDER}/raceday_leash.py ended --root {ROOT}
"""


class SimulatedStockCar:
    """The car. It lies on a table: its console's log says whether its wheels turn."""

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

    def motions(self) -> list[tuple[float, bool]]:
        """When it began to move (True) and to stand, in seconds of CLOCK_MONOTONIC."""
        command = ["journalctl", "-u", CONSOLE, "-o", "json", "--no-pager"]
        return motions_of(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines())

    def is_moving(self) -> bool:
        """Do its wheels turn?"""
        motions = self.motions()
        return bool(motions) and motions[-1][1]

    def remove(self) -> None:
        """The car goes; this machine is no car."""
        run(["systemctl", "disable", "--now", LEASH])
        for path in (LEASH_UNIT, DROP_IN, LEASH_KEY):
            path.unlink(missing_ok=True)
        run(["systemctl", "daemon-reload"])
        run(["systemctl", "stop", CONSOLE])


def motions_of(journal: Iterable[str]) -> list[tuple[float, bool]]:
    """The motions in what `journalctl -o json` prints of the console: see systemd.journal-fields(7)."""
    lines = [json.loads(line) for line in journal]
    words = {"The car moves.": True, "The car stands.": False}
    return [
        (int(each["__MONOTONIC_TIMESTAMP"]) / 1e6, words[text]) for each in lines if (text := each["MESSAGE"]) in words
    ]
