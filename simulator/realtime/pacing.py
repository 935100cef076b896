"""When the world takes its next step in real time: as evenly as the machine allows, and late rather than in a jump.

Tick k is due at base + (k - base tick) * tick / rate. A step that is a little late is caught up; one that is later than
`catch_up_ns` moves the base, so the world's time stretches instead of jumping. On a busy machine a car would be driven
off the track by its computer's scheduler, not by its policy. With `patience_ms` the world stops its time before the
next frame until the newest one has been answered: its owner received it and new pulses came at least THINK_NS later. A
delay of up to one frame remains, as on a real car. With patience 0 (the default) the world never waits.
"""

from dataclasses import dataclass

THINK_NS = 8_000_000


@dataclass(slots=True)
class TickSchedule:
    """The schedule of ticks; real time is an argument. `stretched_ns` is the total delay of the base so far."""

    tick_ns: int
    rate: float
    catch_up_ns: int
    base_ns: int
    ticks: int = 0
    stretched_ns: int = 0

    def due_ns(self) -> int:
        """The real time (ns) at which the next tick is due."""
        return self.base_ns + round((self.ticks + 1) * self.tick_ns / self.rate)

    def ticked(self, wall_ns: int) -> int:
        """Record that a tick happens at `wall_ns`; return the real time that it counts for."""
        due_ns = self.due_ns()
        late_ns = wall_ns - due_ns
        self.ticks += 1
        if late_ns <= self.catch_up_ns:
            return due_ns
        self.base_ns, self.ticks = wall_ns, 0
        self.stretched_ns += late_ns
        return wall_ns


class AnswerWait:
    """The wait for a frame's answer; real time is an argument. `waited_ns` is the total real time waited."""

    def __init__(self, max_ns: int, steps_per_frame: int) -> None:
        self.waited_ns = 0
        self._max_ns = max_ns
        self._frame_ns = steps_per_frame * 1_000_000_000 // 240
        self._car = ""
        self._seq = 0
        self._at_ns = 0
        self._sent_ns = 0
        self._taken_ns: int | None = None
        self._waiting_since_ns: int | None = None

    def on_frame_sent(self, car: str, seq: int, at_ns: int, wall_ns: int) -> None:
        """A frame was sent to this car, which has camera and motors connected; '' if there is no such car."""
        self._settle(wall_ns)
        self._car, self._seq, self._at_ns, self._sent_ns, self._taken_ns = car, seq, at_ns, wall_ns, None

    def on_frame_taken(self, car: str, seq: int, wall_ns: int) -> None:
        """The owner of the camera received the frame."""
        if car == self._car and seq >= self._seq and self._taken_ns is None:
            self._taken_ns = wall_ns

    def on_pulses(self, car: str, wall_ns: int) -> None:
        """Pulses arrived from the car's motors."""
        if car == self._car and self._taken_ns is not None and wall_ns - self._taken_ns >= THINK_NS:
            self._settle(wall_ns)
            self._car = ""

    def wait_ns(self, wall_ns: int, next_at_ns: int) -> int:
        """The remaining wait (ns) before the step to `next_at_ns` of the world; 0: go on."""
        left_ns = self._sent_ns + self._max_ns - wall_ns
        if not self._max_ns or not self._car or left_ns <= 0 or next_at_ns < self._at_ns + self._frame_ns:
            self._settle(wall_ns)
            return 0
        self._waiting_since_ns = self._waiting_since_ns or wall_ns
        return left_ns

    def _settle(self, wall_ns: int) -> None:
        if self._waiting_since_ns is not None:
            self.waited_ns += wall_ns - self._waiting_since_ns
            self._waiting_since_ns = None
