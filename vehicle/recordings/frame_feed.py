"""Pictures on their way from the pilot to the black box and the console: JPEG datagrams that never block the pilot.

The pilot's end works beside the policy, on a thread of its own and behind it in priority. What finds no room is
dropped and counted; the count travels in the next datagram, so that a recording says what it lacks. For a recording the
policy's own small picture goes along without loss: JPEG changes a grey level here and there, and an answer
that lies between two actions with it, but a recording shall be able to prove what was answered to what was seen.
"""

import contextlib
import os
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from vehicle.frames.latest_frame import LatestFrame
from vehicle.frames.preprocess import HEIGHT, WIDTH, ProfileName, preprocessor
from vehicle.hardware.interfaces import Frame, Pixels

_HEAD = struct.Struct(">qqII")  # at_ns, seq, dropped so far, bytes of the JPEG; what follows it is the PNG
_MOST_BYTES = 150_000  # below what one datagram may hold with the kernel's defaults
_WIDEST_PX = 640
_JPEG_QUALITY = 90
_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY)
_JPEG_BEGINS = b"\xff\xd8"
_LOOK_S = 0.2
_IDLE_EVERY_NS = 200_000_000  # while the car is not armed, the console's view is enough
_NICE = 5
_TAIL_NS = 1_000_000_000  # the second after a stop explains it
_BEFORE = 8  # the last frames before arming: the first wishes of a drive were made of them


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame as it is kept: JPEG, the capture stamp, the frame's number, and how many the feed dropped so far.

    `seen` is what the policy saw of it, 160 x 120 grey, exact: a PNG; empty if nobody records.
    """

    jpeg: bytes
    at_ns: int
    seq: int
    dropped: int = 0
    seen: bytes = b""


def pack_picture(picture: Picture) -> bytes:
    """The picture as a datagram."""
    head = _HEAD.pack(picture.at_ns, picture.seq, picture.dropped, len(picture.jpeg))
    return head + picture.jpeg + picture.seen


def unpack_picture(datagram: bytes) -> Picture | None:
    """The picture of a datagram; None if it is none of ours."""
    if len(datagram) <= _HEAD.size or not datagram[_HEAD.size :].startswith(_JPEG_BEGINS):
        return None
    at_ns, seq, dropped, size = _HEAD.unpack_from(datagram)
    end = _HEAD.size + size
    if size < len(_JPEG_BEGINS) or end > len(datagram):
        return None
    return Picture(datagram[_HEAD.size : end], at_ns, seq, dropped, datagram[end:])


def jpeg_of(pixels: Pixels) -> bytes:
    """The picture as JPEG; one wider than 640 px is made smaller, the policy sees 160."""
    if pixels.shape[1] > _WIDEST_PX:
        height_px = max(1, round(pixels.shape[0] * _WIDEST_PX / pixels.shape[1]))
        pixels = cv2.resize(pixels, (_WIDEST_PX, height_px), interpolation=cv2.INTER_AREA).astype("uint8", copy=False)
    _, jpeg = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY))
    return bytes(jpeg)


def png_of(small: Pixels) -> bytes:
    """The policy's picture without loss."""
    return bytes(cv2.imencode(".png", small, _PNG)[1])


class FrameFeed:
    """The pilot's end. `armed` decides between every frame and a few a second.

    `shrink` is how the policy sees; None if no recording is wanted.
    """

    def __init__(self, end: socket.socket, shrink: ProfileName | None = None) -> None:
        end.setblocking(False)
        self._end = end
        self._shrink = preprocessor(shrink) if shrink is not None else None
        self._small: Pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
        self._due_ns = self._tail_until_ns = 0
        self._before: deque[Frame] = deque(maxlen=_BEFORE)
        self.armed = False
        self.dropped = 0

    def run(self, mailbox: LatestFrame) -> None:
        """Until the mailbox is closed."""
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)  # this thread alone
        number = 0
        while not mailbox.closed:
            if (found := mailbox.wait_for_processed(number, _LOOK_S)) is not None:
                frame, newest = found
                if number:
                    self.dropped += max(0, newest - number - 1)  # the mailbox went on while this thread waited its turn
                number = newest
                self.offer(frame)

    def offer(self, frame: Frame) -> None:
        """Send the frame if it is wanted now and there is room."""
        if self.armed:
            self._tail_until_ns = frame.at_ns + _TAIL_NS
        wanted = frame.at_ns < self._tail_until_ns
        if not wanted and frame.at_ns < self._due_ns:
            self._before.append(frame)
            return
        while wanted and self._before:
            self._send(self._before.popleft())
        self._due_ns = frame.at_ns + _IDLE_EVERY_NS
        self._send(frame)

    def _send(self, frame: Frame) -> None:
        jpeg, seen = jpeg_of(frame.pixels), b""
        if self._shrink is not None:
            self._shrink(frame.pixels, self._small)
            seen = png_of(self._small)
        try:
            if len(jpeg) + len(seen) > _MOST_BYTES:
                self.dropped += 1
            else:
                self._end.send(pack_picture(Picture(jpeg, frame.at_ns, frame.seq, self.dropped, seen)))
        except OSError:
            self.dropped += 1  # full, or nobody listens: control does not wait for its witness


def feed_of(number: int | None, shrink: ProfileName | None) -> FrameFeed | None:
    """The pilot's end on a descriptor that the guard handed down, if it did."""
    return FrameFeed(socket.socket(fileno=number), shrink) if number is not None else None


class FramePump:
    """Comms' end: every picture to those who want it, on a thread of its own."""

    def __init__(self, end: socket.socket, hear: tuple[Callable[[Picture], None], ...]) -> None:
        end.setblocking(True)
        end.settimeout(_LOOK_S)
        self._end = end
        self._hear = hear
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="frames", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Idempotent."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(1.0)
        self._end.close()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                datagram = self._end.recv(_HEAD.size + _MOST_BYTES)
            except TimeoutError:
                continue
            except OSError:
                return
            if (picture := unpack_picture(datagram)) is not None:
                for hear in self._hear:
                    hear(picture)
