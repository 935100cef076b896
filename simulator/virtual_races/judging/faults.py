"""Cars that stand or go backwards for too long, counted by the field's rules (simulator/objects/reset_rules.py)."""

from collections.abc import Iterable

from simulator.objects.reset_rules import STEPS_TO_RESET, count_reversed, count_still
from simulator.virtual_races.judging.run_book import FaultKind


class StuckCounter:
    """How many frames in a row each run's car has stood, and how many it went backwards."""

    def __init__(self, runs: int) -> None:
        self._still, self._reversed = [0] * runs, [0] * runs
        self._last: list[tuple[float, float, float] | None] = [None] * runs

    def look(self, run: int, progress_m: float, x: float, y: float) -> FaultKind | None:
        """Take the car's place at a frame; the fault if it has been stuck for too long."""
        last, self._last[run] = self._last[run], (progress_m, x, y)
        if last is None:
            return None
        self._reversed[run] = count_reversed(self._reversed[run], progress_m, last[0], True)
        self._still[run] = count_still(self._still[run], x, y, last[1], last[2], True)
        if self._reversed[run] >= STEPS_TO_RESET:
            return "reversed"
        return "immobilized" if self._still[run] >= STEPS_TO_RESET else None

    def clear(self, runs: Iterable[int]) -> None:
        """Count anew for cars that were put back."""
        for run in runs:
            self._still[run] = self._reversed[run] = 0
            self._last[run] = None
