"""Virtual time: one ordered list of what happens next, and the clocks that machines read from it.

Nothing here waits. A machine's clock starts anew with each of its boots, as CLOCK_MONOTONIC does; its UTC can
be stepped, as NTP does it. The same calls in the same order give the same history.
"""

import heapq
import itertools
from collections.abc import Callable, Iterator

from shared.units import NS_PER_S

UTC_AT_START_NS = 1_790_000_000 * NS_PER_S
UPTIME_AT_START_NS = 40 * NS_PER_S


class VirtualTime:
    """What time it is, and what happens next; events of one instant happen in the order in which they were planned."""

    def __init__(self) -> None:
        self.now_ns = 0
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def at(self, at_ns: int, action: Callable[[], None]) -> None:
        """Plan `action`; what lies in the past happens now."""
        heapq.heappush(self._events, (max(at_ns, self.now_ns), next(self._order), action))

    def after(self, delay_ns: int, action: Callable[[], None]) -> None:
        self.at(self.now_ns + delay_ns, action)

    def follow(self, story: Iterator[int]) -> None:
        """Live through a story: it yields how many ns go by until it goes on."""
        pause_ns = next(story, None)
        if pause_ns is not None:
            self.after(pause_ns, lambda: self.follow(story))

    @property
    def next_at_ns(self) -> int | None:
        return self._events[0][0] if self._events else None

    def move_to(self, at_ns: int) -> None:
        """Time goes by without anything of ours happening."""
        assert at_ns >= self.now_ns, "the universe was moved backwards"
        self.now_ns = at_ns

    def happen(self) -> None:
        """The next event."""
        at_ns, _, action = heapq.heappop(self._events)
        self.move_to(at_ns)
        action()


class VirtualKernelClock:
    """The clock of one machine in the universe, over its boots (`shared.clock.Clock`)."""

    def __init__(self, virtual_time: VirtualTime, machine: str) -> None:
        self._virtual_time = virtual_time
        self._machine = machine
        self._boots = 0
        self._started_ns = virtual_time.now_ns - UPTIME_AT_START_NS
        self._utc_step_ns = 0
        self.trusted = True

    @property
    def boot_id(self) -> str:
        return f"{self._machine}-boot-{self._boots}"

    @property
    def rate(self) -> float:
        return 1.0

    def now_ns(self) -> int:
        return self.stamp(self._virtual_time.now_ns)

    def utc_ns(self) -> int:
        return UTC_AT_START_NS + self._virtual_time.now_ns + self._utc_step_ns

    def stamp(self, virtual_ns: int) -> int:
        """What this clock shows at an instant of the present boot."""
        return virtual_ns - self._started_ns

    def step_utc(self, by_ns: int) -> None:
        """What NTP does to the wall clock; no lap may notice. The kernel knows no time of day before its own boot
        (clock_settime(2): EINVAL below CLOCK_MONOTONIC), so it stops there."""
        epoch_ns = self.now_ns() - UTC_AT_START_NS - self._virtual_time.now_ns
        self._utc_step_ns = max(self._utc_step_ns + by_ns, epoch_ns)

    def lose_utc(self, by_ns: int) -> None:
        """Nobody vouches for the wall clock any more, and it is wrong by so much, until `set_utc_right`."""
        self.step_utc(by_ns)
        self.trusted = False

    def set_utc_right(self) -> None:
        """NTP has found its servers."""
        self._utc_step_ns = 0
        self.trusted = True

    def reboot(self) -> None:
        """A new boot: the monotonic clock begins near zero again."""
        self._boots += 1
        self._started_ns = self._virtual_time.now_ns - UPTIME_AT_START_NS // 10
