"""Detects that the timing thread hangs: that thread reports each of its rounds, and the live thread watches the count.

Called by station.py and storage_monitor.py. Otherwise a disk that neither accepts nor refuses a record would look like
a race in which nothing happens.
"""

S = 1_000_000_000
LATE_NS = 1_500_000_000  # of real time; three heartbeats of a page (station/web/streaming/event_stream.py)


class ThreadWatchdog:
    """Counts rounds instead of comparing times, since a machine that was suspended is not a thread that hangs."""

    def __init__(self) -> None:
        self._rounds = self._judged = 0
        self._since_ns: int | None = None  # of the first check since the newest round

    def mark_alive(self) -> None:
        """Called by the timing thread in each of its rounds."""
        self._rounds += 1

    def late_s(self, now_ns: int, rate: float) -> int:
        """For how many whole seconds of real time there has been no new round; 0 while all is well.

        Called by the live thread. `rate`: seconds of the station's clock per real second (`Clock.rate`).
        """
        since_ns, rounds = self._since_ns, self._rounds
        if since_ns is None or rounds != self._judged or now_ns < since_ns:
            self._since_ns, self._judged = now_ns, rounds
            return 0
        waited_ns = now_ns - since_ns
        return int(waited_ns / rate) // S if waited_ns > LATE_NS * rate else 0


def late_sentence(late_s: int) -> str:
    """What pages and log say of a timing thread that has hung for `late_s` seconds; "" for 0."""
    if not late_s:
        return ""
    return (
        f"The journal has not answered for {late_s} s: inputs wait, and nothing new is stored or shown. Check "
        "the disk; if this persists, restart the station."
    )
