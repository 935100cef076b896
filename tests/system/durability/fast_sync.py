"""The station's sync service, its waits passing faster: `python -m ... STATION.toml TIMES [stay]`.

Built and stepped as `raceday sync` does; it ends when nothing is left to post, unless it is told to stay.
"""

import pathlib
import sys
import threading

from shared.clock import SystemClock
from shared.config import load
from station.config import StationConfig
from station.sync.build import build


def main(path: str, times: str, stay: str = "") -> int:
    """Post all there is; with `stay`, also what comes later."""
    config = load(pathlib.Path(path), StationConfig)
    clock = SystemClock()
    service = build(config.sync, config.data_dir, clock, lambda _sentence: None)
    begun_ns, never = clock.now_ns(), threading.Event()
    due_ns: int | None = 0
    while stay or due_ns is not None:
        now_ns = begun_ns + (clock.now_ns() - begun_ns) * int(times)
        due_ns = service.syncer.step(now_ns)
        if due_ns is None or due_ns > now_ns:
            never.wait(0.05 if due_ns is None else min(0.05, (due_ns - now_ns) / int(times) / 1e9))
    waiting = service.syncer.waiting
    service.close()
    return 1 if waiting else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
