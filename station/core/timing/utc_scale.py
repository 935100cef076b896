"""Converts monotonic stamps to UTC, for display and for ties only: no lap is ever a difference of UTC times.

A machine without a clock battery starts with a wrong time of day, and may learn the right one in the middle of a race.
The scale knows which boots' times of day are trusted; a pair (a clock's monotonic time and UTC, read together) that
sets a boot right corrects everything that was stamped under it. In journals of the first edition a pair counts only
from its own time on. Used wherever a stamp needs a time of day; set_up.py adds the pairs.
"""

from dataclasses import dataclass

from station.core.inputs import Moment, clock_of

JUMP_NS = 10_000_000_000  # a pair that differs by less corrects nothing: clocks are slewed and stepped by small amounts


@dataclass(frozen=True, slots=True)
class ClockCorrection:
    """The times of day of these boots were wrong: `by_ns` is added to them."""

    boots: frozenset[str]
    by_ns: int


class UtcScale:
    """The offset to UTC of each boot. Small changes are ignored while a run is on, so that each run has one scale."""

    def __init__(self) -> None:
        self.corrects = True  # False while records of the first edition replay
        self._offsets: dict[str, int] = {}
        self._last = 0
        self._station = ""  # the boot of the station itself
        self._began_ns = 0  # when it was first seen, ns
        self._stated: dict[str, int] = {}  # the station clock's last offset to UTC, whether or not it is used
        self._met: set[str] = set()  # boots without a pair of their own: shown by the newest pair of any boot
        self._under: dict[str, str] = {}  # boot of a device -> the station's boot when it was paired
        self._doubtful: set[str] = set()  # boots whose time of day is not trusted
        self._paced: set[str] = set()
        self._ahead: dict[tuple[str, str], int] = {}  # (device's boot, station's) -> lead of the device's clock, ns
        self.waiting: tuple[Moment, bool] | None = None  # a jump of the station's clock during a run, applied after it

    @property
    def boots(self) -> frozenset[str]:
        """The boots that were paired with a time of day."""
        return frozenset(self._offsets) - self._met

    def booted(self, moment: Moment, run_is_on: bool, trusted: bool) -> None:
        """The station's own clock started, or its process restarted on the same clock."""
        if moment.boot != self._station:
            self._station, self._began_ns = moment.boot, moment.at_ns
        if moment.boot not in self._offsets and not trusted and self.corrects:
            self._doubtful.add(moment.boot)
        self.add_pair(moment, run_is_on)

    def add_pair(self, moment: Moment, run_is_on: bool) -> bool:
        """Adds a pair; returns whether stamps of this boot are shown by it from now on."""
        known = self._offsets.get(moment.boot)
        offset = self._offset(moment)
        if known is not None and (run_is_on or (self._may_correct(moment.boot) and abs(offset - known) > JUMP_NS)):
            return False  # `pair` handles jumps
        self._set(moment.boot, offset)
        return True

    def pair(self, moment: Moment, run_is_on: bool, trusted: bool, paced: bool) -> tuple[bool, ClockCorrection | None]:
        """Adds a pair; returns whether stamps are shown by it from now on, and what it corrects (None: nothing).

        `trusted`, `paced`: as in `ClockPair`.
        """
        boot, offset = moment.boot, self._offset(moment)
        if paced:
            self._paced.add(boot)
        if boot == self._station:
            self.waiting = None
        known, met = self._offsets.get(boot), boot in self._met
        if self.corrects and not trusted and (known is None or met):
            self._doubtful.add(boot)
        if known is None or not self._may_correct(boot):
            return self.add_pair(moment, run_is_on), None
        if not trusted and boot not in self._doubtful:
            return False, None  # the time was known in this boot, and the monotonic clock continues
        jumps, settles = abs(offset - known) > JUMP_NS, met or (trusted and boot in self._doubtful)
        if settles or (jumps and not run_is_on):
            return True, self._correct(boot, offset, trusted)
        if jumps and boot == self._station:
            self.waiting = moment, trusted
        return self.add_pair(moment, run_is_on), None

    def _correct(self, boot: str, offset: int, trusted: bool) -> ClockCorrection:
        """Corrects this boot and all devices that were paired under it."""
        by_ns, boots = offset - self._offsets[boot], frozenset({boot, *self._devices_under(boot)})
        for each in boots:
            self._offsets[each] += by_ns
        self._last = offset
        self._bind(boot)
        if trusted:
            self._doubtful -= boots
        return ClockCorrection(boots, by_ns)

    def meet(self, boot: str) -> None:
        """A stamp of this boot was counted: without a pair, the boot is shown by the station's clock from now on."""
        if self.of(boot) in self._offsets or not self.corrects:
            return
        self._offsets[boot] = self._last
        self._under[boot] = self._station
        self._met.add(boot)
        if self._station in self._doubtful:
            self._doubtful.add(boot)

    def trusts(self, boot: str) -> bool:
        """Whether there is no reason to doubt this boot's time of day."""
        return self.of(boot) not in self._doubtful

    def of(self, boot: str) -> str:
        """The boot by whose pair a stamp of `boot` is shown."""
        return boot if boot in self._offsets else clock_of(boot)

    def utc_ns(self, boot: str, at_ns: int) -> int:
        """The stamp's time of day in UTC ns; without a pair of its boot, by the newest pair of any boot."""
        return at_ns + self._offsets.get(self.of(boot), self._last)

    def of_moment(self, moment: Moment) -> int:
        """A moment in UTC ns on the same scale as all stamps, whatever steps the clock has made since.

        Only times on this scale may be compared. A boot without a pair gives the moment's own UTC, and so do journals
        of the first edition.
        """
        known = self.corrects and self.of(moment.boot) in self._offsets
        return self.utc_ns(moment.boot, moment.at_ns) if known else moment.utc_ns

    def on_station(self, boot: str, at_ns: int, station: str) -> int | None:
        """The stamp on the clock of that boot of the station, in ns, by clocks that continued without a break.

        None: only the time of day could give it.

        A device that keeps running while the station reboots is paired with each of the station's boots. Its stamps
        may arrive late but never early, so of several pairs the one in which the device is furthest ahead counts.
        """
        if clock_of(boot) == station:
            return at_ns
        if self._under.get(boot) == station and station in self._offsets:
            return self.utc_ns(boot, at_ns) - self.utc_ns(station, 0)
        ahead = self._ahead.get((boot, station))
        return None if ahead is None else at_ns - ahead

    def on_device(self, moment: Moment, boot: str) -> int | None:
        """The station's moment on a device's clock, in ns, by the pair of the two boots; None: there is no pair."""
        ahead = self._ahead.get((boot, moment.boot))
        return None if ahead is None else moment.at_ns + ahead

    def within_boot(self, boot: str, at_ns: int) -> bool:
        """Whether the stamp was certainly made since the station's last boot."""
        known = self.on_station(boot, at_ns, self._station)
        return known is not None and (clock_of(boot) == self._station or known >= self._began_ns)

    def _may_correct(self, boot: str) -> bool:
        return self.corrects and boot not in self._paced

    def _set(self, boot: str, offset: int) -> None:
        known = self._offsets.get(boot)
        self._bind(boot)
        if known is not None and self.corrects:
            for device in self._devices_under(boot):  # a step of the station's clock moves its devices with it
                self._offsets[device] += offset - known
        self._offsets[boot] = self._last = offset

    def _offset(self, moment: Moment) -> int:
        """The pair's offset to UTC in ns; of a device, on the scale by which the station's stamps are shown.

        While a run is on, that scale differs from the station's clock if the clock has stepped since.
        """
        offset, station = moment.utc_ns - moment.at_ns, self._station
        if moment.boot == station:
            self._stated[station] = offset
        elif self.corrects and station in self._stated:
            self._store_ahead(moment.boot, self._stated[station] - offset)
            offset += self._offsets.get(station, self._stated[station]) - self._stated[station]
        return offset

    def _store_ahead(self, device: str, ahead_ns: int) -> None:
        if self._station not in self._paced:
            pair = device, self._station
            self._ahead[pair] = max(ahead_ns, self._ahead.get(pair, ahead_ns))

    def _bind(self, boot: str) -> None:
        """Binds a boot to the station's current one, by whose clock its stamps are shown."""
        self._met.discard(boot)
        if boot != self._station:
            self._under[boot] = self._station

    def _devices_under(self, boot: str) -> list[str]:
        return [device for device, under in self._under.items() if under == boot]
