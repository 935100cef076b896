"""Detects, against the station's clock, that a device's clock was set while its stream went on.

A passing cannot arrive before it happened. So the difference of the two clocks stays at or a little above its lowest
value: one that lies below it shows that the device's clock was set forward. One that lies far above it was sent late
(the line was interrupted, a car stood on the loop), or the clock was set back: the next passing shows which. Until
then the passing gets an epoch of its own, since a lap with it could have any length. Only a backlog, which a device may
send after a connect, is allowed to be late.

Pure. Used by edge_stamper.py, one detector for each decoder on the line.
"""

from dataclasses import dataclass

from shared.text import text
from station.gates.decoders.decoder import Gap

DRIFT_PPM = 200  # of two quartz clocks against each other, at the worst


@dataclass(frozen=True, slots=True)
class EpochOfPassing:
    """The epoch that a passing belongs to, and the jump that it showed, if any."""

    epoch: int
    gap: Gap | None = None


class ClockJumpDetector:
    """Follows the difference between the station's clock and the device's, which may vary by `allowed_ns`."""

    def __init__(self, allowed_ns: int) -> None:
        self._allowed_ns = allowed_ns
        self._epoch = self._newest = 1
        self._lowest_ns: int | None = None
        self._newest_ns = 0
        self._only_backlog = True
        self._doubtful_ns: int | None = None  # the difference of the last passing, if that has an epoch of its own

    def check(self, device_ns: int, read_ns: int, backlog: bool) -> EpochOfPassing:
        """The epoch of one new passing, read at `read_ns` of the station's clock.

        `backlog`: the passing may have waited in the device for a long time.
        """
        difference_ns = read_ns - device_ns
        if self._lowest_ns is None:
            self._trust(difference_ns, read_ns, backlog)
            return EpochOfPassing(self._epoch)
        drift_ns = (read_ns - self._newest_ns) * DRIFT_PPM // 1_000_000
        stray_ns = difference_ns - self._lowest_ns
        allowed_ns = self._allowed_ns + drift_ns
        if stray_ns < -allowed_ns and not self._only_backlog:
            self.begin()
            self._trust(difference_ns, read_ns, backlog)
            return EpochOfPassing(self._epoch, _clock_set("forward", stray_ns))
        if stray_ns > allowed_ns and not backlog:
            return self._late(difference_ns, stray_ns, read_ns)
        self._trust(min(difference_ns, self._lowest_ns + drift_ns), read_ns, backlog and self._only_backlog)
        return EpochOfPassing(self._epoch)

    def begin(self) -> None:
        """The device restarted: a new epoch, and nothing is known of the difference."""
        self._newest += 1
        self._epoch, self._lowest_ns, self._doubtful_ns, self._only_backlog = self._newest, None, None, True

    @property
    def epoch(self) -> int:
        """The current epoch."""
        return self._epoch

    def _trust(self, lowest_ns: int, read_ns: int, only_backlog: bool) -> None:
        self._lowest_ns, self._newest_ns, self._only_backlog, self._doubtful_ns = (
            lowest_ns,
            read_ns,
            only_backlog,
            None,
        )

    def _late(self, difference_ns: int, stray_ns: int, read_ns: int) -> EpochOfPassing:
        doubtful_ns = self._doubtful_ns
        if doubtful_ns is not None and abs(difference_ns - doubtful_ns) <= self._allowed_ns:
            # Two in a row are late by the same amount: the clock was set back before the first of them.
            self._epoch = self._newest
            self._trust(min(difference_ns, doubtful_ns), read_ns, only_backlog=False)
            return EpochOfPassing(self._epoch, _clock_set("back", stray_ns))
        self._newest += 1
        self._doubtful_ns = difference_ns
        sentence = text(
            "A passing was received {seconds:.3f} s late, or the decoder's clock was set back; laps that begin or end "
            "with it are void.",
            seconds=stray_ns / 1e9,
        )
        return EpochOfPassing(self._newest, Gap("clock_jump", sentence))


def _clock_set(way: str, stray_ns: int) -> Gap:
    return Gap(
        "clock_jump",
        text(
            "The decoder's clock was set {what} by {seconds:.3f} s; laps across this are void.",
            what=way,
            seconds=abs(stray_ns) / 1e9,
        ),
    )
