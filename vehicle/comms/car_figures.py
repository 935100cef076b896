"""What the comms process has seen of the car, counted for `/metrics`: mode, loop, frames, lease, battery.

Comms passes it each message of the guard; the server of the figures reads it on a thread of its own.
"""

import pathlib
from collections.abc import Callable, Iterator
from typing import get_args

from prometheus_client.metrics_core import Metric

from shared.link.interface import LinkState
from shared.metrics import families
from shared.metrics.latencies import Latencies
from shared.protocol.messages import CarMode, CarState
from shared.refusals import Refusals
from vehicle.core.messages import LoopTelemetry
from vehicle.process.channel import IpcMessage

_NOTHING = LoopTelemetry(0, 0, 0, 0, (), (), 0.0, 0.0)


class CarFigures:
    """`battery`: the charge in per cent, None if it is unknown; `lease_age_s`: of the newest lease, None before any."""

    def __init__(self, battery: Callable[[], int | None], lease_age_s: Callable[[], float | None]) -> None:
        self._battery, self._lease_age_s = battery, lease_age_s
        self._mode: CarMode = "disarmed"
        self._loop = _NOTHING
        self._frame_ages = Latencies()
        self._policy = Latencies()

    def on_guard_message(self, message: IpcMessage) -> None:
        """Keep what is told at the next scrape; on the thread of comms."""
        match message:
            case CarState():
                self._mode = message.mode
            case LoopTelemetry():
                self._loop = message
                for age_us in message.frame_ages_us:
                    self._frame_ages.observe(age_us / 1e6)
                for policy_us in message.policy_us:
                    self._policy.observe(policy_us / 1e6)

    def metrics(self) -> Iterator[Metric]:
        """All but what every machine reports."""
        modes = {mode: float(mode == self._mode) for mode in get_args(CarMode)}
        yield families.gauges("raceday_car_mode", "1 for the mode that the guard is in.", "mode", modes)
        yield families.counter("raceday_car_late_ticks", "Ticks of the guard that came late.", self._loop.late_ticks)
        yield families.counter("raceday_car_frames", "Frames of the camera.", self._loop.frames)
        what = "Frames for which there was no time."
        yield families.counter("raceday_car_frames_dropped", what, self._loop.dropped)
        what = "Frames that showed nothing new."
        yield families.counter("raceday_car_frames_repeated", what, self._loop.repeated)
        what = "From the capture of a frame to the pulse that follows from it."
        yield families.histogram("raceday_car_frame_age_seconds", what, self._frame_ages.counts())
        yield families.histogram("raceday_car_policy_seconds", "The model's answer.", self._policy.counts())
        if (age_s := self._lease_age_s()) is not None:
            yield families.gauge("raceday_car_lease_age_seconds", "Since the station's newest lease.", age_s)
        if (percent := self._battery()) is not None:
            yield families.gauge("raceday_car_battery_ratio", "Charge of the battery, 0 to 1.", percent / 100)


def gather(
    figures: CarFigures,
    link: Callable[[], LinkState],
    refusals: Refusals,
    folder: pathlib.Path,
    connections: Callable[[], int],
) -> Callable[[], Iterator[Metric]]:
    """What the car reports at each scrape. `folder`: on the disk of its data."""

    def gathered() -> Iterator[Metric]:
        yield families.build_info("car")
        yield from figures.metrics()
        yield from families.mqtt(link())
        yield from families.common(refusals, folder, connections())

    return gathered
