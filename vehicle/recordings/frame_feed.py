"""Sends frames from the pilot to the recorder and the console: JPEG datagrams that never block the pilot.

The pilot's end runs on a thread of its own, with a lower priority than the policy. A datagram that does not fit is
dropped and counted; the count travels in the next datagram, so that a recording shows what is missing. For recordings
the policy's own small picture is sent as well, losslessly: JPEG changes some grey levels, which can change an answer
that lies between two actions, but a recording has to show exactly what the policy answered to its input.
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
from vehicle.frames.preprocess import HEIGHT, WIDTH, preprocessor
from vehicle.frames.profile_names import ProfileName
from vehicle.hardware.frame import Frame, Pixels

_HEAD = struct.Struct(">qqII")  # at_ns, seq, dropped so far, bytes of the JPEG; then come the JPEG and the PNG
_MAX_BYTES = 150_000  # fits into one datagram with the kernel's default buffers
_WIDEST_PX = 640
_JPEG_QUALITY = 90
_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY)
_JPEG_BEGINS = b"\xff\xd8"
_POLL_S = 0.2
_IDLE_EVERY_NS = 200_000_000  # enough for the console while the car is not armed
_NICE = 5
_TAIL_NS = 1_000_000_000  # the second after a stop shows its cause
_BEFORE = 8  # frames before arming: the first setpoints of a drive come from them


@dataclass(frozen=True, slots=True)
class RecordedFrame:
    """One recorded frame: JPEG, capture time, frame number, and the number of frames that the feed has dropped so far.

    `policy_input` is what the policy saw of it, 160 x 120 grey, as a lossless PNG; empty if nothing is recorded.
    """

    jpeg: bytes
    at_ns: int
    seq: int
    dropped: int = 0
    policy_input: bytes = b""


def pack_frame(picture: RecordedFrame) -> bytes:
    """The frame as a datagram: header, JPEG, PNG of the policy input."""
    head = _HEAD.pack(picture.at_ns, picture.seq, picture.dropped, len(picture.jpeg))
    return head + picture.jpeg + picture.policy_input


def unpack_frame(datagram: bytes) -> RecordedFrame | None:
    """The frame in a datagram; None if the datagram is not one of `pack_frame`."""
    if len(datagram) <= _HEAD.size or not datagram[_HEAD.size :].startswith(_JPEG_BEGINS):
        return None
    at_ns, seq, dropped, size = _HEAD.unpack_from(datagram)
    end = _HEAD.size + size
    if size < len(_JPEG_BEGINS) or end > len(datagram):
        return None
    return RecordedFrame(datagram[_HEAD.size : end], at_ns, seq, dropped, datagram[end:])


def jpeg_of(pixels: Pixels) -> bytes:
    """The picture as JPEG, scaled down if it is wider than 640 px."""
    if pixels.shape[1] > _WIDEST_PX:
        height_px = max(1, round(pixels.shape[0] * _WIDEST_PX / pixels.shape[1]))
        pixels = cv2.resize(pixels, (_WIDEST_PX, height_px), interpolation=cv2.INTER_AREA).astype("uint8", copy=False)
    _, jpeg = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY))
    return bytes(jpeg)


def png_of(small: Pixels) -> bytes:
    """The policy input as a lossless PNG."""
    return bytes(cv2.imencode(".png", small, _PNG)[1])


class FrameFeed:
    """The pilot's end. While `armed`, every frame is sent, otherwise a few per second.

    `shrink` is the profile of the policy; None if nothing is recorded.
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

    def run(self, latest: LatestFrame) -> None:
        """Sends frames until `latest` is closed; called on a thread of its own."""
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, _NICE)  # of this thread only
        number = 0
        while not latest.closed:
            if (newer := latest.wait_for_processed(number, _POLL_S)) is not None:
                frame, newest = newer
                if number:
                    # Newer frames came while this thread waited for its turn.
                    self.dropped += max(0, newest - number - 1)
                number = newest
                self.offer(frame)

    def offer(self, frame: Frame) -> None:
        """Sends the frame if it is due now; a full socket drops it."""
        if self.armed:
            self._tail_until_ns = frame.at_ns + _TAIL_NS
        sends_every_frame = frame.at_ns < self._tail_until_ns
        if not sends_every_frame and frame.at_ns < self._due_ns:
            self._before.append(frame)
            return
        while sends_every_frame and self._before:
            self._send(self._before.popleft())
        self._due_ns = frame.at_ns + _IDLE_EVERY_NS
        self._send(frame)

    def _send(self, frame: Frame) -> None:
        jpeg, png = jpeg_of(frame.pixels), b""
        if self._shrink is not None:
            self._shrink(frame.pixels, self._small)
            png = png_of(self._small)
        try:
            if len(jpeg) + len(png) > _MAX_BYTES:
                self.dropped += 1
            else:
                self._end.send(pack_frame(RecordedFrame(jpeg, frame.at_ns, frame.seq, self.dropped, png)))
        except OSError:
            self.dropped += 1  # the buffer is full, or no reader is there: control never waits for the recording


def feed_of(number: int | None, shrink: ProfileName | None) -> FrameFeed | None:
    """The pilot's end on the inherited descriptor `number`; None if there is none."""
    return FrameFeed(socket.socket(fileno=number), shrink) if number is not None else None


class FramePump:
    """Comms' end: passes every frame to the subscribers, on a thread of its own."""

    def __init__(self, end: socket.socket, subscribers: tuple[Callable[[RecordedFrame], None], ...]) -> None:
        end.setblocking(True)
        end.settimeout(_POLL_S)
        self._end = end
        self._subscribers = subscribers
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="frames", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Ends the thread and closes the socket; may be called more than once."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(1.0)
        self._end.close()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                datagram = self._end.recv(_HEAD.size + _MAX_BYTES)
            except TimeoutError:
                continue
            except OSError:
                return
            if (picture := unpack_frame(datagram)) is not None:
                for receive in self._subscribers:
                    receive(picture)
