"""Messages between the car's processes: one datagram each, over Unix socket pairs that never block.

A datagram is the name of the message's class and its JSON; a setpoint, which is time-critical, is packed as binary
numbers. A datagram that cannot be decoded is counted and dropped.
"""

import contextlib
import math
import socket
import struct
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from shared.protocol.messages import CarHeartbeat, CarLap, CarState, DriveOrder, Lease
from vehicle.core.messages import (
    CalibrationCommand,
    CalibrationStatus,
    CameraAbsent,
    CommsReady,
    ControlTrace,
    FrameCounts,
    LoopTelemetry,
    ModeNotice,
    PilotFault,
    PilotReady,
    ReloadModel,
    Setpoint,
    ThrottleLimit,
    UnusableFrame,
)

IpcMessage = (
    # pilot to guard
    Setpoint | FrameCounts | PilotReady | PilotFault | UnusableFrame | CameraAbsent
    # comms to guard
    | CommsReady | Lease | DriveOrder | ThrottleLimit | ReloadModel | CalibrationCommand
    # guard to pilot, pilot to comms, guard to comms
    | ModeNotice | CarLap | CarHeartbeat | CarState | LoopTelemetry | ControlTrace | CalibrationStatus
)  # fmt: skip
_ADAPTERS: dict[str, TypeAdapter[Any]] = {message.__name__: TypeAdapter(message) for message in get_args(IpcMessage)}
_SETPOINT = struct.Struct(">5sqqddqqq")
_SETPOINT_MARK = b"setp="
_MAX_BYTES = 32_768
_MAX_PER_RECEIVE = 512  # so that a flood from a broken peer cannot delay the tick


def pack(message: IpcMessage) -> bytes:
    """The message as a datagram."""
    if type(message) is Setpoint:
        stamps, shares = (message.frame_seq, message.frame_at_ns), (message.steering, message.throttle)
        return _SETPOINT.pack(
            _SETPOINT_MARK, *stamps, *shares, message.policy_us, message.preprocess_us, message.capture_us
        )
    name = type(message).__name__
    return name.encode() + b" " + _ADAPTERS[name].dump_json(message)


def unpack(datagram: bytes) -> IpcMessage | None:
    """The message in a datagram; None if it cannot be decoded."""
    if datagram.startswith(_SETPOINT_MARK):
        return _unpack_setpoint(datagram)
    name, _, text = datagram.partition(b" ")
    adapter = _ADAPTERS.get(name.decode(errors="replace"))
    if adapter is None:
        return None
    try:
        message: IpcMessage = adapter.validate_json(text, strict=True)
    except ValidationError:
        return None
    return message


def _unpack_setpoint(datagram: bytes) -> Setpoint | None:
    if len(datagram) != _SETPOINT.size:
        return None
    _, seq, at_ns, steering, throttle, policy_us, preprocess_us, capture_us = _SETPOINT.unpack(datagram)
    if not (math.isfinite(steering) and math.isfinite(throttle)):
        return None
    return Setpoint(seq, at_ns, steering, throttle, policy_us, preprocess_us, capture_us)


class Channel:
    """One end of a socket pair. `closed` becomes True when the other end is closed."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._socket = end
        self.closed = False
        self.malformed = 0
        self.dropped = 0

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, message: IpcMessage) -> bool:
        """Send the message if the buffer has room; False if it was dropped or the other end is closed."""
        try:
            self._socket.send(pack(message))
        except BlockingIOError:
            self.dropped += 1
            return False
        except OSError:
            self.closed = True
            return False
        return True

    def receive(self) -> list[IpcMessage]:
        """All waiting messages, oldest first, at most 512."""
        messages: list[IpcMessage] = []
        for _ in range(_MAX_PER_RECEIVE):
            try:
                datagram = self._socket.recv(_MAX_BYTES)
            except BlockingIOError:
                break
            except OSError:
                self.closed = True
                break
            if not datagram:
                self.closed = True
                break
            message = unpack(datagram)
            if message is None:
                self.malformed += 1
            else:
                messages.append(message)
        return messages

    def close(self) -> None:
        """Close this end; idempotent."""
        self.closed = True
        with contextlib.suppress(OSError):
            self._socket.close()


def socket_pair() -> tuple[socket.socket, socket.socket]:
    """Two connected ends (SOCK_SEQPACKET): datagrams stay whole, and each end notices that the other is closed."""
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    one.setblocking(False)
    other.setblocking(False)
    return one, other


def channel_from_fd(number: int) -> Channel:
    """The channel on a file descriptor that the parent process passed on."""
    return Channel(socket.socket(fileno=number))
