"""`raceday gate play FILE`: sends a recording again at its own pace, to a reader on TCP or on a pseudo-terminal.

This way a gate can be tested without its decoder: set `url = "socket://127.0.0.1:PORT"`, or the pseudo-terminal's path.
"""

import argparse
import os
import pathlib
import socket
import sys
import time
import tty
from collections.abc import Callable, Iterable

from shared.errors import OperatorError
from station.commands.gate.recording_file import Piece, pieces

LAST_PORT = 65_535


def main(arguments: list[str]) -> int:
    """The command; returns 0 at the end of the recording. Raises BadInput, OperatorError."""
    parser = argparse.ArgumentParser(prog="raceday gate play", description="Sends a recording again.")
    parser.add_argument("file", type=pathlib.Path, metavar="FILE", help="made by `raceday gate record`")
    parser.add_argument("--port", type=int, default=0, help="the TCP port on this machine; 0: any free one")
    parser.add_argument("--pty", action="store_true", help="use a pseudo-terminal instead of TCP")
    parser.add_argument("--speed", type=float, default=1.0, help="2: twice as fast; 0: at once")
    options = parser.parse_args(arguments)
    next(iter(pieces(options.file)), None)  # a damaged file is reported before anything waits for it
    (_on_pty if options.pty else _on_tcp)(pieces(options.file), options.port, options.speed)
    return 0


def play(recording: Iterable[Piece], send: Callable[[bytes], object], speed: float) -> int:
    """Sends each piece at its time (`speed` 2: twice as fast; 0: at once); returns how many bytes were sent."""
    began_ns, first_ns, sent = time.monotonic_ns(), None, 0
    for piece in recording:
        first_ns = piece.at_ns if first_ns is None else first_ns
        due_ns = began_ns + round((piece.at_ns - first_ns) / speed) if speed > 0 else 0
        time.sleep(max(0, due_ns - time.monotonic_ns()) / 1e9)
        send(piece.data)
        sent += len(piece.data)
    return sent


def _on_tcp(recording: Iterable[Piece], port: int, speed: float) -> None:
    if not 0 <= port <= LAST_PORT:
        raise OperatorError(f"port {port}: there is no such port; choose one from 0 to {LAST_PORT}.")
    try:
        listening = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        why = (error.strerror or "").partition(" (")[0]
        raise OperatorError(f"port {port}: cannot be opened ({why}); choose another one.") from None
    with listening:
        sys.stdout.write(f"socket://127.0.0.1:{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        peer, _ = listening.accept()
        with peer:
            try:
                sys.stderr.write(f"{play(recording, peer.sendall, speed)} bytes sent\n")
                peer.shutdown(socket.SHUT_WR)
                while peer.recv(4096):
                    pass
            except ConnectionError:
                sys.stderr.write("the reader has hung up\n")


def _on_pty(recording: Iterable[Piece], _port: int, speed: float) -> None:
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    sys.stdout.write(f"{os.ttyname(theirs)}\npress Enter when the reader is connected\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sent = play(recording, lambda data: _write_all(ours, data), speed)
    sys.stderr.write(f"{sent} bytes sent\n")


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
