"""Maps a device's clock to the station's: fits a line to pings and pongs, and bounds the error of the line.

A ping is read by the device after we sent it and before its pong reached us: so each exchange bounds the offset from
below (by its way out) and from above (by its way back). The fastest messages in each direction give the tightest
bounds; slow ones add nothing, and so cannot mislead. A crystal wanders, but its rate changes by at most w per second
(`WANDER_PER_S`): over a window of W seconds some line stays within w W^2 / 16 of the true clock. All lines (offset
and drift) that obey every bound, widened by that much, are possible. The middle one is used. The stated uncertainty is
the distance to the farthest of them at that instant, plus how far the crystal may be from the line.

Pure: time is an argument. Used for the Pico gate and for pigpio's ticks.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

NS_PER_S = 1_000_000_000
US = 1_000
DRIFT_LIMIT = 1e-3  # no crystal is off by more than 1000 ppm
WANDER_PER_S = 5e-8  # how fast a crystal's rate may change (a hand on the board, the sun): 3 ppm in a minute
GRID = 65  # drifts tried between the extreme ones
Floats = npt.NDArray[np.float64]
Slack = Callable[[float], float]  # for a drift: how far apart the lowest and the highest possible offset are, in ns


@dataclass(frozen=True, slots=True)
class MappedInstant:
    """One instant of the device on the station's clock. The uncertainty is a bound, not a standard deviation."""

    at_ns: int
    uncertainty_ns: int


@dataclass(frozen=True, slots=True)
class _Fit:
    """Lines over seconds since `origin_ns` (device time): for each possible drift the lowest and highest offset."""

    origin_ns: int
    base_ns: int
    oldest_s: float
    drift: float
    offset_ns: float
    drifts: Floats
    lows: Floats
    highs: Floats


class ClockMap:
    """Takes the exchanges of one boot of the device, and converts its instants to the station's clock.

    Only exchanges of the last `window_s` count. It is warm after `warm_samples` exchanges over at least `warm_s`.
    """

    def __init__(self, window_s: float = 60.0, warm_s: float = 8.0, warm_samples: int = 100) -> None:
        self._window_ns = round(window_s * NS_PER_S)
        self._warm_ns, self._warm_samples = round(warm_s * NS_PER_S), warm_samples
        self._samples: deque[tuple[int, int, int]] = deque()  # device, sent, received: ns
        self._fit: _Fit | None = None
        self._first_ns: int | None = None

    def add(self, sent_ns: int, device_us: int, received_ns: int) -> None:
        """Adds one exchange: the device read `device_us` between the two instants of the station's clock."""
        if received_ns < sent_ns:
            return
        device_ns = device_us * US
        if self._first_ns is None:
            self._first_ns = device_ns
        self._samples.append((device_ns, sent_ns, received_ns))
        while self._samples[0][0] < device_ns - self._window_ns:
            self._samples.popleft()
        self._fit = None

    @property
    def warm(self) -> bool:
        """True once there are enough exchanges, over enough time, for a good line."""
        if self._first_ns is None or len(self._samples) < self._warm_samples:
            return False
        return self._samples[-1][0] - self._first_ns >= self._warm_ns

    @property
    def empty(self) -> bool:
        """Whether there is no exchange yet; then no instant can be converted."""
        return not self._samples

    @property
    def offset_ns(self) -> int:
        """The station's clock minus the device's at the newest exchange, in ns. Needs at least one exchange."""
        device_us = self._samples[-1][0] // US
        return self.at(device_us).at_ns - device_us * US

    @property
    def drift_ppb(self) -> int:
        """How much slower the device's clock runs than the station's, in ppb. Needs at least one exchange."""
        return round(self._fitted().drift * 1e9)

    def here(self) -> MappedInstant:
        """The newest exchange on the station's clock; its uncertainty shows how good the connection is now."""
        return self.at(self._samples[-1][0] // US)

    def at(self, device_us: int) -> MappedInstant:
        """The device's instant `device_us` on the station's clock. Needs at least one exchange."""
        fit = self._fitted()
        ahead_s = (device_us * US - fit.origin_ns) / NS_PER_S
        middle = fit.offset_ns + fit.drift * ahead_s * NS_PER_S
        slopes = fit.drifts * ahead_s * NS_PER_S
        low, high = float(np.min(fit.lows + slopes)), float(np.max(fit.highs + slopes))
        outside_s = max(0.0, ahead_s, fit.oldest_s - ahead_s)
        wander_s = WANDER_PER_S * (fit.oldest_s**2 / 16 - fit.oldest_s * outside_s / 2 + outside_s**2 / 2)
        reach_ns = max(abs(high - middle), abs(middle - low)) + wander_s * NS_PER_S + US
        return MappedInstant(device_us * US + fit.base_ns + round(middle), round(reach_ns))

    def _fitted(self) -> _Fit:
        if self._fit is None:
            self._fit = _fit(np.array(self._samples, dtype=np.int64))
        return self._fit


def _fit(samples: npt.NDArray[np.int64]) -> _Fit:
    """The line in the middle of all those that the exchanges allow, and the extremes of these."""
    origin_ns, base_ns = int(samples[-1, 0]), int(samples[-1, 1] - samples[-1, 0])
    at = (samples[:, 0] - origin_ns).astype(np.float64)
    # The device counts whole microseconds: exchanges that are faster than one would contradict each other.
    bent_ns = WANDER_PER_S * (float(at[0]) / NS_PER_S) ** 2 / 16 * NS_PER_S + US
    lower_ns = (samples[:, 1] - samples[:, 0] - base_ns).astype(np.float64) - bent_ns
    upper_ns = (samples[:, 2] - samples[:, 0] - base_ns).astype(np.float64) + bent_ns

    def slack(drift: float) -> float:
        return float(np.min(upper_ns - drift * at) - np.max(lower_ns - drift * at))

    best = _best_drift(slack, -DRIFT_LIMIT, DRIFT_LIMIT)
    begin, end = _last_possible(slack, best, -DRIFT_LIMIT), _last_possible(slack, best, DRIFT_LIMIT)
    drifts = np.linspace(begin, end, GRID)
    slopes = np.outer(drifts, at)
    lows, highs = np.max(lower_ns - slopes, axis=1), np.min(upper_ns - slopes, axis=1)
    middle = (begin + end) / 2
    low, high = float(np.max(lower_ns - middle * at)), float(np.min(upper_ns - middle * at))
    return _Fit(origin_ns, base_ns, float(at[0]) / NS_PER_S, middle, (low + high) / 2, drifts, lows, highs)


def _best_drift(slack: Slack, low: float, high: float) -> float:
    """The drift with the most slack between the bounds (`slack` is concave)."""
    for _ in range(60):
        third = (high - low) / 3
        if slack(low + third) < slack(high - third):
            low += third
        else:
            high -= third
    return (low + high) / 2


def _last_possible(slack: Slack, inside: float, outside: float) -> float:
    """The last drift on the way out that obeys every bound; `inside` itself if none does (the crystal wandered)."""
    if slack(inside) < 0.0:
        return inside
    for _ in range(40):
        middle = (inside + outside) / 2
        if slack(middle) >= 0.0:
            inside = middle
        else:
            outside = middle
    return inside
