"""The table of the car's modes and their transitions; what is not in it is refused with a sentence.

Rules
  1. The car wakes disarmed. Only `arm`, then `start`, lead to driving, each while everything is there that driving
     needs: motors, the emergency button of a car that has one, a calibration, a warm model, fresh frames, a lease.
  2. While armed (ready or driving) all of that is watched. What goes missing trips the car.
  3. A trip latches with its reason: only `reset` leaves it, and only towards disarmed. Recovery never re-arms.
  4. A withdrawn lease and `stop` are the ordinary ends of a drive: stopped, and ready again by `arm`.
  5. Stopping is never refused, whatever the mode.

Theory: `driving` has one way in (ready, start) and `ready` is entered by `arm` alone, so no sequence of other events
ends in a moving car. The property tests walk the table to show it.
"""

from dataclasses import dataclass
from typing import Literal

from shared.errors import Refused
from shared.protocol.messages import CarMode
from shared.text import joined, text

ModeEvent = Literal["arm", "start", "stop", "estop", "reset", "withdraw", "trip"]

MODES: dict[CarMode, dict[ModeEvent, CarMode]] = {
    "disarmed": {
        "arm": "ready",
        "stop": "disarmed",
        "estop": "tripped",
        "reset": "disarmed",
        "withdraw": "disarmed",
        "trip": "disarmed",  # nothing drives yet; `arm` reports what is missing
    },
    "ready": {
        "arm": "ready",
        "start": "driving",
        "stop": "stopped",
        "estop": "tripped",
        "reset": "disarmed",
        "withdraw": "stopped",
        "trip": "tripped",
    },
    "driving": {
        "stop": "stopped",
        "estop": "tripped",
        "withdraw": "stopped",
        "trip": "tripped",
    },
    "stopped": {
        "arm": "ready",
        "stop": "stopped",
        "estop": "tripped",
        "reset": "disarmed",
        "withdraw": "stopped",
        "trip": "stopped",
    },
    "tripped": {
        "stop": "tripped",
        "estop": "tripped",
        "reset": "disarmed",
        "withdraw": "tripped",
        "trip": "tripped",
    },
}

ARMED: frozenset[CarMode] = frozenset({"ready", "driving"})
LATCHED: frozenset[CarMode] = frozenset({"tripped"})


@dataclass(frozen=True, slots=True)
class ModeState:
    """The mode and the sentence that explains it ('' when there is nothing to explain)."""

    mode: CarMode = "disarmed"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DriveReadiness:
    """What driving needs, as it is at this moment."""

    calibration: bool
    model: bool
    frames: bool
    lease: bool
    camera: str = ""  # what is wrong with the camera or the frames that come, as a sentence
    motors: str = ""  # why there are none, as a sentence; likewise the button
    button: str = ""

    @property
    def missing(self) -> str:
        """What is missing, in a sentence or two; '' when nothing is."""
        lacks = [
            what
            for there, what in (
                (not self.motors, text("motors")),
                (not self.button, text("its emergency button")),
                (self.calibration, text("a calibration (raceday vehicle calibrate)")),
                (self.model, text("a loaded model")),
                (self.frames, text("fresh frames")),
                (self.lease, text("a lease from the station")),
            )
            if not there
        ]
        lacking = text("The car does not yet have {what}.", what=joined(lacks, text(" and "))) if lacks else ""
        reasons = (lacking, self.motors, self.button, "" if self.frames else self.camera)
        return joined(reason for reason in reasons if reason)


def next_state(state: ModeState, event: ModeEvent, readiness: DriveReadiness, reason: str = "") -> ModeState:
    """The state after `event`. Raises Refused if the table does not have it or something is missing."""
    mode = MODES[state.mode].get(event)
    if mode is None:
        raise Refused(text("The car is {mode}: it cannot {goal} now.", mode=state.mode, goal=event))
    if event in ("arm", "start") and readiness.missing:
        raise Refused(readiness.missing)
    if mode in LATCHED and state.mode in LATCHED:
        return state  # the first reason is the one that explains the trip
    return ModeState(mode, reason)
