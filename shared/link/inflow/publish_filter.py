"""Takes single PUBLISH packets out of the bytes of an MQTT connection, before a client library sees them. Pure.

Called by filtered_client.py. Bytes come in pieces of any size; what is let through goes on byte by byte as it came, so
nothing is held but the beginning of a packet. What is not MQTT is let through whole: the library refuses it.
The packet's format: https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html sections 2.1 and 3.3.
"""

from collections.abc import Callable
from typing import NamedTuple

PUBLISH = 0x30
_MAX_LENGTH_BYTES = 4


class PacketStart(NamedTuple):
    """Where a packet ends, and of a PUBLISH its topic, and its id if the broker wants it acknowledged."""

    end: int
    topic: bytes | None = None
    acknowledged_id: int | None = None


class NotMqtt(ValueError):
    """The bytes cannot begin a packet of MQTT."""


class PublishFilter:
    """`admits(topic, size)` says whether a PUBLISH of `size` bytes after its fixed header goes on.

    `dropped_ids`: those dropped ones that the broker wants acknowledged, for the caller to acknowledge and clear.
    """

    def __init__(self, admits: Callable[[bytes, int], bool]) -> None:
        self._admits = admits
        self._begun = b""  # the beginning of a packet, too short to judge
        self._passing = 0  # bytes still to come of a packet that goes on
        self._dropping = 0  # bytes still to come of a packet that does not
        self._is_mqtt = True
        self.dropped_ids: list[int] = []

    def feed(self, received: bytes) -> bytes:
        """The bytes that go on, of those that were received."""
        if not self._is_mqtt:
            return received
        data, self._begun = self._begun + received, b""
        at = min(self._dropping, len(data))
        self._dropping -= at
        kept_from, kept = at, []
        at += (passed := min(self._passing, len(data) - at))
        self._passing -= passed
        while at < len(data):
            try:
                start = packet_start(data, at)
            except NotMqtt:
                self._is_mqtt, at = False, len(data)
                break
            if start is None:
                self._begun = data[at:]
                break
            if start.topic is None or self._admits(start.topic, start.end - at):
                at = start.end
                continue
            if start.acknowledged_id is not None:
                self.dropped_ids.append(start.acknowledged_id)
            kept.append(data[kept_from:at])
            at = kept_from = start.end
        kept.append(data[kept_from:at])
        if at > len(data):
            if kept_from == at:
                self._dropping = at - len(data)
            else:
                self._passing = at - len(data)
        return b"".join(kept)


def packet_start(data: bytes, at: int) -> PacketStart | None:
    """The packet that begins at `at`; None if more bytes are needed to judge it. Raises NotMqtt."""
    length, position = 0, at + 1
    for shift in range(0, 7 * _MAX_LENGTH_BYTES, 7):
        if position >= len(data):
            return None
        byte = data[position]
        position += 1
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
    else:
        raise NotMqtt("a length of more than four bytes")
    end = position + length
    if data[at] & 0xF0 != PUBLISH:
        return PacketStart(end)
    if length < 2:
        raise NotMqtt("a PUBLISH without a topic")
    if position + 2 > len(data):
        return None
    topic_end = position + 2 + int.from_bytes(data[position : position + 2])
    has_id = data[at] & 0x06
    body = topic_end + (2 if has_id else 0)
    if body > end:
        raise NotMqtt("a PUBLISH that ends within its topic")
    if body > len(data):
        return None
    is_acknowledged = has_id == 0x02  # QoS 1; of QoS 2 we ask for nothing
    packet_id = int.from_bytes(data[topic_end:body]) if is_acknowledged else None
    return PacketStart(end, data[position + 2 : topic_end], packet_id)
