"""A camera driver that plays the pictures of a folder in the order of their names."""

import pathlib
import threading
from dataclasses import dataclass
from typing import Any, cast

import cv2

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import BadInput
from shared.units import NS_PER_S
from vehicle.hardware.frame import Frame, Pixels
from vehicle.process.landlock import FileGrant

_KINDS = (".png", ".jpg", ".jpeg", ".bmp", ".pgm")


@dataclass(frozen=True, slots=True)
class FilesCameraOptions:
    """`[camera.options]` of the files camera."""

    folder: pathlib.Path = setting(what="the folder with the pictures")
    rate_hz: float = setting(15.0, min=0.5, max=240.0, what="frames a second of the clock")
    loop: bool = setting(True, what="begin again after the last picture; false: no more frames come")


class FilesCamera:
    """Grey pictures at a steady rate; a late reader misses some, as with any camera."""

    def __init__(self, options: dict[str, Any], clock: Clock) -> None:
        self._options = from_table(options, FilesCameraOptions, "[camera.options]")
        self._clock = clock
        self._pictures = _load(self._options.folder)
        self._start_ns = clock.now_ns()
        self._given = 0
        self._closed = threading.Event()

    @staticmethod
    def grants(options: dict[str, Any]) -> list[FileGrant]:
        """The folder of the pictures."""
        return [FileGrant(from_table(options, FilesCameraOptions, "[camera.options]").folder)]

    def read(self, timeout_s: float) -> Frame | None:
        """The newest picture not returned yet; None on timeout, and always after the last picture unless it loops."""
        due = max(self._newest_due(), self._given + 1)
        over = not self._options.loop and due > len(self._pictures)
        wait_s = (self._due_ns(due) - self._clock.now_ns()) / NS_PER_S / self._clock.rate
        if over or wait_s > timeout_s:
            self._closed.wait(timeout_s)
            return None
        if wait_s > 0 and self._closed.wait(wait_s):
            return None
        self._given = due
        return Frame(self._pictures[(due - 1) % len(self._pictures)], self._due_ns(due), due)

    def close(self) -> None:
        self._closed.set()

    def _newest_due(self) -> int:
        return int((self._clock.now_ns() - self._start_ns) * self._options.rate_hz // NS_PER_S)

    def _due_ns(self, number: int) -> int:
        return self._start_ns + round(number * NS_PER_S / self._options.rate_hz)


def _load(folder: pathlib.Path) -> list[Pixels]:
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in _KINDS)
    if not paths:
        raise BadInput(f"{folder}: there are no pictures ({', '.join(_KINDS)}) for the files camera.")
    return [_picture(path) for path in paths]


def _picture(path: pathlib.Path) -> Pixels:
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise BadInput(f"{path} is not a picture that can be read.")
    return cast(Pixels, pixels)
