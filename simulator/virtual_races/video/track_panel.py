"""The track from above with what was driven of it until a frame: the panel beside the car's view.

Its colours are those of the replay's page in the dark; figures and units alone, so that it has no language.
"""

import itertools

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.traces.clock import RaceClock
from shared.traces.laps import FAULTS, TracedLap, frame_at_or_after, traced_laps
from shared.traces.trace import FRAME_RATE_HZ, DriveTrace, frame_ns
from shared.tracks.outline import Point, TrackOutline

SIZE = (240, 300)  # width, height
Picture = NDArray[np.uint8]
_TEXT_ROWS = 72  # at the top
_MARGIN = 12
_FAULT_FRAMES = FRAME_RATE_HZ * 3 // 2  # so long the penalty is shown
_SHIFT = 4  # bits behind the point: OpenCV draws lines between whole pixels otherwise
_GROUND, _ROAD, _EDGE = (20, 13, 9), (43, 33, 26), (120, 110, 100)
_SOFT, _TEXT, _RED, _BOT = (178, 170, 160), (252, 246, 240), (90, 90, 240), (80, 200, 250)
# Steps of speed, slow to fast, as on the page.
_SPEEDS = ((90, 90, 250), (80, 200, 250), (150, 220, 60), (245, 200, 70), (250, 140, 200))


class TrackPanel:
    """Draws the panel of one trace, frame by frame in their order."""

    def __init__(self, trace: DriveTrace, outline: TrackOutline) -> None:
        self._trace, self._laps, self._clock = trace, traced_laps(trace), RaceClock(trace)
        self._scale, self._left_m, self._top_m = _fit(outline)
        self._spots = [self._spot(x, y) for x, y in _points(trace.frames.x_tenths_mm, trace.frames.y_tenths_mm)]
        self._jumps = {frame_at_or_after(e.at_ns) + 1 for e in trace.events if e.kind == "put_back"}
        steps = zip(self._spots, self._spots[1:], strict=False)
        self._speeds = [0.0, *(float(np.hypot(b[0] - a[0], b[1] - a[1])) for a, b in steps)]
        for jump in self._jumps & set(range(len(self._speeds))):
            self._speeds[jump] = 0.0
        self._top = max(self._speeds) or 1.0
        self._faults = [e for e in trace.events if e.kind in FAULTS]
        self._drawn = self._road(outline)

    def picture(self, frame: int) -> Picture:
        """The panel (height, width, BGR) at this frame."""
        if frame and frame not in self._jumps:
            colour = _SPEEDS[min(len(_SPEEDS) - 1, int(self._speeds[frame] / self._top * len(_SPEEDS)))]
            self._line(self._drawn, [self._spots[frame - 1], self._spots[frame]], colour, 2)
        shown = self._drawn.copy()
        for other in self._trace.others:
            spot = self._spot(other.x_tenths_mm[frame] / 10_000, other.y_tenths_mm[frame] / 10_000)
            cv2.circle(shown, spot, 5 << _SHIFT, _BOT, -1, cv2.LINE_AA, _SHIFT)
        cv2.circle(shown, self._spots[frame], 6 << _SHIFT, _TEXT, -1, cv2.LINE_AA, _SHIFT)
        self._write(shown, frame)
        return shown

    def _write(self, shown: Picture, frame: int) -> None:
        at_ns = frame_ns(frame)
        lap = next((each for each in self._laps if each.first <= frame <= each.last), None)
        seconds = f"{self._clock.ns(at_ns) / 1e9:.1f} s"
        cv2.putText(shown, seconds, (_MARGIN, 34), cv2.FONT_HERSHEY_SIMPLEX, 0.8, _TEXT, 2, cv2.LINE_AA)
        speed = self._speeds[frame] / self._scale / (1 << _SHIFT) * FRAME_RATE_HZ
        words = f"{_lap_words(lap)}   {speed:.2f} m/s"
        cv2.putText(shown, words, (_MARGIN, 58), cv2.FONT_HERSHEY_SIMPLEX, 0.5, _SOFT, 1, cv2.LINE_AA)
        for fault in self._faults:
            since = frame - frame_at_or_after(fault.at_ns)
            if fault.value_ns and 0 <= since < _FAULT_FRAMES:
                words = f"+{fault.value_ns / 1e9:g} s"
                cv2.putText(shown, words, (150, 34), cv2.FONT_HERSHEY_SIMPLEX, 0.7, _RED, 2, cv2.LINE_AA)

    def _road(self, outline: TrackOutline) -> Picture:
        drawn = np.full((SIZE[1], SIZE[0], 3), _GROUND, np.uint8)
        edges = [
            np.array([self._spot(*point) for point in edge], np.int32)
            for edge in (outline.outer, outline.inner)
            if edge
        ]
        if edges:
            cv2.fillPoly(drawn, edges, _ROAD, cv2.LINE_AA, _SHIFT)
            cv2.polylines(drawn, edges, True, _EDGE, 1, cv2.LINE_AA, _SHIFT)
            self._line(drawn, [self._spot(*outline.inner[0]), self._spot(*outline.outer[0])], _TEXT, 2)
        else:
            self._line(drawn, [self._spot(*point) for point in (*outline.centre, outline.centre[0])], _EDGE, 1)
        for box in self._trace.boxes:
            spot = (box.x_tenths_mm / 10_000, box.y_tenths_mm / 10_000)
            size = (box.length_mm / 1000 * self._scale, box.width_mm / 1000 * self._scale)
            x, y = (value / (1 << _SHIFT) for value in self._spot(*spot))
            corners = cv2.boxPoints(((x, y), size, -box.yaw_mdeg / 1000))
            cv2.fillPoly(drawn, [(corners * (1 << _SHIFT)).astype(np.int32)], _SOFT, cv2.LINE_AA, _SHIFT)
        for fault in self._faults:
            frame = min(frame_at_or_after(fault.at_ns), len(self._spots) - 1)
            cv2.drawMarker(drawn, _whole(self._spots[frame]), _RED, cv2.MARKER_TILTED_CROSS, 9, 2, cv2.LINE_AA)
        return drawn

    def _line(self, drawn: Picture, spots: list[tuple[int, int]], colour: tuple[int, int, int], width: int) -> None:
        for begin, end in itertools.pairwise(spots):
            cv2.line(drawn, begin, end, colour, width, cv2.LINE_AA, _SHIFT)

    def _spot(self, x: float, y: float) -> tuple[int, int]:
        """A place in metres in sixteenths of a pixel."""
        column, row = (x - self._left_m) * self._scale, (self._top_m - y) * self._scale + _TEXT_ROWS
        return round(column * (1 << _SHIFT)), round(row * (1 << _SHIFT))


def _fit(outline: TrackOutline) -> tuple[float, float, float]:
    """Pixels a metre, and the metres at the left and at the top, so that the track fills the panel."""
    points = np.array([*outline.centre, *outline.inner, *outline.outer])
    (left, bottom), (right, top) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    wide, high = SIZE[0] - 2 * _MARGIN, SIZE[1] - _TEXT_ROWS - _MARGIN
    scale = min(wide / (right - left), high / (top - bottom))
    free_m, free_up_m = SIZE[0] / scale - (right - left), high / scale - (top - bottom)
    return scale, left - free_m / 2, top + free_up_m / 2


def _points(x_tenths_mm: tuple[int, ...], y_tenths_mm: tuple[int, ...]) -> list[Point]:
    return [(x / 10_000, y / 10_000) for x, y in zip(x_tenths_mm, y_tenths_mm, strict=True)]


def _whole(spot: tuple[int, int]) -> tuple[int, int]:
    return spot[0] >> _SHIFT, spot[1] >> _SHIFT


def _lap_words(lap: TracedLap | None) -> str:
    return "L-" if lap is None else f"L{lap.number}"
