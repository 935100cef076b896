"""A camera driver that plays a video file, such as a recorded drive, at its own rate."""

import pathlib
import threading
from dataclasses import dataclass
from typing import Any, cast

import cv2

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import BadInput
from shared.units import NS_PER_S
from vehicle.hardware.cameras.flip import FLIPS, flip_setting
from vehicle.hardware.frame import Frame, Pixels
from vehicle.process.landlock import FileGrant


@dataclass(frozen=True, slots=True)
class VideoCameraOptions:
    """`[camera.options]` of video."""

    file: pathlib.Path = setting(what="a video that OpenCV can read")
    rate_hz: float = setting(0.0, min=0.0, max=240.0, what="frames a second of the clock; 0: the file's own")
    loop: bool = setting(True, what="begin again after the last picture; false: no more frames come")
    flip: str = flip_setting()


class VideoCamera:
    """Grey pictures one by one; those that a late reader missed are skipped, as with any camera."""

    def __init__(self, options: dict[str, Any], clock: Clock) -> None:
        self._options = from_table(options, VideoCameraOptions, "[camera.options]")
        self._clock = clock
        self._video = cv2.VideoCapture(str(self._options.file))
        if not self._options.file.is_file() or not self._video.isOpened():
            raise BadInput(f"{self._options.file} is not a video that can be read.")
        rate_hz = self._options.rate_hz or self._video.get(cv2.CAP_PROP_FPS)
        if not 0.5 <= rate_hz <= 240.0:
            raise BadInput(
                f"{self._options.file} states {rate_hz:g} frames a second, which is out of range; set `rate_hz`."
            )
        self._rate_hz = float(rate_hz)
        self._start_ns = clock.now_ns()
        self._given = 0
        self._over = False
        self._closed = threading.Event()

    @staticmethod
    def grants(options: dict[str, Any]) -> list[FileGrant]:
        """The video."""
        return [FileGrant(from_table(options, VideoCameraOptions, "[camera.options]").file)]

    def read(self, timeout_s: float) -> Frame | None:
        """The newest picture not returned yet; None on timeout, and always after the last picture unless it loops."""
        due = max(self._newest_due(), self._given + 1)
        wait_s = (self._due_ns(due) - self._clock.now_ns()) / NS_PER_S / self._clock.rate
        if self._over or wait_s > timeout_s:
            self._closed.wait(timeout_s)
            return None
        if wait_s > 0 and self._closed.wait(wait_s):
            return None
        pixels = self._picture(due - self._given)
        self._given = due
        return None if pixels is None else Frame(pixels, self._due_ns(due), due)

    def close(self) -> None:
        self._closed.set()
        self._video.release()

    def _picture(self, ahead: int) -> Pixels | None:
        """The picture `ahead` frames on; None at the end of a video that does not loop."""
        for _ in range(ahead):
            if not self._video.grab() and not (self._options.loop and self._begin_again()):
                self._over = True
                return None
        ok, picture = self._video.retrieve()
        if not ok:
            raise BadInput(f"{self._options.file} holds a picture that cannot be read.")
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) if picture.ndim == 3 else picture
        return FLIPS[self._options.flip](cast(Pixels, grey))

    def _begin_again(self) -> bool:
        self._video.set(cv2.CAP_PROP_POS_FRAMES, 0)
        return bool(self._video.grab())

    def _newest_due(self) -> int:
        return int((self._clock.now_ns() - self._start_ns) * self._rate_hz // NS_PER_S)

    def _due_ns(self, number: int) -> int:
        return self._start_ns + round(number * NS_PER_S / self._rate_hz)
