"""A `start` on its way to a console: a stop keeps it from being sent, and the bridge's end breaks it off.

Made by console_caller.py, asked by console_session.py just before it sends.
"""

import socket
import struct
import threading

_AT_ONCE = struct.pack("ii", 1, 0)  # struct linger of socket(7)


class CancellableStart:
    """One start. Thread-safe; `ended` is set once its answer is there."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self._lock = threading.Lock()
        self._is_cancelled = False
        self._connection: socket.socket | None = None

    def cancel(self) -> None:
        """A stop was ordered: if it is not sent yet, it never is."""
        with self._lock:
            self._is_cancelled = True

    def may_be_sent(self, connection: socket.socket) -> bool:
        """Whether no stop was ordered; it then counts as sent, by this connection, which dies with the process."""
        with self._lock:
            if self._is_cancelled:
                return False
            drop_at_close(connection)
            self._connection = connection
            return True

    def break_off(self) -> None:
        """Cancel it; if it was sent, let the thread that waits for the answer fail at once and drop what is unsent."""
        with self._lock:
            self._is_cancelled = True
            if self._connection is not None and self._connection.fileno() >= 0:
                try:
                    # Not SSLSocket's own: that would take the session from under the thread that reads.
                    socket.socket.shutdown(self._connection, socket.SHUT_RD)
                except OSError:
                    return  # the peer has closed it already: there is nothing to break off


def drop_at_close(connection: socket.socket) -> None:
    """Close with a reset: the kernel then forgets what it could not send, which it would else repeat for minutes."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
