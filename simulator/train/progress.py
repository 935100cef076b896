"""`progress.csv`: how a training goes, one row after each update."""

import csv
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COLUMNS = (
    "steps",
    "seconds",
    "episodes",
    "reward",
    "episode_s",
    "progress",
    "speed_mps",
    "off_tracks_per_100m",
    "crashes_per_100m",
    "laps",
    "loss",
)
FRAME_S = 1.0 / 15


@dataclass(eq=False)
class DriveTally:
    """What happened in drives: an episode is from one placing of a car to the next."""

    frames: int = 0
    metres: float = 0.0
    off_tracks: int = 0
    crashes: int = 0
    laps: int = 0
    rewards: list[float] = field(default_factory=list)  # metres made good, one less for each that left the road or hit
    lengths: list[int] = field(default_factory=list)  # frames
    progress: list[float] = field(default_factory=list)  # per cent of a lap that an episode came on; none by imitation


class ProgressTable:
    """Writes the rows; means are over what happened since the row before."""

    def __init__(self, path: Path, *, append: bool) -> None:
        self.rows: list[dict[str, float]] = _read(path) if append else []
        self._file = path.open("w", encoding="utf-8", newline="")
        self._table = csv.writer(self._file)
        self._table.writerow(COLUMNS)
        for row in self.rows:
            self._table.writerow(_written(row))
        self._began_s = time.monotonic()
        self._happened = DriveTally()

    def close(self) -> None:
        """No more rows will come."""
        self._file.close()

    def add(self, infos: Sequence[Mapping[str, Any]]) -> None:
        """One step of all cars, as `VecRace` answers it."""
        happened = self._happened
        for info in infos:
            happened.frames += 1
            happened.metres += info["speed_mps"] * FRAME_S
            if "episode" in info:
                happened.rewards.append(info["episode"]["r"])
                happened.lengths.append(info["episode"]["l"])
                happened.progress.append(100.0 * info["laps"] + info["progress"])
                happened.off_tracks += info["off_track"]
                happened.crashes += info["crashed"]
            happened.laps += info["lap_complete"]

    def add_drives(self, drives: DriveTally) -> None:
        """All that happened since the row before."""
        self._happened = drives

    def row(self, steps: int, loss: float | None = None) -> str:
        """Write a row and begin the next; the row in words."""
        drives, self._happened = self._happened, DriveTally()
        episodes, metres = max(1, len(drives.rewards)), max(drives.metres, 1.0)
        row: dict[str, float] = {
            "steps": steps,
            "seconds": time.monotonic() - self._began_s,
            "episodes": len(drives.rewards),
            "reward": sum(drives.rewards) / episodes,
            "episode_s": sum(drives.lengths) / episodes * FRAME_S,
            "progress": sum(drives.progress) / len(drives.progress) if drives.progress else math.nan,
            "speed_mps": drives.metres / max(1, drives.frames) / FRAME_S,
            "off_tracks_per_100m": 100.0 * drives.off_tracks / metres,
            "crashes_per_100m": 100.0 * drives.crashes / metres,
            "laps": drives.laps,
            "loss": math.nan if loss is None else loss,
        }
        written = _written(row)
        self.rows.append({name: _number(text) for name, text in zip(COLUMNS, written, strict=True)})
        self._table.writerow(written)
        self._file.flush()
        return _in_words(row)


def _written(row: Mapping[str, float]) -> list[str]:
    """A row as it stands in the file; what there is not, is empty."""
    shown = {name: "" if math.isnan(value) else f"{value:.4g}" for name, value in row.items()}
    return list((shown | {"steps": f"{row['steps']:.0f}", "seconds": f"{row['seconds']:.1f}"}).values())


def _in_words(row: Mapping[str, float]) -> str:
    crashes = f", {row['crashes_per_100m']:.1f} crashes" if row["crashes_per_100m"] else ""
    loss = "" if math.isnan(row["loss"]) else f", loss {row['loss']:.3f}"
    return (
        f"{row['steps']} frames, {row['seconds']:.0f} s: reward {row['reward']:.2f}, {row['episode_s']:.1f} s an"
        f" episode, {row['speed_mps']:.2f} m/s, {row['off_tracks_per_100m']:.1f} off-tracks{crashes} in 100 m,"
        f" {row['laps']} laps{loss}"
    )


def _read(path: Path) -> list[dict[str, float]]:
    """The rows of the training's part before."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: _number(row.get(name) or "") for name in COLUMNS} for row in csv.DictReader(file)]


def _number(written: str) -> float:
    return float(written) if written else math.nan
