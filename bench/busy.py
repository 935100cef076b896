"""How much of the machine went to other programs while something was measured: by the clock, that is a part of it."""

import os
import time

import psutil


def busy_s() -> float:
    """Seconds of processor of all that this machine did."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq + times.steal)


class OthersShare:
    """Counts from when it is made."""

    def __init__(self) -> None:
        self._busy_s, self._began_s = busy_s(), time.monotonic()

    def share(self, own_s: float) -> float:
        """The share of the machine's cores that others had, of whom `own_s` seconds of processor are none."""
        window_s = (time.monotonic() - self._began_s) * (os.cpu_count() or 1)
        return (busy_s() - self._busy_s - own_s) / window_s


def others_sentence(share: float) -> str:
    """As it stands below a table."""
    return f"other programs took {share:.0%} of the machine: by the clock above 3 % says little"
