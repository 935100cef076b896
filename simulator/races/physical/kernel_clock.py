"""A simulated machine's clocks on virtual time: CLOCK_MONOTONIC over its boots, and a UTC that NTP may step."""

from shared.units import NS_PER_S
from shared.virtual_time import VirtualTime

UTC_AT_START_NS = 1_790_000_000 * NS_PER_S
UPTIME_AT_START_NS = 40 * NS_PER_S


class VirtualKernelClock:
    """The clock of one simulated machine (a `shared.clock.Clock`); the monotonic part restarts with each boot."""

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
        """This clock's reading (ns) at `virtual_ns`, an instant of the present boot."""
        return virtual_ns - self._started_ns

    def step_utc(self, by_ns: int) -> None:
        """Step the wall clock by `by_ns`, as NTP does; no lap may change by it. The kernel accepts no time of day
        before its own boot (clock_settime(2): EINVAL below CLOCK_MONOTONIC), so the step ends there."""
        epoch_ns = self.now_ns() - UTC_AT_START_NS - self._virtual_time.now_ns
        self._utc_step_ns = max(self._utc_step_ns + by_ns, epoch_ns)

    def lose_utc(self, by_ns: int) -> None:
        """The wall clock is wrong by `by_ns` and is not trusted until `set_utc_right`."""
        self.step_utc(by_ns)
        self.trusted = False

    def set_utc_right(self) -> None:
        """NTP has synchronised: the wall clock is right and trusted again."""
        self._utc_step_ns = 0
        self.trusted = True

    def reboot(self) -> None:
        """A new boot: the monotonic clock begins near zero again."""
        self._boots += 1
        self._started_ns = self._virtual_time.now_ns - UPTIME_AT_START_NS // 10
