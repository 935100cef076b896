"""The lap watcher: frames in, lap reports out, on a thread that never delays the policy."""

from collections.abc import Callable

import cv2
import numpy as np

from shared.protocol.messages import CarLap
from vehicle.frames.latest_frame import LatestFrame
from vehicle.hardware.frame import Frame, Pixels
from vehicle.lapwatch.line_estimator import NEAR_M, LineEstimator
from vehicle.lapwatch.marker_finder import MarkerFinder
from vehicle.lapwatch.markers import LapwatchOptions
from vehicle.lapwatch.stripe_finder import Optics, StripeFinder

STRIPE_BOARD_ID = -1  # the board id in a report by the stripe
STRIPE_NEAR_M = 0.55  # a stripe lost farther away was not passed: it stays visible up to the car's nose
_THUMB = (40, 30)
_WAIT_S = 0.2  # so that a policy that hangs does not stop the watcher
_STILL_LEVELS = 0.6  # mean grey levels between two thumbnails: a parked car's noise stays below


class LapWatcher:
    """Detects laps in frames that come in order; not thread-safe."""

    def __init__(self, options: LapwatchOptions, boot_id: str) -> None:
        self._boot_id = boot_id
        self._board_id = STRIPE_BOARD_ID if options.stripe.enabled else options.boards[0].id
        self._markers = None if options.stripe.enabled else MarkerFinder(options)
        self._stripe = StripeFinder(options.stripe, Optics(options.fov_rad, options.pitch_rad, options.lens))
        near_m = STRIPE_NEAR_M if options.stripe.enabled else NEAR_M
        self._estimator = LineEstimator(options.min_lap_s, options.camera_ahead_m, near_m)
        self._thumb: Pixels | None = None

    def process_frame(self, frame: Frame) -> CarLap | None:
        """A lap report if this frame shows that the line was passed, else None."""
        moved = self._moved(frame.pixels)
        if self._markers is not None:
            crossing = self._estimator.on_markers(frame.at_ns, self._markers.find(frame.pixels), moved=moved)
        else:
            crossing = self._estimator.on_line_distance(frame.at_ns, self._stripe.find(frame.pixels), moved=moved)
        if crossing is None:
            return None
        return CarLap(
            at_ns=crossing.at_ns,
            car_boot=self._boot_id,
            board_id=self._board_id,
            lap_ns=crossing.lap_ns,
            frames_seen=crossing.frames_seen,
            uncertainty_ns=crossing.uncertainty_ns,
            decided_at_ns=frame.at_ns,
        )

    def run(self, frames: LatestFrame, report: Callable[[CarLap], object]) -> None:
        """Process frames until the mailbox closes; each lap goes to `report`."""
        number = 0
        while not frames.closed:
            newest = frames.wait_for_processed(number, _WAIT_S)
            if newest is None:
                continue
            frame, number = newest
            if (lap := self.process_frame(frame)) is not None:
                report(lap)

    def _moved(self, pixels: Pixels) -> bool:
        thumb = np.asarray(cv2.resize(pixels, _THUMB, interpolation=cv2.INTER_AREA), np.uint8)
        last, self._thumb = self._thumb, thumb
        return last is None or float(cv2.absdiff(last, thumb).mean()) > _STILL_LEVELS
