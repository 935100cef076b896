"""Compares a converted policy with its original: the ONNX graph in ONNX Runtime, the frozen graph in numpy.

Called by importing/make_model.py after each conversion.
"""

from collections.abc import Mapping

import numpy as np
import onnxruntime as ort

from shared.errors import BadInput
from shared.text import text
from vehicle.models.tensorflow.graphdef import Tensor
from vehicle.models.tensorflow.interpreter import Interpreter
from vehicle.models.tensorflow.numpy_ops import compute
from vehicle.models.tensorflow.policy_head import PolicyHead

MAX_DIFFERENCE = 1e-4  # rounding errors are about a hundredth of that
ROWS = 4


def observations(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Test inputs by sensor, (ROWS, ...) float32: black, white, a ramp, noise; pictures 0 to 255, distances 0 to 1."""
    random = np.random.default_rng(4)
    by_sensor = {}
    for sensor, shape in shapes.items():
        values = random.uniform(0, 1, (ROWS, *shape))
        values[0], values[1] = 0, 1
        values[2] = np.linspace(0, 1, shape[-2])[:, None] if len(shape) == 3 else np.linspace(0, 1, shape[0])
        by_sensor[sensor] = (np.floor(values * 255) if len(shape) == 3 else values).astype(np.float32)
    return by_sensor


def evaluate_frozen(head: PolicyHead, given: Mapping[str, Tensor]) -> Tensor:
    """The output of the frozen graph for inputs by sensor, computed in numpy. Raises BadInput."""
    values = {name: np.array(1.0, np.float32) for name in head.free}
    values |= {head.placeholders[sensor]: observation for sensor, observation in given.items()}
    return Interpreter[Tensor](compute).run(head.order, values)


def run_onnx(session: ort.InferenceSession, given: Mapping[str, Tensor]) -> Tensor:
    """The output of the converted policy, one row at a time, since its batch is 1."""
    rows = []
    for row in range(ROWS):
        feed = {
            sensor: np.ascontiguousarray(
                values[row : row + 1].transpose(0, 3, 1, 2) if values.ndim == 4 else values[row : row + 1]
            )
            for sensor, values in given.items()
        }
        rows.append(session.run(None, feed)[0])
    return np.concatenate(rows)


def frozen_answers(head: PolicyHead) -> Tensor:
    """The output of the frozen graph for the test inputs, (ROWS, outputs). Raises BadInput."""
    return evaluate_frozen(head, observations(head.shapes))


def compare(answers: Tensor, shapes: Mapping[str, tuple[int, ...]], session: ort.InferenceSession) -> float:
    """The largest absolute difference between both outputs. Raises BadInput if it exceeds MAX_DIFFERENCE."""
    converted = run_onnx(session, observations(shapes))
    difference = float(np.abs(answers - converted).max()) if answers.shape == converted.shape else np.inf
    if not difference <= MAX_DIFFERENCE:
        raise BadInput(
            text("The converted policy differs from its original (by {difference:.2g}).", difference=difference)
        )
    return difference
