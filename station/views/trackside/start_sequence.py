"""The start: five lights are lit one after the other, and all go out at GO, after a random delay. Pure.

Pages, LEDs and tones all follow these two instants, so that they agree.
"""

from dataclasses import dataclass

LIGHTS = 5
STEP_NS = 1_000_000_000  # from one light to the next


@dataclass(frozen=True, slots=True)
class StartSequence:
    """A start in progress: the first light is lit at `begun_ns`, all go out at `go_ns`, on the station's clock."""

    begun_ns: int
    go_ns: int

    def lit(self, now_ns: int) -> int:
        """How many lights are lit at `now_ns`, 0 to `LIGHTS`."""
        if not self.begun_ns <= now_ns < self.go_ns:
            return 0
        return min(LIGHTS, 1 + (now_ns - self.begun_ns) // STEP_NS)

    def next_change_ns(self, now_ns: int) -> int | None:
        """When the lights change next after `now_ns`; None if they do not change any more."""
        if now_ns >= self.go_ns:
            return None
        if now_ns < self.begun_ns:
            return self.begun_ns
        step = self.begun_ns + STEP_NS * (1 + (now_ns - self.begun_ns) // STEP_NS)
        return step if step < self.go_ns and self.lit(now_ns) < LIGHTS else self.go_ns
