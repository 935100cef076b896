"""The guard's part in a calibration from the phone: only an unarmed car, and neutral whatever ends it."""

from collections.abc import Callable

from shared.errors import BadInput, HardwareMissing
from vehicle.core.calibration_session import CLOSED, CalibrationSession
from vehicle.core.controller import DriveController
from vehicle.core.messages import CalibrationCommand, CalibrationStatus
from vehicle.core.pulses import STOCK_CALIBRATION, Calibration, Pulses, require_fine_enough
from vehicle.guard.actuators import Actuators
from vehicle.guard.failsafe_link import FailsafeLink
from vehicle.process.log import log

_OPEN_IN = frozenset({"disarmed", "stopped"})


class CalibrationControl:
    """`reload` reads the calibration that the car's file names; `tell` says a word to comms."""

    def __init__(
        self, helm: DriveController, wheels: Actuators, keeper: FailsafeLink, reload: Callable[[], Calibration | None]
    ) -> None:
        self._helm, self._wheels, self._keeper, self._reload = helm, wheels, keeper, reload
        self._fitting: CalibrationSession | None = None
        self._told = CLOSED
        self.tell: Callable[[CalibrationStatus], object] = lambda _: None

    def hear(self, word: CalibrationCommand, now_ns: int) -> None:
        """The phone's next word."""
        if word.action == "begin":
            self._begin(now_ns)
        elif self._fitting is None:
            self._close("")
        elif word.action == "cancel":
            self.end("The calibration was called off; the car keeps what it had.")
        elif word.action == "kept":
            self._adopt()
        else:
            self._fitting.hear(word, now_ns)
            self._say(self._fitting.tuning())

    def turn(self, now_ns: int) -> Pulses | None:
        """Set the wheels while the car is calibrated, and say to what; None while it is not."""
        if self._fitting is None:
            return None
        if self._helm.mode not in _OPEN_IN:
            self.end(f"The calibration was called off: {self._helm.standing.reason}")
            return None
        if self._fitting.is_over(now_ns):
            self.end("The calibration was called off: nobody went on with it.")
            return None
        told = self._fitting.pulses(now_ns)
        self._wheels.set(told)
        self._say(self._fitting.tuning())
        return told

    def end(self, said: str) -> None:
        """Neutral, as the car knows it; nothing is kept."""
        if self._fitting is not None:
            self._fitting = None
            self._helm.calibrated = self._wheels.calibration is not None
            try:
                self._wheels.neutral()
            finally:
                self._close(said)

    def _begin(self, now_ns: int) -> None:
        if self._helm.mode not in _OPEN_IN:
            first = "reset it" if self._helm.mode == "tripped" else "stop it"
            self._close(f"The car is {self._helm.mode}: {first} first.")
            return
        if self._helm.cannot_move:
            self._close(f"The car cannot be calibrated now. {self._helm.cannot_move}")
            return
        self._helm.calibrated = False  # nobody arms it meanwhile
        self._fitting = CalibrationSession(
            self._wheels.calibration or STOCK_CALIBRATION, self._wheels.resolution_ns, now_ns
        )
        log("the car is calibrated from a phone.")
        self._say(self._fitting.tuning())

    def _adopt(self) -> None:
        """The file is written: from now on it is this car's calibration, and the keeper's."""
        try:
            calibration = self._reload()
            if calibration is not None:
                require_fine_enough(calibration, self._wheels.resolution_ns)
        except (BadInput, HardwareMissing) as error:
            self.end(str(error))
            return
        self._wheels.calibration = calibration
        self._keeper.recalibrated()
        self.end("The calibration is kept, and the car has it.")
        log("the car has a new calibration.")

    def _close(self, said: str) -> None:
        self._say(CalibrationStatus(is_open=False, said=said))

    def _say(self, tuning: CalibrationStatus) -> None:
        if tuning != self._told or not tuning.is_open:
            self._told = tuning
            self.tell(tuning)
