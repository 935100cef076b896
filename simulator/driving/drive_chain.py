"""From a policy's command to the car's pulses on virtual time, through the car's own limiter at 50 ticks per second.

This does in step with the world what the guard process does in real time. A command takes effect `latency_ns` after
the frame that it was computed from, as on a car whose inference takes that long.
"""

from collections import deque

from simulator.world.world import World
from simulator.world.world_events import WorldEvent
from vehicle.core.actions import Action
from vehicle.core.limiter import DriveLimits, limit
from vehicle.core.pulses import STOCK_CALIBRATION, to_pulses

TICK_NS = 20_000_000


class DriveChain:
    """The path from command to pulses for the car of one world."""

    def __init__(self, world: World, latency_ns: int = 0, limits: DriveLimits | None = None) -> None:
        self.world = world
        self.latency_ns = latency_ns
        self._limits = limits or DriveLimits()
        self._commands: deque[tuple[int, Action]] = deque()
        self.clear()

    def clear(self) -> None:
        """Return to neutral and drop pending commands, after the car was placed on the track again."""
        self._commands.clear()
        self._setpoint = self._last = Action()
        self._tick_ns = self.world.now_ns

    def set_command(self, at_ns: int, action: Action) -> None:
        """Queue the command that the policy computed from the frame exposed at `at_ns`."""
        self._commands.append((at_ns + self.latency_ns, action))

    def run(self, until_ns: int) -> list[WorldEvent]:
        """Drive up to `until_ns`; return the world's events in order of time."""
        events: list[WorldEvent] = []
        while self._tick_ns < until_ns:
            events += self.world.step(self._tick_ns)
            while self._commands and self._commands[0][0] <= self._tick_ns:
                self._setpoint = self._commands.popleft()[1]
            self._last = limit(self._setpoint, self._last, TICK_NS, self._limits)
            self.world.apply(to_pulses(self._last, STOCK_CALIBRATION))
            self._tick_ns += TICK_NS
        return events + self.world.step(until_ns)
