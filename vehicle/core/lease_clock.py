"""How long a car may drive: leases and orders, counted from the heartbeats that they answer. Pure.

Used by `core/controller.py` (our agent) and `bridge/core/` (a stock car through its console). What a stalled broker
delivers in one late burst answers old heartbeats, so it has expired already. Times are ns of the car's clock.
"""

from typing import Literal

from shared.protocol.messages import DriveOrder, Lease
from shared.units import NS_PER_MS

MAX_HEARTBEATS = 256

LeaseEffect = Literal["stale", "withdrawn", "granted"]


class LeaseClock:
    """The heartbeats of one boot, and the newest lease that answered one of them. Not thread-safe."""

    def __init__(self, boot_id: str, max_lease_ms: int, max_ttl_ms: int) -> None:
        """No lease counts for longer than `max_lease_ms`, and no order for longer than `max_ttl_ms`."""
        self._boot_id = boot_id
        self._max_lease_ms = max_lease_ms
        self._max_ttl_ms = max_ttl_ms
        self._sent_ns: dict[int, int] = {}  # by the number of the heartbeat
        self._newest = 0
        self._answered = 0
        self._until_ns: int | None = None
        self.run_id = ""

    @property
    def is_leased(self) -> bool:
        """Whether a lease was granted and not withdrawn; it may have expired."""
        return self._until_ns is not None

    def next_heartbeat(self, now_ns: int) -> int:
        """The number of the heartbeat that is sent now. It keeps rising when the process restarts within one boot."""
        self._newest = max(self._newest + 1, now_ns // NS_PER_MS)
        self._sent_ns[self._newest] = now_ns
        while len(self._sent_ns) > MAX_HEARTBEATS:
            del self._sent_ns[next(iter(self._sent_ns))]
        return self._newest

    def on_lease(self, lease: Lease) -> LeaseEffect:
        """Apply a lease that answers a recent heartbeat of this boot, not older than the last one answered."""
        sent_ns = self._sent_ns.get(lease.heartbeat) if lease.boot == self._boot_id else None
        if sent_ns is None or lease.heartbeat < self._answered:
            return "stale"
        self._answered = lease.heartbeat
        if lease.grant == "none":
            self._until_ns = None
            return "withdrawn"
        self._until_ns = sent_ns + min(lease.lease_ms, self._max_lease_ms) * NS_PER_MS
        self.run_id = lease.run_id
        return "granted"

    def left_ns(self, now_ns: int) -> int:
        """What is left of the lease; 0 or less when there is none."""
        return 0 if self._until_ns is None else self._until_ns - now_ns

    def order_until_ns(self, order: DriveOrder) -> int | None:
        """Until when the order counts; None if it answers no recent heartbeat of this boot."""
        sent_ns = self._sent_ns.get(order.heartbeat) if order.boot == self._boot_id else None
        return None if sent_ns is None else sent_ns + min(order.ttl_ms, self._max_ttl_ms) * NS_PER_MS
