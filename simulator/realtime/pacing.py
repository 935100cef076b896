"""When the world takes its next step in real time: as even as the machine allows, late rather than in a jump.

Theory: tick k is due at base + (k - base tick) * tick / rate. A step that comes a little late is caught up; one
that comes later than `catch_up_ns` moves the base, so the world's time stretches and nobody sees a leap.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Pace:
    """Pure: real time is an argument. `stretched_ns` is how much later than planned all is by now."""

    tick_ns: int
    rate: float
    catch_up_ns: int
    base_ns: int
    ticks: int = 0
    stretched_ns: int = 0

    def due_ns(self) -> int:
        """The real instant of the next tick."""
        return self.base_ns + round((self.ticks + 1) * self.tick_ns / self.rate)

    def ticked(self, wall_ns: int) -> int:
        """A tick is being taken at `wall_ns`; the instant that it counts for."""
        due_ns = self.due_ns()
        late_ns = wall_ns - due_ns
        self.ticks += 1
        if late_ns <= self.catch_up_ns:
            return due_ns
        self.base_ns, self.ticks = wall_ns, 0
        self.stretched_ns += late_ns
        return wall_ns
