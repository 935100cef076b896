"""`raceday vehicle take-over` and `give-back`: whose software drives a stock car, ours or its own. Needs root.

The stock servo node leaves the pulses as they are when it ends (aws-deepracer-servo-pkg: `~ServoMgr() = default`), and
its own start takes ten to twenty seconds until it sets neutral. So in both directions neutral is set and the outputs
are cut before one side ends, and again after it: between the two nobody else drives. On a car without an enable line
the next message of the stock software undoes neutral, and it may take 90 s to end: so its console is told to stop too.

Its service cannot be masked, since its file is in /etc/systemd/system: it is disabled, and a file remembers that it
was enabled. Called by `commands/vehicle.py`, and by `raceday install` on a stock car.
"""

import pathlib
import shutil
import subprocess
from collections.abc import Callable

from shared.errors import HardwareMissing, OperatorError, Refused
from shared.files import write_ready_file
from vehicle.bridge.leash.raceday_leash import CONSOLE_PORT, stop_console
from vehicle.core.pulses import Calibration
from vehicle.guard.actuators import Actuators
from vehicle.hardware.interfaces import Motors
from vehicle.hardware.stock_software import LEASH_SERVICE, in_the_way, is_running
from vehicle.process.log import log

_TIMEOUT_S = 120.0  # stopping takes up to systemd's own limit of 90 s
_GOVERNORS = "devices/system/cpu/cpu*/cpufreq/scaling_governor"
SYS = pathlib.Path("/sys")


class StockService:
    """The service of the car's own software, by systemctl. Raises OperatorError with its answer."""

    def __init__(self, name: str) -> None:
        self.name = name

    def is_active(self) -> bool:
        return self._asked("is-active") in ("active", "activating", "deactivating", "reloading")

    def is_enabled(self) -> bool:
        return self._asked("is-enabled") == "enabled"

    def exists(self) -> bool:
        return bool(self._asked("cat"))

    def order(self, verb: str) -> None:
        """`systemctl VERB NAME`."""
        done = _systemctl(verb, self.name)
        if done.returncode:
            why = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
            raise OperatorError(f"`systemctl {verb} {self.name}` failed ({why}): run this command with sudo.")

    def _asked(self, verb: str) -> str:
        return _systemctl(verb, self.name).stdout.strip()


class HandOver:
    """One car's hand-over. `record` is a file of ours, there while the service is disabled by us."""

    def __init__(
        self,
        service: str,
        open_motors: Callable[[], Motors],
        calibration: Calibration,
        record: pathlib.Path,
        sys: pathlib.Path = SYS,
        console_port: int = CONSOLE_PORT,
    ) -> None:
        if not service:
            raise Refused("this car has no software of its own: `stock_software.service` names none.")
        self._service, self._record, self._sys = StockService(service), record, sys
        self._open_motors, self._calibration, self._console_port = open_motors, calibration, console_port

    def take_over(self) -> str:
        """Stop the car's own software, and keep it from starting with the machine; returns what was done."""
        service = self._service
        if is_running(LEASH_SERVICE, self._sys / "fs" / "cgroup"):
            raise Refused(in_the_way(LEASH_SERVICE))
        if not service.exists():
            return f"{service.name} is not installed on this machine: nothing is in the way."
        if not service.is_active() and not service.is_enabled():
            self._set_neutral()
            return f"{service.name} does not run: the motors are at neutral, and ours to drive."
        try:
            self._stop_driving()  # a car that drives stops here, not when its software has ended
            governors = {path: path.read_text() for path in self._sys.glob(_GOVERNORS)}
            self._end_stock_software()
        except BaseException:  # a time-out, Ctrl-C, or it still runs
            self._stop_driving()
            raise
        self._set_neutral()
        self._restore(governors)
        return f"{service.name} is stopped, and stays so: the motors are at neutral. `give-back` undoes it."

    def give_back(self) -> str:
        """Set neutral, and start the car's own software again; returns what was done. Our agent must have ended."""
        service = self._service
        if not service.exists():
            raise Refused(f"{service.name} is not installed on this machine: there is nothing to give the car back to.")
        if not service.is_active():
            self._set_neutral()
        if self._record.exists():
            service.order("enable")
        service.order("start")
        self._record.unlink(missing_ok=True)
        return f"{service.name} drives this car again, in about 20 s; until then the motors are at neutral."

    def _end_stock_software(self) -> None:
        """Stop the service for good. Raises OperatorError if it cannot be stopped."""
        service = self._service
        if service.is_enabled():
            write_ready_file(self._record, f"{service.name} was enabled before the take-over.")
            service.order("disable")
        service.order("stop")
        if service.is_active() or is_running(service.name, self._sys / "fs" / "cgroup"):
            raise OperatorError(f"{service.name} still runs after it was stopped: look at `systemctl status`.")

    def _stop_driving(self) -> None:
        """Stop a car whose own software runs: cut its line now; tell its console to stop, which outlasts; neutral."""
        self._try_neutral()
        if why := stop_console(self._console_port):
            log(f"the car's console did not stop it ({why}): without an enable line, hold the car until this ends.")
        self._try_neutral()

    def _try_neutral(self) -> None:
        """Set neutral if that works already; if not, it is set once the other side has ended."""
        try:
            self._set_neutral()
        except HardwareMissing as error:
            log(f"the motors are not at neutral while {self._service.name} runs: {error}")

    def _set_neutral(self) -> None:
        """Neutral pulses, and the outputs cut. The pulses stay on: the stock software never enables a channel."""
        actuators = Actuators(self._open_motors(), self._calibration)
        try:
            actuators.set_neutral()
        finally:
            actuators.close()

    def _restore(self, governors: dict[pathlib.Path, str]) -> None:
        """The stock service sets the processor to its slowest when it ends, which would slow our policy down."""
        for path, governor in governors.items():
            try:
                if path.read_text() != governor:
                    path.write_text(governor)
            except OSError as error:
                log(f"{path} stays slow ({error.strerror}): write {governor.strip()} to it.")


def _systemctl(verb: str, service: str) -> "subprocess.CompletedProcess[str]":
    program = shutil.which("systemctl")
    if program is None:
        raise OperatorError("there is no `systemctl` here: the car's own software can only be stopped by hand.")
    try:
        return subprocess.run(
            [program, verb, f"{service}.service"],
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OperatorError(f"`systemctl {verb} {service}` gives no answer ({error}).") from None
