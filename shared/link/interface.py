"""What a link is: the connection of one machine to the broker; `mqtt` and `mock` give the same guarantees.

A link never blocks its owner: it queues what is published while the broker is away (bounded; a state
replaces an older state) and reports what it dropped. It passes on each delivery once per arrival, and the
owner acknowledges a QoS 1 delivery only after storing it, so that one that was not stored comes again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.link.inflow.rate_limits import Flood
from shared.protocol.messages import Body, Message
from shared.protocol.topics import Topic
from shared.text import Sentence


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message that arrived. `retained`: a state that the broker stored. `ack` is idempotent and never raises."""

    topic: str
    message: Message
    retained: bool
    ack: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Subscription:
    """One row of the topic table, for one machine or (device None) for all."""

    topic: Topic
    device: str | None = None

    @property
    def filter(self) -> str:
        return self.topic.everyone if self.device is None else self.topic.of(self.device)


@dataclass(frozen=True, slots=True)
class LinkState:
    """For the pages: is the link connected, and how many messages waited, were dropped, refused or malformed.

    `floods`: of whom messages were dropped lately, unread, because there were too many or they were too large.
    `unsafe`: why no run may start, because the broker enforces no rules; "" if nothing is against it.
    """

    connected: bool
    sentence: str
    queued: int = 0
    dropped: int = 0
    refused: int = 0
    malformed: int = 0
    floods: tuple[Flood, ...] = ()
    unsafe: Sentence | str = ""


class Link(Protocol):
    """A connection to the broker that reconnects by itself."""

    def start(self, subscriptions: Sequence[Subscription], on_delivery: Callable[[Delivery], None]) -> None:
        """Begin to connect, in the background. `on_delivery` is called on the link's thread and must only enqueue."""

    def publish(self, body: Body, device: str | None = None) -> bool:
        """Queue a message for its topic (QoS and retain from the table); False if it was dropped.

        `device` names the addressed machine for `raceday/to/...` topics; otherwise the machine publishes for itself.
        The link adds the envelope: own device, boot and the next sequence number.
        """

    def publish_as(self, message: Message, device: str | None = None) -> bool:
        """As `publish`, with an envelope of the owner's: a repeat from an outbox keeps its number."""

    def state(self) -> LinkState: ...

    def close(self) -> None:
        """Disconnect, so that the broker sends our will as on a loss, and stop; idempotent."""
