"""Import of a full-size DeepRacer archive (shallow network, 23 MB of weights) onto the car: time and memory.

The baseline beside it does only what every import must do: start Python, load the same three libraries, unpack with
`tarfile`, hash the archive, and load the converted model into the runtime. It checks and converts nothing. The
interpreter alone is measured too: memory is reported beyond it. Rounds are interleaved; every round is a new process.

Once, a network of the largest size (220 MB of weights, as DEEP with two cameras has) is imported and loaded as by the
pilot, whose memory must stay below three times the weights and 150 MB.
"""

import os
import pathlib
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.report import report, rows
from tests.vehicle.models.importing.tars import Member, tar_gz
from tests.vehicle.models.tensorflow.protobuf_writer import (
    HEAD,
    SEEN,
    attribute,
    constant,
    field,
    graph,
    integers,
    node,
    placeholder,
    rescaled,
)
from vehicle.models.memory_limit import LIBRARIES_BYTES, TIMES
from vehicle.models.run_isolated import ENVIRONMENT

ACTIONS = 5
LARGE_DENSE = 5_100  # of the dense layer of a network of the largest size; DENSE of a usual one
CONVS = ((8, 1, 32, 4), (4, 32, 64, 2), (3, 64, 64, 1))  # kernel, channels in and out, stride
FLAT, DENSE = 64 * 11 * 16, 512
WALL_LIMIT_S, MEMORY_LIMIT_MB = 2.0, 200.0

FLOOR = """
import hashlib, sys, tarfile
import numpy, onnx, onnxruntime
archive, folder, model = sys.argv[1:]
hashlib.file_digest(open(archive, "rb"), "sha256")
tarfile.open(archive).extractall(folder, filter="data")
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
"""

PILOT = """
import pathlib, sys
from vehicle.models.int8.choose_precision import choose
choose(pathlib.Path(sys.argv[1]), flushes_denormals=True)
"""

# A process inherits the peak memory of its parent, so a small process starts it instead of this one.
RUNNER = """
import os, sys, time
began_ns = time.monotonic_ns()
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
_, status, usage = os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet), 0)
assert os.waitstatus_to_exitcode(status) == 0, sys.argv
print(time.monotonic_ns() - began_ns, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """The time and memory of one process and its children."""

    wall_ns: int
    cpu_s: float
    peak_mb: float


def main(quick: bool) -> None:
    """Prints the table and writes run/bench/import.json."""
    with tempfile.TemporaryDirectory(prefix="raceday-bench-") as name:
        folder = pathlib.Path(name)
        archive = folder / "shallow.tar.gz"
        archive.write_bytes(shallow_archive())
        importing = [sys.executable, "-m", "raceday", "model", "import", str(archive), "--into", str(folder / "models")]
        run(importing)
        model = str(next((folder / "models").glob("*/model.onnx")))
        floor = [sys.executable, "-c", FLOOR, str(archive), str(folder / "floor"), str(shutil.copy(model, folder))]
        ways: dict[str, tuple[list[str], Callable[[], object]]] = {
            "baseline: tarfile, sha256, InferenceSession": (floor, lambda: None),
            "raceday model import": (importing, lambda: shutil.rmtree(folder / "models")),
            "the interpreter alone": ([sys.executable, "-c", "pass"], lambda: None),
        }
        spent: dict[str, list[Spent]] = {way: [] for way in ways}
        for _ in range(3 if quick else 15):
            for way, (arguments, before) in ways.items():
                before()
                spent[way].append(run(arguments))
        walls = {way: [one.wall_ns for one in many] for way, many in spent.items()}
        report("import", rows(walls), notes(archive, spent) | largest(folder))


def notes(archive: pathlib.Path, spent: dict[str, list[Spent]]) -> dict[str, object]:
    """The notes below the table."""
    floor, ours, bare = spent.values()
    beyond_mb = max(s.peak_mb for s in ours) - min(s.peak_mb for s in bare)
    wall_s = statistics.median(s.wall_ns for s in ours) / 1e9
    return {
        "archive": f"{archive.stat().st_size / 1e6:.1f} MB",
        "load": f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
        "wall_s": round(wall_s, 2),
        "wall_within_limit": f"{wall_s < WALL_LIMIT_S} (below {WALL_LIMIT_S:g} s)",
        "cpu_s": round(statistics.median(s.cpu_s for s in ours), 2),
        "cpu_s_floor": round(statistics.median(s.cpu_s for s in floor), 2),
        "cpu_ratio": round(statistics.median(s.cpu_s for s in ours) / statistics.median(s.cpu_s for s in floor), 2),
        "memory_beyond_interpreter_mb": round(beyond_mb, 1),
        "memory_beyond_interpreter_mb_floor": round(max(s.peak_mb for s in floor) - min(s.peak_mb for s in bare), 1),
        "memory_within_limit": f"{beyond_mb < MEMORY_LIMIT_MB} (below {MEMORY_LIMIT_MB:g} MB)",
    }


def largest(folder: pathlib.Path) -> dict[str, object]:
    """What an import of the largest network and the pilot's load of it take, and what they may take."""
    archive = folder / "largest.tar.gz"
    archive.write_bytes(shallow_archive(LARGE_DENSE))
    importing = run([sys.executable, "-m", "raceday", "model", "import", str(archive), "--into", str(folder / "large")])
    model = next((folder / "large").glob("*/model.onnx"))
    piloting = run([sys.executable, "-c", PILOT, str(model.parent)])
    weights_bytes = model.stat().st_size
    limit_mb = (TIMES * weights_bytes + LIBRARIES_BYTES) / (1 << 20)
    return {
        "largest_weights_mb": round(weights_bytes / (1 << 20), 1),
        "largest_limit_mb": round(limit_mb, 1),
        "largest_import_peak_mb": round(importing.peak_mb, 1),
        "largest_import_within_limit": importing.peak_mb < limit_mb,
        "largest_pilot_peak_mb": round(piloting.peak_mb, 1),
        "largest_pilot_within_limit": piloting.peak_mb < limit_mb,
    }


def run(arguments: list[str]) -> Spent:
    """Run one process to its end; its peak memory is that of its largest child if that is larger."""
    command = [sys.executable, "-c", RUNNER, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | ENVIRONMENT)
    wall_ns, cpu_s, peak_kb = done.stdout.split()
    return Spent(int(wall_ns), float(cpu_s), int(peak_kb) / 1024)


def shallow_archive(dense: int = DENSE) -> bytes:
    """Write an archive as the console exports it: clipped_ppo, discrete, one camera; random, incompressible weights."""
    metadata = (
        b'{"action_space": ['
        + b", ".join(b'{"steering_angle": %d, "speed": 1.0}' % (15 * n - 30) for n in range(ACTIONS))
        + b'], "sensor": ["FRONT_FACING_CAMERA"], "neural_network": "DEEP_CONVOLUTIONAL_NETWORK_SHALLOW",'
        b' "training_algorithm": "clipped_ppo", "action_space_type": "discrete", "version": "4"}'
    )
    return tar_gz(Member(b"agent/model.pb", shallow_graph(dense)), Member(b"model_metadata.json", metadata))


def shallow_graph(dense: int = DENSE) -> bytes:
    """The network of deepracer-simapp as TensorFlow 1.15 freezes it, with rl_coach's gradient rescaler.

    `dense`: the width of its dense layer.
    """
    random = np.random.default_rng(2018)

    def weights(name: str, *sizes: int) -> bytes:
        fan_in = int(np.prod(sizes[:-1]))
        values = random.normal(0.0, (2.0 / fan_in) ** 0.5, sizes).astype(np.float32)
        return constant(name, sizes, content=values.tobytes())

    nodes = [placeholder(), constant("grey", (), 255.0), node("x", "RealDiv", (SEEN, "grey"))]
    last = "x"
    for number, (size, given, made, stride) in enumerate(CONVS):
        strides = attribute("strides", field(1, field(3, struct.pack("4B", 1, stride, stride, 1))))
        valid = attribute("padding", field(2, "VALID"))
        nodes += [
            weights(f"k{number}", size, size, given, made),
            constant(f"b{number}", (made,), 0.01),
            node(f"c{number}", "Conv2D", (last, f"k{number}"), strides, valid),
            node(f"s{number}", "BiasAdd", (f"c{number}", f"b{number}")),
            node(f"r{number}", "Relu", (f"s{number}",)),
        ]
        last = f"r{number}"
    return graph(
        *nodes,
        integers("sizes", -1, FLAT),
        node("flat", "Reshape", (last, "sizes")),
        weights("dense", FLAT, dense),
        constant("bias", (dense,), 0.01),
        node("d", "MatMul", ("flat", "dense")),
        node("e", "BiasAdd", ("d", "bias")),
        node("f", "Relu", ("e",)),
        constant("r", (), 1.0),
        *rescaled("f", "head"),
        weights("out", dense, ACTIONS),
        node("fc", "MatMul", ("head", "out")),
        node(HEAD, "Softmax", ("fc",)),
    )
