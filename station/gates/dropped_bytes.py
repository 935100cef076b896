"""What the drivers notice beside edges, as notes for the journal: dropped bytes said in sums, all else as it comes."""

from station.core.inputs import GateNote

SUM_NS = 5_000_000_000  # a noisy line gives a note each few seconds, not one for each byte


class DroppedByteCounter:
    """The bytes of a line that were no frame: said at the first ones, then summed up."""

    def __init__(self, gate: str, what: str) -> None:
        self._gate, self._what = gate, what
        self._said = 0
        self._said_ns: int | None = None

    def read(self, dropped: int, now_ns: int) -> GateNote | None:
        """`dropped` bytes since the start; a note if there are new ones and the last note is some seconds old."""
        more = dropped - self._said
        if more <= 0 or (self._said_ns is not None and now_ns - self._said_ns < SUM_NS):
            return None
        self._said, self._said_ns = dropped, now_ns
        bytes_are = "byte was" if more == 1 else "bytes were"
        return GateNote(self._gate, "dropped_bytes", f"{more} {bytes_are} no {self._what}, and dropped.", more)
