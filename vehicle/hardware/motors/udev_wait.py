"""Waits until udev has handed files of /sys to our group, which takes longer on a machine that is busy.

Called when a PWM channel or a GPIO line was exported. udev says by a file whether it still has events to work off
(systemd, src/udev/udev-manager.c; udevadm-settle(8) looks at the same one).
"""

import pathlib
import time
from collections.abc import Callable, Sequence

from vehicle.hardware.motors.attributes import AttributeFiles

UDEV_QUEUE = pathlib.Path("/run/udev/queue")
IDLE_S = 2.0  # for so long udev has had nothing to do, and the files are still not ours: no rule hands them over
LONGEST_S = 30.0  # a machine at its start works off its events for many seconds
_POLL_S = 0.01


def first_closed(
    files: AttributeFiles,
    paths: Sequence[pathlib.Path],
    now_s: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> pathlib.Path | None:
    """None once all paths may be written; else the first that may not, when udev has had its time."""
    began_s = idle_since_s = now_s()
    while closed := [path for path in paths if not files.writable(path)]:
        if files.exists(UDEV_QUEUE):
            idle_since_s = now_s()
        if now_s() - idle_since_s > IDLE_S or now_s() - began_s > LONGEST_S:
            return closed[0]
        pause(_POLL_S)
    return None
