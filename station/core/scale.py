"""Monotonic stamps to UTC, for display and for ties only: no lap is ever a difference of these."""

from station.core.events import Moment, clock_of


class UtcScale:
    """The newest pair of each boot. Pairs are not taken while a run is on, so that one run keeps one scale."""

    def __init__(self) -> None:
        self._offsets: dict[str, int] = {}
        self._last = 0

    @property
    def boots(self) -> frozenset[str]:
        """The boots that were paired."""
        return frozenset(self._offsets)

    def note(self, moment: Moment, run_is_on: bool) -> bool:
        """True if stamps of this boot are shown by this pair from now on."""
        if run_is_on and moment.boot in self._offsets:
            return False
        self._offsets[moment.boot] = self._last = moment.utc_ns - moment.at_ns
        return True

    def utc_ns(self, boot: str, at_ns: int) -> int:
        """The time of day of a stamp; a boot that nobody paired is shown by the pair that was noted last."""
        return at_ns + self._offsets.get(boot, self._offsets.get(clock_of(boot), self._last))
