"""The stop of all cars: a latch that one official sets and one releases. Pure.

While it is on, every command that could move a car is refused. Which cars have in fact stopped is not known here.
"""

from shared.errors import Refused
from shared.text import text
from station.core import facts as f
from station.core import inputs as e

_MOVES = (e.OpenRun, e.ArmRun, e.StageRun, e.StartRun, e.ResumeRun)


class StopLatch:
    """The latch. `on` is the stop that is in force, None if there is none."""

    def __init__(self) -> None:
        self.on: f.AllStopped | None = None
        self.at = e.NEVER  # the newest stop or release

    def obey(self, command: e.StopAll | e.ReleaseStop) -> list[f.Fact]:
        """Sets or releases the stop; returns its fact.

        Raises Refused for a release that was given before the newest stop, and was overtaken by it.
        """
        if isinstance(command, e.StopAll):
            self.at = command.moment
            self.on = f.AllStopped(command.author, command.reason, command.moment.utc_ns)
            return [self.on]
        released = command.moment
        if self.on is not None and released.boot == self.at.boot and released.at_ns < self.at.at_ns:
            raise Refused(
                text(
                    "All cars were stopped again after this release was given: check the track, then release them "
                    "again."
                )
            )
        self.on, self.at = None, released
        return [f.StopReleased(command.author)]

    def check(self, command: e.Command) -> None:
        """Raises Refused for a command that could move a car while the stop is on."""
        moves = isinstance(command, _MOVES)
        if isinstance(command, e.OrderCar):
            moves = command.action not in ("stop", "estop")
        if self.on is not None and moves:
            raise Refused(text("All cars are stopped by {author}: release the stop first.", author=self.on.author))
