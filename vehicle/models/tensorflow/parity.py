"""How far a converted policy is from its original: the ONNX graph in the runtime beside the frozen graph in numpy."""

from collections.abc import Mapping

import numpy as np
import onnxruntime as ort

from shared.errors import BadInput
from vehicle.models.tensorflow.graphdef import Tensor
from vehicle.models.tensorflow.interpreter import Interpreter
from vehicle.models.tensorflow.numpy_ops import compute
from vehicle.models.tensorflow.policy_head import PolicyHead

MAX_DIFFERENCE = 1e-4  # beyond rounding; what is measured is a hundredth of that
ROWS = 4


def observations(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """(ROWS, ...) float32 for each sensor: dark, bright, a ramp, noise; pictures 0 to 255, distances 0 to 1."""
    random = np.random.default_rng(4)
    found = {}
    for sensor, shape in shapes.items():
        values = random.uniform(0, 1, (ROWS, *shape))
        values[0], values[1] = 0, 1
        values[2] = np.linspace(0, 1, shape[-2])[:, None] if len(shape) == 3 else np.linspace(0, 1, shape[0])
        found[sensor] = (np.floor(values * 255) if len(shape) == 3 else values).astype(np.float32)
    return found


def evaluate_frozen(head: PolicyHead, given: Mapping[str, Tensor]) -> Tensor:
    """What the frozen graph answers by TensorFlow's rules. Raises BadInput."""
    placed = {name: np.array(1.0, np.float32) for name in head.free}
    placed |= {head.placeholders[sensor]: values for sensor, values in given.items()}
    return Interpreter[Tensor](compute).run(head.order, placed)


def run_onnx(session: ort.InferenceSession, given: Mapping[str, Tensor]) -> Tensor:
    """What the converted policy answers, row by row: its batch is 1."""
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
    """What the original answers to our observations, (ROWS, outputs). Raises BadInput."""
    return evaluate_frozen(head, observations(head.shapes))


def compare(answers: Tensor, shapes: Mapping[str, tuple[int, ...]], session: ort.InferenceSession) -> float:
    """The largest difference from the original. Raises BadInput if they are not the same policy."""
    converted = run_onnx(session, observations(shapes))
    difference = float(np.abs(answers - converted).max()) if answers.shape == converted.shape else np.inf
    if not difference <= MAX_DIFFERENCE:
        raise BadInput(f"The converted policy answers otherwise than its original (by {difference:.2g}).")
    return difference
