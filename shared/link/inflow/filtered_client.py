"""A paho client that reads through a filter, in large pieces. Called by connection.py.

Paho has no place for one, and reads each packet in three or more small reads: at 20,000 packets a second it falls
behind, and whoever waits behind a flood is answered seconds late. So the one method through which it reads is replaced.
"""

import contextlib
import ssl
from typing import Any

from paho.mqtt.client import Client

from shared.link.inflow.publish_filter import PublishFilter

READ_BYTES = 65_536
MAX_READS = 400  # mosquitto writes each packet as a TLS record of its own, and TLS gives one record for each read


class FilteredClient(Client):
    """As paho's client."""

    def __init__(self, publish_filter: PublishFilter, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._filter = publish_filter
        self._admitted = b""
        self._taken = 0

    @property
    def has_unread(self) -> bool:
        """Does anything wait for another `loop_read` that no selector sees: packets read with others, bytes in TLS?"""
        sock = self.socket()
        is_pending = isinstance(sock, ssl.SSLSocket) and sock.fileno() >= 0 and sock.pending() > 0
        return self._is_taken_from() or is_pending

    @property
    def dropped_ids(self) -> list[int]:
        """The ids of dropped packets that the broker wants acknowledged; each is returned once."""
        ids, self._filter.dropped_ids = self._filter.dropped_ids, []
        return ids

    def _sock_recv(self, bufsize: int) -> bytes:
        """Paho's own place to read from the socket; b"" at its end. Raises BlockingIOError if there is nothing now."""
        if not self._is_taken_from():
            received = self._received()
            if not received:
                return received
            self._admitted, self._taken = self._filter.feed(received), 0
            if not self._admitted:
                raise BlockingIOError
        part = self._admitted[self._taken : self._taken + bufsize]
        self._taken += len(part)
        return part

    def _received(self) -> bytes:
        """All that is there now, up to a bound; as `_sock_recv` if there is nothing."""
        pieces = [super()._sock_recv(READ_BYTES)]
        size = len(pieces[0])
        with contextlib.suppress(OSError):  # nothing more now; whatever else it is, the next call meets it again
            while 0 < size < READ_BYTES and len(pieces) < MAX_READS:
                piece = super()._sock_recv(READ_BYTES)
                if not piece:
                    break
                pieces.append(piece)
                size += len(piece)
        return b"".join(pieces)

    def _is_taken_from(self) -> bool:
        return self._taken < len(self._admitted)
