"""The addresses from which officials lately sent requests. They prove nothing and allow nothing.

Only places are reserved for them: a connection is accepted before anything can be read from it, so that its address is
all that is known then. Called by the web: `note` with each request of an official, `holds` at each new connection.
"""

from shared.addresses import counted_prefix

REMEMBERED_S = 3600.0
MAX_ADDRESSES = 256


class OfficialAddresses:
    """When an official's request last came from each address. Safe from any thread: only single steps on a dict."""

    def __init__(self) -> None:
        self._last_s: dict[str, float] = {}

    def note(self, address: str, now_s: float) -> None:
        """An official, or a device of officials, sent a request from here."""
        key = counted_prefix(address)
        if key not in self._last_s and len(self._last_s) >= MAX_ADDRESSES:
            oldest = min(list(self._last_s.items()), key=lambda each: each[1])
            self._last_s.pop(oldest[0], None)
        self._last_s[key] = now_s

    def holds(self, address: str, now_s: float) -> bool:
        """Did an official send a request from this address within the last hour?"""
        last_s = self._last_s.get(counted_prefix(address))
        return last_s is not None and now_s - last_s < REMEMBERED_S
