"""The sectors of a lap while it is driven, by the clock that the audience sees: penalties are in it. Pure."""

from itertools import pairwise

SECTORS = 3
SHOWN_NS = 2_000_000_000  # so long into a lap those of the last one are told, so that the last sector is seen
SectorTimesMs = tuple[int | None, ...]


class SectorTimes:
    """Those of one run. A gate that is crossed again, by a car that was put back, counts once."""

    def __init__(self) -> None:
        self._marks_ns: list[int] = []  # of the lap in progress: its begin, and each gate in order
        self._finished: SectorTimesMs = ()

    def pass_line(self, at_ns: int) -> None:
        """A lap begins here, and the one before ends."""
        if self._marks_ns:
            self._finished = self._times([*self._marks_ns, at_ns])
        self._marks_ns = [at_ns]

    def pass_gate(self, number: int, at_ns: int) -> None:
        """Gate `number`, from 1, between two sectors was crossed forwards."""
        if self._marks_ns and number == len(self._marks_ns):
            self._marks_ns.append(at_ns)

    def told_ms(self, now_ns: int) -> SectorTimesMs:
        """What is told now: the lap in progress, for a moment the last one."""
        if self._finished and now_ns - self._marks_ns[0] < SHOWN_NS:
            return self._finished
        return self._times(self._marks_ns)

    def _times(self, marks_ns: list[int]) -> SectorTimesMs:
        times = [(to_ns - from_ns) // 1_000_000 for from_ns, to_ns in pairwise(marks_ns)]
        return (*times, *(None,) * (SECTORS - len(times)))
