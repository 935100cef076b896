"""Follows a device's own clock and numbers: unwraps counters, reports falls and skips, recognises repeats.

Laps are timed by the device's clock, so nothing here uses the station's; what only that can show (a clock set forward
while the stream continues) is found in clock_jumps.py.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from shared.text import ntext, text
from station.gates.decoders.decoder import NEW_EPOCH, Gap, GapKind

LATE_NS = 2_000_000_000  # two loops of one decoder may report a little out of order
LEAP_NS = 7 * 24 * 3600 * 1_000_000_000  # no club leaves a gap of a week in one stream: the clock was set
MAX_DEVICES = 16  # decoders that one line may carry, behind a server that joins them
MAX_REMEMBERED = 256  # passings that are recognised when they come again
MAX_LOST = 1 << 24  # no line loses more between two frames: a larger skip is another count
ROUND = frozenset({100, 1000, 10_000, 100_000, 1_000_000, *(1 << bits for bits in (8, 12, 15, 16, 24, 31, 32))})


class DeviceClock:
    """Converts ticks as sent to nanoseconds that only grow; if the clock falls, they start again and a Gap reports it.

    `unit_ns`: the length of a tick. `modulus`: where the counter wraps, in ticks. `fall`: what it means for this kind
    of clock if its time falls: one that counts from power-on has restarted, a calendar clock was set.
    """

    def __init__(self, unit_ns: int, modulus: int | None, fall: GapKind) -> None:
        self._unit_ns, self._modulus, self._fall = unit_ns, modulus, fall
        self._base = 0
        self._last: int | None = None

    def read(self, ticks: int) -> tuple[int, Gap | None]:
        """The time in ns, and a Gap if the clock wrapped, was set or restarted since the last reading."""
        gap = self._moved(ticks)
        late = self._modulus is not None and self._last is not None and ticks - self._last > self._modulus // 2
        if late and self._base and self._near(ticks, self._modulus or 0):
            return (self._base - (self._modulus or 0) + ticks) * self._unit_ns, None  # from just before the wrap
        if gap is not None or self._last is None or ticks > self._last:
            self._last = ticks
        return (self._base + ticks) * self._unit_ns, gap

    def time_of_repeat(self, ticks: int) -> int:
        """The time of a repeated passing, in ns: it shows nothing about the clock."""
        return (self._base + ticks) * self._unit_ns

    def _moved(self, ticks: int) -> Gap | None:
        if self._last is None:
            return None
        ahead = ticks - self._last
        if ahead >= 0:
            leap = self._modulus is None and ahead * self._unit_ns > LEAP_NS
            return self._new_epoch("clock_jump", ticks) if leap else None
        if self._modulus is not None and self._last >= self._modulus // 16 * 15 and ticks < self._modulus // 16:
            self._base += self._modulus
            return Gap(
                "wrap",
                text("The decoder's clock wrapped after {seconds:.3f} s.", seconds=self._last * self._unit_ns / 1e9),
            )
        return None if self._near(ticks, self._last) else self._new_epoch(self._fall, ticks)

    def _near(self, ticks: int, to: int) -> bool:
        return (to - ticks) * self._unit_ns <= LATE_NS

    def _new_epoch(self, kind: GapKind, ticks: int) -> Gap:
        assert self._last is not None
        was, now = self._last * self._unit_ns / 1e9, ticks * self._unit_ns / 1e9
        self._base = 0
        what = text("restarted") if kind == "restart" else text("set its clock")
        return Gap(
            kind,
            text(
                "The decoder {what}: its time went from {was:.3f} s to {now:.3f} s; laps across this are void.",
                what=what,
                was=was,
                now=now,
            ),
        )


class Numbering:
    """Follows the device's own count of its frames: a skip is a loss, a fall a restart (or a wrap, at a round number).

    `what` names the numbers in sentences.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._last: int | None = None
        self._missing: deque[int] = deque(maxlen=MAX_REMEMBERED)

    def read(self, number: int) -> Gap | None:
        """The Gap between the last number and this one; None if this is the next one, or one that came late."""
        last, self._last = self._last, number
        if last is None or number in {last, last + 1}:
            return None
        if number > last + MAX_LOST:
            sentence = text(
                "The {what} numbers leapt from {last} to {number}: the decoder counts anew.",
                what=self._what,
                last=last,
                number=number,
            )
            self._missing.clear()
            return Gap("restart", sentence)
        if number > last:
            return self._skipped(last, number)
        if number in self._missing:
            self._missing.remove(number)
            self._last = last
            return None
        self._missing.clear()
        if number < 16 and any(0 < limit - last <= 16 for limit in ROUND):
            return Gap(
                "wrap",
                text("The {what} numbers wrapped from {last} to {number}.", what=self._what, last=last, number=number),
            )
        return Gap(
            "restart",
            text(
                "The {what} numbers fell from {last} to {number}: the decoder was restarted.",
                what=self._what,
                last=last,
                number=number,
            ),
        )

    def _skipped(self, last: int, number: int) -> Gap:
        missing = number - last - 1
        self._missing.extend(range(max(last + 1, number - MAX_REMEMBERED), number))
        names = f"{last + 1}" if missing == 1 else f"{last + 1} to {number - 1}"
        return Gap(
            "missed_numbers",
            ntext(
                "The {what} {names} is missing (after {last} came {number}).",
                "The {what} {names} are missing (after {last} came {number}).",
                n=missing,
                what=self._what,
                names=names,
                last=last,
                number=number,
            ),
            missing,
        )


class RecentPassings:
    """Remembers the last passings, to recognise those that are sent again."""

    def __init__(self) -> None:
        self._order: deque[tuple[str, int, int | None]] = deque()
        self._known: set[tuple[str, int, int | None]] = set()

    def is_repeat(self, transponder: str, ticks: int, number: int | None = None) -> bool:
        """Whether exactly this passing was sent before; remembers it."""
        key = (transponder, ticks, number)
        if key in self._known:
            return True
        self._order.append(key)
        self._known.add(key)
        if len(self._order) > MAX_REMEMBERED:
            self._known.discard(self._order.popleft())
        return False


@dataclass(frozen=True, slots=True)
class DeviceReading:
    """One passing on the device's timeline: its time, whether it is a repeat, and the gaps that it showed."""

    at_ns: int
    repeat: bool
    gaps: tuple[Gap, ...]


class DeviceTimeline:
    """Clock, numbers and recent passings of one device, taken together."""

    def __init__(self, clock: DeviceClock, numbers: Numbering | None = None) -> None:
        self._clock, self._numbers, self._recent = clock, numbers, RecentPassings()

    def passing(self, transponder: str, ticks: int, number: int | None = None) -> DeviceReading:
        """Reads one passing, in the order of the stream. A repeat moves neither the clock nor the count."""
        if self._recent.is_repeat(transponder, ticks, number):
            return DeviceReading(self._clock.time_of_repeat(ticks), True, ())
        at_ns, moved = self._clock.read(ticks)
        skipped = self.count(number)
        if moved is not None and moved.kind in NEW_EPOCH and skipped is not None and skipped.kind in NEW_EPOCH:
            return DeviceReading(at_ns, False, (skipped,))  # one restart, shown by both
        return DeviceReading(at_ns, False, tuple(gap for gap in (skipped, moved) if gap is not None))

    def time(self, ticks: int) -> DeviceReading:
        """Reads the device's time without a passing; `repeat` is False."""
        at_ns, moved = self._clock.read(ticks)
        return DeviceReading(at_ns, False, () if moved is None else (moved,))

    def count(self, number: int | None) -> Gap | None:
        """Reads a number without a time; the Gap before it, if any."""
        return None if number is None or self._numbers is None else self._numbers.read(number)


class DeviceTimelines:
    """A timeline for each decoder on the line; beyond `MAX_DEVICES` the least recently used is dropped."""

    def __init__(self, new: Callable[[], DeviceTimeline]) -> None:
        self._new = new
        self._known: OrderedDict[str, DeviceTimeline] = OrderedDict()

    def of(self, decoder: str) -> DeviceTimeline:
        """The timeline of this decoder, created on the first call."""
        timeline = self._known.get(decoder)
        if timeline is None:
            timeline = self._known[decoder] = self._new()
            if len(self._known) > MAX_DEVICES:
                self._known.popitem(last=False)
        self._known.move_to_end(decoder)
        return timeline
