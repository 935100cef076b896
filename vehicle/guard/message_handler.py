"""What each message of the guard's children does: setpoints and frames from the pilot, orders and leases from comms.

Called by: `guard/guard.py`, once for each message of a pass of its loop. It changes the controller, the calibration or
the counters and sends nothing to the motors; the guard decides afterwards.
Calls: `core/controller.py`, `guard/calibration.py`, `guard/reporter.py`, `guard/loop_stats.py`.
"""

from shared.clock import Clock
from shared.protocol.messages import DriveOrder, Lease
from shared.text import text
from vehicle.core.controller import DriveController
from vehicle.core.messages import (
    CalibrationCommand,
    CameraAbsent,
    CommsReady,
    FrameCounts,
    PilotFault,
    PilotReady,
    ReloadModel,
    Setpoint,
    ThrottleLimit,
    UnusableFrame,
)
from vehicle.core.modes import ARMED
from vehicle.core.pilot_messages import checked_said
from vehicle.guard.calibration import CalibrationControl
from vehicle.guard.children import ChildExited, ChildMessage, ChildProcesses
from vehicle.guard.loop_stats import LoopStats
from vehicle.guard.reporter import Reporter
from vehicle.process.channel import IpcMessage


class MessageHandler:
    """Applies the messages of pilot and comms; it does no I/O of its own and never blocks.

    `has_new_setpoint` is True from an accepted setpoint until the guard, which has applied it, clears it.
    """

    def __init__(
        self,
        controller: DriveController,
        clock: Clock,
        children: ChildProcesses,
        calibration: CalibrationControl,
        reporter: Reporter,
        stats: LoopStats,
    ) -> None:
        self._controller, self._clock, self._children = controller, clock, children
        self._calibration, self._reporter, self._stats = calibration, reporter, stats
        self.has_new_setpoint = False

    def on_message(self, received: ChildMessage) -> None:
        """Apply one message; one that this child has no business sending is ignored.

        Raises HardwareMissing when a calibration ends in neutral and the motors do not answer.
        """
        if received.name == "pilot":
            # It runs a stranger's model: what no honest pilot sends is ignored too.
            exited = isinstance(received.message, ChildExited)
            self._on_pilot_message(received.message if exited else checked_said(received.message))
        else:
            self._on_comms_message(received.message)

    def _on_pilot_message(self, message: IpcMessage | ChildExited | None) -> None:
        match message:
            case Setpoint():
                self._on_setpoint(message)
            case FrameCounts():
                self._stats.frame_counts = message
            case CameraAbsent(sentence):
                self._children.ready.add("pilot")  # the start does not wait for a camera
                self._controller.set_absent("camera", sentence)
            case PilotFault(sentence):
                self._controller.on_fault(sentence)
            case UnusableFrame(sentence):
                self._controller.on_unusable_frame(sentence)
            case PilotReady():
                self._reporter.model = message
                self._children.ready.add("pilot")
                self._controller.set_absent("camera", "")
                self._controller.set_model_ready(is_ready=message.model != "")
            case ChildExited():
                self._controller.on_pilot_exit(text("The pilot process is gone."))
                self._controller.set_absent("camera", "")  # the next pilot reports whether there is one

    def _on_comms_message(self, message: IpcMessage | ChildExited) -> None:
        match message:
            case CommsReady():
                self._reporter.on_comms_ready()
            case Lease():
                self._controller.on_lease(message)
            case DriveOrder():
                self._controller.on_order(message)
            case ThrottleLimit(percent):
                self._controller.throttle_percent = min(100, max(0, percent))
            case ReloadModel():
                self._reload_model()
            case CalibrationCommand():
                self._calibration.on_command(message, self._clock.now_ns())
            case ChildExited():
                self._calibration.end(text("The calibration was called off: the console is gone."))

    def _on_setpoint(self, setpoint: Setpoint) -> None:
        if self._controller.on_setpoint(setpoint, self._clock.now_ns()):
            self.has_new_setpoint = True
            self._stats.setpoint = setpoint

    def _reload_model(self) -> None:
        """Another model was selected: the pilot ends and is restarted with it, unless the car is armed."""
        if self._controller.mode not in ARMED:
            self._children.terminate("pilot")
