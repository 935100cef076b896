"""The canary of a node: two models on two tracks, whose traces name the class of its arithmetic.

One model is the demo's, which drives well. The other is a small network made here from a fixed series of bytes, which
wanders: what it does hangs on the last bit of each frame, so that the least difference soon shows.
"""

import hashlib
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from shared.conditions import Conditions, DrivenRules
from shared.traces.encoding import trace_sha256
from simulator.driving.policy import DEMO, find_model
from simulator.farm.engines import FarmEngine
from simulator.virtual_races.isolated import EvaluationJob
from vehicle.models.metadata import HEIGHT, WIDTH
from vehicle.models.model_files import METADATA, MODEL

CANARY_TRACKS = ("reinvent_base", "oval_track")
_CONDITIONS = Conditions(
    laps=1, profile="physical", rules=DrivenRules(consecutive_laps=1), resets=5, run_limit_ms=20_000
)
_CHANNELS, _KERNEL, _STRIDE = 4, 8, 8
_ACTION_SPACE = {
    "action_space": {"steering_angle": {"high": 30.0, "low": -30.0}, "speed": {"high": 2.0, "low": 0.5}},
    "action_space_type": "continuous",
    "sensor": ["FRONT_FACING_CAMERA"],
    "neural_network": "DEEP_CONVOLUTIONAL_NETWORK_SHALLOW",
    "training_algorithm": "clipped_ppo",
    "version": "5",
}


def canary_sha256(engine: FarmEngine) -> str:
    """Drive the canary; the hash of its traces. Raises BadInput if this machine does not drive it."""
    digest = hashlib.sha256()
    with tempfile.TemporaryDirectory(prefix="raceday-canary-") as folder:
        models = (find_model(DEMO).parent, write_wanderer(Path(folder)))
        conditions = [replace(_CONDITIONS, track=track) for track in CANARY_TRACKS]
        jobs = [EvaluationJob(str(model), each, (1,)) for model in models for each in conditions]
        for driven in [engine.submit(job) for job in jobs]:
            digest.update(trace_sha256(driven.result().runs[0].read_trace()).encode())
    return digest.hexdigest()


def write_wanderer(folder: Path) -> Path:
    """Write the model that wanders into the folder, the same bytes everywhere; returns the folder."""
    rows, columns = (HEIGHT - _KERNEL) // _STRIDE + 1, (WIDTH - _KERNEL) // _STRIDE + 1
    weights = {
        "white": np.float32(255.0),
        "kernels": _drawn("kernels", (_CHANNELS, 1, _KERNEL, _KERNEL), 0.1),
        "reading": _drawn("reading", (_CHANNELS * rows * columns, 2), 0.05),
    }
    nodes = [
        helper.make_node("Div", ["observation", "white"], ["light"]),
        helper.make_node("Conv", ["light", "kernels"], ["seen"], strides=[_STRIDE, _STRIDE]),
        helper.make_node("Relu", ["seen"], ["felt"]),
        helper.make_node("Flatten", ["felt"], ["flat"]),
        helper.make_node("MatMul", ["flat", "reading"], ["sum"]),
        helper.make_node("Tanh", ["sum"], ["action"]),
    ]
    graph = helper.make_graph(
        nodes,
        "wanderer",
        [helper.make_tensor_value_info("observation", TensorProto.FLOAT, [1, 1, HEIGHT, WIDTH])],
        [helper.make_tensor_value_info("action", TensorProto.FLOAT, [1, 2])],
        [numpy_helper.from_array(np.asarray(each), name) for name, each in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="raceday", ir_version=8)
    onnx.save(model, folder / MODEL)
    (folder / METADATA).write_text(json.dumps(_ACTION_SPACE), encoding="utf-8")
    return folder


def _drawn(name: str, shape: tuple[int, ...], scale: float) -> NDArray[np.float32]:
    """Weights from the hash of a name: no library's random numbers, which change with its releases."""
    count = int(np.prod(shape))
    written = hashlib.shake_256(f"raceday canary {name}".encode()).digest(count)
    return ((np.frombuffer(written, np.uint8).reshape(shape) - 127.5) / 127.5 * scale).astype(np.float32)
