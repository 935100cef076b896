"""From a wish to the wheels on virtual time, through the car's own code: limiter, pulses, 50 ticks a second.

What the guard process does in real time, done here in step with the world; a wish takes effect `latency_ns` after
the frame it was made from, as on a car whose inference takes a while.
"""

from collections import deque

from simulator.world.world import World
from simulator.world.world_events import WorldEvent
from vehicle.core.actions import Action
from vehicle.core.limiter import DriveLimits, limit
from vehicle.core.pulses import STOCK_CALIBRATION, to_pulses

TICK_NS = 20_000_000


class DriveChain:
    """The guard's chain for one world."""

    def __init__(self, world: World, latency_ns: int = 0, limits: DriveLimits | None = None) -> None:
        self.world = world
        self.latency_ns = latency_ns
        self._limits = limits or DriveLimits()
        self._wishes: deque[tuple[int, Action]] = deque()
        self.clear()

    def clear(self) -> None:
        """Neutral, and nothing under way: the car was put down anew."""
        self._wishes.clear()
        self._wish = self._last = Action()
        self._tick_ns = self.world.now_ns

    def wish(self, at_ns: int, action: Action) -> None:
        """What the policy wants, made from the frame exposed at `at_ns`."""
        self._wishes.append((at_ns + self.latency_ns, action))

    def run(self, until_ns: int) -> list[WorldEvent]:
        """Drive up to `until_ns`; what happened, in time order."""
        events: list[WorldEvent] = []
        while self._tick_ns < until_ns:
            events += self.world.step(self._tick_ns)
            while self._wishes and self._wishes[0][0] <= self._tick_ns:
                self._wish = self._wishes.popleft()[1]
            self._last = limit(self._wish, self._last, TICK_NS, self._limits)
            self.world.apply(to_pulses(self._last, STOCK_CALIBRATION))
            self._tick_ns += TICK_NS
        return events + self.world.step(until_ns)
