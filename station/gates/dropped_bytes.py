"""Counts the bytes of a gate's line that were in no frame, and reports them in sums as notes for the journal.

Used by the drivers whose device sends frames (decoders/gate.py, pico/gate.py).
"""

from shared.text import ntext
from station.core.inputs import GateNote

SUM_NS = 5_000_000_000  # a noisy line gives one note every few seconds, not one per byte


class DroppedByteCounter:
    """One gate's dropped bytes: the first are reported at once, later ones as sums. `what` names the frames."""

    def __init__(self, gate: str, what: str) -> None:
        self._gate, self._what = gate, what
        self._reported = 0
        self._reported_ns: int | None = None

    def read(self, dropped: int, now_ns: int) -> GateNote | None:
        """A note if `dropped` (bytes since the start) grew and the last note is at least `SUM_NS` old, else None."""
        more = dropped - self._reported
        if more <= 0 or (self._reported_ns is not None and now_ns - self._reported_ns < SUM_NS):
            return None
        self._reported, self._reported_ns = dropped, now_ns
        sentence = ntext(
            "{n} byte outside any {what} was dropped.",
            "{n} bytes outside any {what} were dropped.",
            n=more,
            what=self._what,
        )
        return GateNote(self._gate, "dropped_bytes", sentence, more)
