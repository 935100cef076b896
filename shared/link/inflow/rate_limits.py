"""How much one machine may send to a station: a token bucket for its messages, and one for its lap reports. Pure.

Called by both links (mqtt.py through publish_filter.py, and mock.py) with nothing but topic and size, so that what is
dropped costs next to nothing. With certificates the broker lets a machine publish under its own name alone, so the name
in the topic is the certificate's. Seconds are arguments, of any clock that never goes back.

A lap report over its rate takes no token for messages: a car that resends its laps keeps its heartbeats.
https://en.wikipedia.org/wiki/Token_bucket
"""

from dataclasses import dataclass, field

from shared.protocol import messages as m
from shared.protocol.codec import MAX_BYTES
from shared.protocol.topics import BY_BODY, device_in

MESSAGES_PER_S, MESSAGES_BURST = 50.0, 100.0  # our cars send 13 a second; two seconds' worth may arrive at once
LAPS_PER_S, LAPS_BURST = 2.0, 10.0
MAX_SENDERS = 512  # more than can come in a burst: who speaks ten times a second is not the one forgotten
NEW_SENDERS_PER_S, NEW_SENDERS_BURST = 20.0, 256.0  # without certificates anybody can invent names
SHOWN_S = 5.0  # for how long after its last dropped message a machine counts as flooding
NO_SENDER = ""  # of a topic that no machine of ours publishes on, and of names beyond the rate of new ones
MAX_PACKET_BYTES = MAX_BYTES + 256  # with the topic and MQTT's own fields
_LAP_ENDING = b"/" + BY_BODY[m.CarLap].pattern.rpartition("/")[2].encode()


@dataclass(frozen=True, slots=True)
class Flood:
    """What was dropped of one machine, lately: `total` since it is known, `per_s` in the last whole second."""

    sender: str
    total: int
    per_s: int


@dataclass(slots=True)
class TokenBucket:
    """`per_s` tokens come in each second (or other unit of `at_s`), at most `burst` are kept, and it starts full."""

    per_s: float
    burst: float
    at_s: float
    tokens: float = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = self.burst

    def take(self, now_s: float, count: float = 1.0) -> bool:
        """Take `count` tokens; False, and none is taken, if there are fewer."""
        self.tokens = min(self.burst, self.tokens + max(0.0, now_s - self.at_s) * self.per_s)
        self.at_s = now_s
        if self.tokens < count:
            return False
        self.tokens -= count
        return True


@dataclass(slots=True)
class _Sender:
    """One machine's buckets, and what was dropped of it."""

    name: str
    messages: TokenBucket
    laps: TokenBucket
    sent_s: float
    topics: list[bytes] = field(default_factory=list)
    dropped: int = 0
    dropped_s: float = -1e9
    second: int = 0
    in_second: int = 0
    in_last_second: int = 0

    def drop(self, now_s: float) -> None:
        self._turn(now_s)
        self.dropped += 1
        self.in_second += 1
        self.dropped_s = now_s

    def flood(self, now_s: float) -> Flood:
        self._turn(now_s)
        return Flood(self.name, self.dropped, self.in_last_second)

    def _turn(self, now_s: float) -> None:
        if (second := int(now_s)) != self.second:
            self.in_last_second = self.in_second if second == self.second + 1 else 0
            self.second, self.in_second = second, 0


class RateLimits:
    """The buckets of all machines. `rate`: seconds of the machines' clock in one second of the times given here."""

    def __init__(self, rate: float = 1.0) -> None:
        self._rate = rate
        self._senders: dict[str, _Sender] = {}
        self._by_topic: dict[bytes, _Sender] = {}
        self._new_senders: TokenBucket | None = None

    def admits(self, topic: bytes, size: int, now_s: float) -> bool:
        """May a message of `size` bytes on this topic be read? If not, it is counted as dropped."""
        sender = self._by_topic.get(topic) or self._sender_of(topic, now_s)
        sender.sent_s = now_s
        is_over_laps = topic.endswith(_LAP_ENDING) and not sender.laps.take(now_s)
        if size <= MAX_PACKET_BYTES and not is_over_laps and sender.messages.take(now_s):
            return True
        sender.drop(now_s)
        return False

    def floods(self, now_s: float) -> tuple[Flood, ...]:
        """The machines of which something was dropped in the last `SHOWN_S`, by name."""
        senders = [each for each in tuple(self._senders.values()) if now_s - each.dropped_s <= SHOWN_S]
        return tuple(sorted((each.flood(now_s) for each in senders), key=lambda flood: flood.sender))

    def _sender_of(self, topic: bytes, now_s: float) -> _Sender:
        """The sender of a topic that was not seen lately; names beyond the rate of new ones share one bucket."""
        name = device_in(topic.decode(errors="replace"))
        sender = self._senders.get(name)
        if sender is None:
            if name != NO_SENDER and not self._admits_new_sender(now_s):
                return self._senders.get(NO_SENDER) or self._new_sender(NO_SENDER, now_s)
            sender = self._new_sender(name, now_s)
        if name != NO_SENDER:
            sender.topics.append(topic)
            self._by_topic[topic] = sender
        return sender

    def _new_sender(self, name: str, now_s: float) -> _Sender:
        if len(self._senders) >= MAX_SENDERS:
            self._forget(min(self._senders.values(), key=lambda each: each.sent_s))
        messages = TokenBucket(MESSAGES_PER_S * self._rate, MESSAGES_BURST * self._rate, now_s)
        laps = TokenBucket(LAPS_PER_S * self._rate, LAPS_BURST * self._rate, now_s)
        self._senders[name] = sender = _Sender(name, messages, laps, now_s)
        return sender

    def _forget(self, sender: _Sender) -> None:
        del self._senders[sender.name]
        for topic in sender.topics:
            del self._by_topic[topic]

    def _admits_new_sender(self, now_s: float) -> bool:
        if self._new_senders is None:
            self._new_senders = TokenBucket(NEW_SENDERS_PER_S * self._rate, NEW_SENDERS_BURST, now_s)
        return self._new_senders.take(now_s)
