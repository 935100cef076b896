"""What only our own clock can show: that a device's clock was set while its stream went on.

A passing cannot be heard before it happened, and is not heard much later than it happened either (but for a backlog
right after a connect). So the difference of the two clocks stays near its lowest value; where it leaves it, the
device's clock was set, or the line stood still for so long that nobody can tell: then no lap is made across it.
"""

from station.gates.decoders.decoder import Gap

DRIFT_PPM = 200  # of two quartz clocks against each other, at the worst


class Arrivals:
    """The difference between our clock and the device's, watched. `allowed_ns` is how far it may stray."""

    def __init__(self, allowed_ns: int) -> None:
        self._allowed_ns = allowed_ns
        self._lowest_ns: int | None = None
        self._heard_ns = 0
        self._only_backlog = True

    def judge(self, device_ns: int, heard_ns: int, backlog: bool) -> Gap | None:
        """One new passing; `backlog`: it may have waited at the device for long."""
        difference_ns = heard_ns - device_ns
        drift_ns = (heard_ns - self._heard_ns) * DRIFT_PPM // 1_000_000
        lowest_ns, self._heard_ns = self._lowest_ns, heard_ns
        if lowest_ns is None:
            self._lowest_ns, self._only_backlog = difference_ns, backlog
            return None
        stray_ns = difference_ns - lowest_ns
        early = -stray_ns > self._allowed_ns + drift_ns and not self._only_backlog
        late = stray_ns > self._allowed_ns + drift_ns and not backlog
        self._only_backlog &= backlog
        if early or late:
            self._lowest_ns = difference_ns
            return self._set(stray_ns)
        self._lowest_ns = min(difference_ns, lowest_ns + drift_ns)
        return None

    def begin(self) -> None:
        """The device began anew: nothing is known of the difference."""
        self._lowest_ns, self._only_backlog = None, True

    def _set(self, stray_ns: int) -> Gap:
        way = "back (or its line stood still)" if stray_ns > 0 else "forward"
        seconds = abs(stray_ns) / 1e9
        return Gap("clock_jump", f"The decoder's clock was set {way} by {seconds:.3f} s; laps across this are void.")
