"""What of a pilot's messages the guard and comms take: the pilot runs a stranger's model, and may say anything.

Numbers that nothing measures and texts that no page shows end here, before they stand in telemetry, in the car's state
or on its disk. Called by `guard/message_handler.py` and `comms/comms.py`; pure.
"""

import dataclasses
import math
import re
from typing import Final

from shared.protocol.messages import CarLap
from vehicle.core.messages import CameraAbsent, FrameCounts, PilotFault, PilotReady, Setpoint, UnusableFrame

MAX_SENTENCE: Final = 300  # the protocol's own limit is 512, for all sentences of a state together
MAX_COUNT: Final = 1 << 53  # beyond it JSON's readers round
MAX_DURATION_US: Final = 60_000_000
_MAX_NAME, _SHA256 = 80, re.compile(r"([0-9a-f]{64})?")
_MAX_NS = 1 << 62

Said = Setpoint | FrameCounts | PilotReady | PilotFault | UnusableFrame | CameraAbsent


def checked_said(message: object) -> Said | None:
    """The message as the guard may use it; None if no honest pilot sends it."""
    match message:
        case Setpoint():
            return message if _is_possible(message) else None
        case FrameCounts(frames, dropped, repeated):
            return message if _are_within(MAX_COUNT, frames, dropped, repeated) else None
        case PilotReady(model, sha256, precision):
            is_named = len(model) <= _MAX_NAME and model.isprintable()
            is_known = _SHA256.fullmatch(sha256) is not None and precision in ("", "fp32", "int8")
            return message if is_named and is_known else None
        case PilotFault() | UnusableFrame() | CameraAbsent():
            return dataclasses.replace(message, sentence=plain(message.sentence))
    return None


def is_possible_lap(lap: CarLap) -> bool:
    """Whether the outbox may keep it: a boot that can be one, and times that can be."""
    times = (lap.at_ns, lap.frames_seen, lap.uncertainty_ns, lap.decided_at_ns, lap.board_id, lap.lap_ns or 0)
    is_boot = 0 < len(lap.car_boot) <= _MAX_NAME and lap.car_boot.isprintable()
    return is_boot and _are_within(_MAX_NS, *times)


def plain(sentence: str) -> str:
    """The sentence in one line, cut where nobody reads on."""
    line = "".join(sign if sign.isprintable() else "?" for sign in sentence)
    return line if len(line) <= MAX_SENTENCE else f"{line[: MAX_SENTENCE - 1]}…"


def _is_possible(setpoint: Setpoint) -> bool:
    durations_us = (setpoint.policy_us, setpoint.preprocess_us, setpoint.capture_us)
    return (
        math.isfinite(setpoint.steering)
        and math.isfinite(setpoint.throttle)
        and _are_within(MAX_COUNT, setpoint.frame_seq)
        and _are_within(_MAX_NS, setpoint.frame_at_ns)
        and _are_within(MAX_DURATION_US, *durations_us)
    )


def _are_within(limit: int, *numbers: int) -> bool:
    return all(0 <= number <= limit for number in numbers)
