"""Reads write_frozen.py's output with Raceday's own reader, and reports the difference from TensorFlow's answers.

    python tools/parity/check_frozen.py FOLDER ...

Needs no TensorFlow. Each graph is converted, loaded and run; each archive is imported in a child process, as a
racer's archive is.
"""

import argparse
import pathlib
import sys
import tempfile

import numpy as np
from cases import pictures

from vehicle.models.library import prepare_isolated
from vehicle.models.metadata import load_metadata
from vehicle.models.running.session import open_session
from vehicle.models.tensorflow.converter import convert
from vehicle.models.tensorflow.graphdef import read_graph
from vehicle.models.tensorflow.parity import evaluate_frozen, run_onnx

LARGEST_DIFFERENCE = 1e-5


def differences(graph: pathlib.Path) -> tuple[float, float]:
    """The differences of the numpy reading and of the converted policy from TensorFlow's answers. Raises BadInput."""
    metadata = load_metadata(graph.with_suffix(".json"), any_sensors=True)
    pieces, head = convert(read_graph(graph.read_bytes()), metadata)
    given = {sensor: pictures(sensor, seed) for seed, sensor in enumerate(sorted(metadata.sensors))}
    wanted = np.load(graph.with_suffix(".npy"))
    if np.abs(wanted - wanted.mean(axis=0)).max() < 1e-3:
        sys.stderr.write(f"{graph}: proves little: its answers are almost constant\n")
    numpy_max = float(np.abs(evaluate_frozen(head, given) - wanted).max())
    return numpy_max, float(np.abs(run_onnx(open_session(b"".join(pieces)), given) - wanted).max())


def main() -> int:
    """Check all folders; exit code 1 if a difference exceeds rounding."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="+", type=pathlib.Path)
    largest = 0.0
    for folder in parser.parse_args().folder:
        difference_of = {graph: max(differences(graph)) for graph in sorted(folder.glob("*.pb"))}
        worst = max(difference_of, key=lambda graph: difference_of[graph])
        print(
            f"{folder}: {len(difference_of)} graphs, at most {difference_of[worst]:.1e} from TensorFlow ({worst.stem})"
        )
        for archive in sorted(folder.glob("*.tar.gz")):
            with tempfile.TemporaryDirectory() as fresh:
                card = prepare_isolated(archive, pathlib.Path(fresh))
            print(f"{archive}: {card.network}, {card.action_space}, parity {card.parity}")
        largest = max(largest, difference_of[worst])
    return int(largest > LARGEST_DIFFERENCE)


if __name__ == "__main__":
    sys.exit(main())
