"""Words between the car's processes: one datagram each, over Unix socket pairs that never block.

A datagram is the word's name and its JSON; a wish, which is on the way from lens to wheels, is a row of numbers. What
does not decode is counted and dropped, as if it was never said.
"""

import contextlib
import math
import socket
import struct
from typing import Any

from pydantic import TypeAdapter, ValidationError

from shared.protocol.messages import CarHeartbeat, CarLap, CarState, DriveOrder, Lease
from vehicle.core.messages import (
    CameraAbsent,
    CommsReady,
    Fault,
    Figures,
    ModeNotice,
    PilotChange,
    PilotReady,
    Seen,
    ThrottleShare,
    Trace,
    Tune,
    Tuning,
    Unusable,
    Wish,
)

Word = (
    Wish | Seen | PilotReady | Fault | CommsReady | ModeNotice | Figures
    | CarHeartbeat | CarState | CarLap | Lease | DriveOrder | Trace | ThrottleShare | PilotChange | Tune | Tuning
    | Unusable | CameraAbsent
)  # fmt: skip
_WORDS: tuple[type[Any], ...] = (
    Wish, Seen, PilotReady, Fault, CommsReady, ModeNotice, Figures, CarHeartbeat, CarState, CarLap, Lease, DriveOrder,
    Trace, ThrottleShare, PilotChange, Tune, Tuning, Unusable, CameraAbsent,
)  # fmt: skip
_ADAPTERS: dict[str, TypeAdapter[Any]] = {word.__name__: TypeAdapter(word) for word in _WORDS}
_WISH = struct.Struct(">5sqqddqqq")
_WISH_MARK = b"wish="
_MOST_BYTES = 32_768
_MOST_AT_ONCE = 512  # a flood from a broken peer may not hold up the tick


def pack(word: Word) -> bytes:
    """The word as a datagram."""
    if type(word) is Wish:
        stamps, shares = (word.frame_seq, word.frame_at_ns), (word.steering, word.throttle)
        return _WISH.pack(_WISH_MARK, *stamps, *shares, word.policy_us, word.shrink_us, word.capture_us)
    name = type(word).__name__
    return name.encode() + b" " + _ADAPTERS[name].dump_json(word)


def unpack(datagram: bytes) -> Word | None:
    """The word of a datagram; None if it is none of ours."""
    if datagram.startswith(_WISH_MARK):
        return _wish(datagram)
    name, _, text = datagram.partition(b" ")
    adapter = _ADAPTERS.get(name.decode(errors="replace"))
    if adapter is None:
        return None
    try:
        word: Word = adapter.validate_json(text, strict=True)
    except ValidationError:
        return None
    return word


def _wish(datagram: bytes) -> Wish | None:
    if len(datagram) != _WISH.size:
        return None
    _, seq, at_ns, steering, throttle, policy_us, shrink_us, capture_us = _WISH.unpack(datagram)
    if not (math.isfinite(steering) and math.isfinite(throttle)):
        return None
    return Wish(seq, at_ns, steering, throttle, policy_us, shrink_us, capture_us)


class Channel:
    """One end of a pair. `closed` turns true when the other side is gone."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._socket = end
        self.closed = False
        self.malformed = 0
        self.dropped = 0

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, word: Word) -> bool:
        """Say it if there is room; False if it was dropped or nobody listens."""
        try:
            self._socket.send(pack(word))
        except BlockingIOError:
            self.dropped += 1
            return False
        except OSError:
            self.closed = True
            return False
        return True

    def receive(self) -> list[Word]:
        """All that waits, oldest first."""
        words: list[Word] = []
        for _ in range(_MOST_AT_ONCE):
            try:
                datagram = self._socket.recv(_MOST_BYTES)
            except BlockingIOError:
                break
            except OSError:
                self.closed = True
                break
            if not datagram:
                self.closed = True
                break
            word = unpack(datagram)
            if word is None:
                self.malformed += 1
            else:
                words.append(word)
        return words

    def close(self) -> None:
        """Idempotent."""
        self.closed = True
        with contextlib.suppress(OSError):
            self._socket.close()


def pair() -> tuple[socket.socket, socket.socket]:
    """Two connected ends; a datagram keeps its borders and a death is seen by the other side."""
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    one.setblocking(False)
    other.setblocking(False)
    return one, other


def from_fd(number: int) -> Channel:
    """The end that a parent handed down."""
    return Channel(socket.socket(fileno=number))
