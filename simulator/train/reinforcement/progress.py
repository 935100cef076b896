"""`progress.csv`: how a training goes, one row after each update."""

import csv
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

COLUMNS = ("steps", "seconds", "episodes", "reward", "episode_s", "speed_mps", "off_tracks_per_100m", "laps")
FRAME_S = 1.0 / 15


class ProgressTable:
    """Writes the rows; means are over what happened since the row before."""

    def __init__(self, path: Path, *, append: bool) -> None:
        self.rows: list[dict[str, float]] = _read(path) if append else []
        self._file = path.open("a" if self.rows else "w", encoding="utf-8", newline="")
        self._table = csv.writer(self._file)
        if not self.rows:
            self._table.writerow(COLUMNS)
        self._began_s = time.monotonic()
        self._clear()

    def __enter__(self) -> "ProgressTable":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, infos: Sequence[Mapping[str, Any]]) -> None:
        """One step of all cars, as `VecRace` answers it."""
        for info in infos:
            self._frames += 1
            self._metres += info["speed_mps"] * FRAME_S
            if "episode" in info:
                self._rewards.append(info["episode"]["r"])
                self._lengths.append(info["episode"]["l"])
                self._off_tracks += info["off_track"]
            self._laps += info["lap_complete"]

    def row(self, steps: int) -> str:
        """Write a row and begin the next; the row in words."""
        episodes = max(1, len(self._rewards))
        reward, length_s = sum(self._rewards) / episodes, sum(self._lengths) / episodes * FRAME_S
        speed = self._metres / max(1, self._frames) / FRAME_S
        off = 100.0 * self._off_tracks / max(self._metres, 1.0)
        seconds = time.monotonic() - self._began_s
        values = (len(self._rewards), reward, length_s, speed, off, self._laps)
        written = [str(steps), f"{seconds:.1f}", *(f"{value:.4g}" for value in values)]
        self.rows.append(dict(zip(COLUMNS, map(float, written), strict=True)))
        self._table.writerow(written)
        self._file.flush()
        laps = self._laps
        self._clear()
        return (
            f"{steps} frames, {seconds:.0f} s: reward {reward:.2f}, {length_s:.1f} s an episode, {speed:.2f} m/s,"
            f" {off:.1f} off-tracks in 100 m, {laps} laps"
        )

    def _clear(self) -> None:
        """Begin a row."""
        self._rewards: list[float] = []
        self._lengths: list[int] = []
        self._frames = self._off_tracks = self._laps = 0
        self._metres = 0.0


def _read(path: Path) -> list[dict[str, float]]:
    """The rows of the training's part before."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
