"""The car's control loop: every row of the table in docs/figures.md in one run, each beside its peer.

The network has its true size (23 MB) and random weights. donkeycar, CarRacing and TensorFlow have their own
environments under run/peers. Rows 12 and 15 are the real processes; without --quick the last one takes ten minutes.
"""

import logging
import pathlib
import sys
import tempfile
from collections.abc import Callable, Iterator

import cv2

from bench.pacing import request_priority
from bench.peers.environments import PeerMissing
from bench.vehicle import frame_age, long_runs, peer_rows, tick
from bench.vehicle.table_rows import Line, line, show
from bench.vehicle.tick import Networks
from vehicle.pilot.pilot import SWITCH_INTERVAL_S

Rows = Callable[[Networks, bool], Iterator[Line]]

# The function that measures each row; a missing peer costs only its own rows.
ROWS: tuple[tuple[str, Rows], ...] = (
    ("1, 2, 3, 4", tick.ticks),
    ("5", peer_rows.beside_donkeycar),
    ("6", tick.telemetry),
    ("7", frame_age.freshness),
    ("8", frame_age.slow_policy),
    ("9", tick.spinning),
    ("10", tick.precision),
    ("11", peer_rows.beside_tf2onnx),
    ("12", long_runs.neutral),
    ("13", peer_rows.rates),
    ("14", peer_rows.beside_carracing),
    ("15", long_runs.memory),
)


def main(quick: bool) -> None:
    """Prints the table and writes run/bench/vehicle.json."""
    cv2.setNumThreads(1)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    print(
        "real-time priority: "
        + ("as on the car" if request_priority() else "refused; the figures include the machine's other load")
    )
    logging.disable(logging.WARNING)  # the quantiser's hints
    lines: list[Line] = []
    with tempfile.TemporaryDirectory(prefix="raceday-vehicle-") as name:
        networks = Networks(pathlib.Path(name))
        for number, measure in ROWS:
            try:
                for one in measure(networks, quick):
                    lines.append(one)
                    print(f"  {one.row:4} {one.what}: {one.figure} {one.verdict} {one.behind}", flush=True)
            except PeerMissing as missing:
                lines.append(line(number, "", None, behind=str(missing)))
            except AssertionError as failure:  # a car that did not start in time costs only its own row
                lines.append(line(number, "", None, behind=f"not measured: {failure}"))
        networks.close()
    show(lines)
