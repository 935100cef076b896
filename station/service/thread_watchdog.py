"""Whether the timing thread still turns. It says each turn; the live thread, which never waits for the disk, judges.

Called by station.py. A disk that neither takes a record nor refuses it would else look like a calm race.
"""

S = 1_000_000_000
LATE_NS = 1_500_000_000  # of real time; three beats of a page (station/web/event_stream.py)


class ThreadWatchdog:
    """Pure but for its memory. Counted in turns, not in stamps: a machine that slept is no thread that hangs."""

    def __init__(self) -> None:
        self._turns = self._judged = 0
        self._since_ns: int | None = None  # of the first look since the newest turn

    def mark_alive(self) -> None:
        """On the timing thread, each time it comes round."""
        self._turns += 1

    def late_s(self, now_ns: int, rate: float) -> int:
        """For how many whole seconds of real time the live thread saw no turn; 0 while all is well.

        `rate`: seconds of the station's clock per real second. Source: `Clock.rate`.
        """
        since_ns, turns = self._since_ns, self._turns
        if since_ns is None or turns != self._judged or now_ns < since_ns:
            self._since_ns, self._judged = now_ns, turns
            return 0
        waited_ns = now_ns - since_ns
        return int(waited_ns / rate) // S if waited_ns > LATE_NS * rate else 0


def late_sentence(late_s: int) -> str:
    """For page and log, "" if it is not late."""
    if not late_s:
        return ""
    return (
        f"The journal has not answered for {late_s} s: what comes in waits and nothing new is kept or shown. Look at "
        "the disk; if it stays so, start the station again."
    )
