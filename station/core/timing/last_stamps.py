"""The newest stamp of each clock among the inputs that were kept: so much had surely gone by. Called by the engine."""

from collections.abc import Mapping
from types import MappingProxyType

from station.core import inputs as e


class LastStamps:
    """Of each clock. The car's reports are heard on the station's."""

    def __init__(self) -> None:
        self._of_clock: dict[str, int] = {}

    @property
    def of_clock(self) -> Mapping[str, int]:
        """Clock -> ns."""
        return MappingProxyType(self._of_clock)

    def note(self, event: e.Input) -> None:
        """It was kept."""
        if isinstance(event, e.Edge):
            boot, at_ns = event.boot, event.at_ns
        else:
            moment = event.taken if isinstance(event, e.CarReport) else event.moment
            boot, at_ns = moment.boot, moment.at_ns
        clock = e.clock_of(boot)
        self._of_clock[clock] = max(at_ns, self._of_clock.get(clock, at_ns))
