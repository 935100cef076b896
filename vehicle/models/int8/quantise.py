"""Makes an int8 model next to the fp32 one: weights and activations in 8 bits, with ranges from recorded frames.

Runs in a child with limits (run_isolated.py), as does everything that handles an untrusted model. The last layer stays
in fp32: it costs next to nothing, and 8 bits would make neighbouring actions equal. Which of the two drives is decided
when the pilot starts (choose_precision.py, verdict.py), since only some processors run int8 faster.
"""

import hashlib
import io
import logging
import pathlib
import sys
import tempfile
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from shared.errors import BadInput
from vehicle.frames.preprocess import PROFILES
from vehicle.frames.profile_names import ProfileName
from vehicle.models.int8.calibration_frames import Frames, halves, read_frames
from vehicle.models.int8.choose_precision import judge
from vehicle.models.int8.verdict import Int8Note, Int8Verdict
from vehicle.models.model_files import FRAMES, INT8, NOTE
from vehicle.models.running.check import CheckedModel, check_model
from vehicle.models.running.policy import Policy

_DENSE = frozenset({"Gemm", "MatMul"})
_QUANTISED = ["Conv", "Flatten", "Gemm", "MatMul", "MaxPool", "Relu", "Reshape", "Transpose"]
_MIN_OPSET = 13  # older opsets have no scale for each channel
_JUDGED_FRAMES = 60


def quantise(folder: pathlib.Path, source: pathlib.Path, shrink: ProfileName) -> Int8Verdict:
    """Writes the int8 model, its frames and its note into the folder; returns the verdict. Raises BadInput, OSError.

    `source` holds the frames (calibration_frames.py), `shrink` is the profile that makes the policy's input of them.
    """
    model = check_model(folder)
    calibrating, judging = halves(read_frames(source, shrink))
    content = quantised(model, calibrating)
    judged = judging[np.linspace(0, len(judging) - 1, min(_JUDGED_FRAMES, len(judging))).astype(int)]
    model_folder = model.path.parent
    (model_folder / NOTE).unlink(missing_ok=True)  # an older note is void from here on
    _write(model_folder / INT8, content)
    packed = io.BytesIO()
    np.save(packed, judged, allow_pickle=False)
    _write(model_folder / FRAMES, packed.getvalue())
    verdict = judge(Policy(model), Policy(check_model(model_folder / INT8)), judged)
    note = Int8Note(model.sha256, hashlib.sha256(content).hexdigest(), source.name, len(calibrating), verdict)
    _write(model_folder / NOTE, note.to_json().encode())
    return verdict


def quantised(model: CheckedModel, frames: Frames) -> bytes:
    """The model in int8, scales for each channel, ranges from `frames` (n, 120, 160). Raises BadInput."""
    original = onnx.ModelProto.FromString(model.content)
    if any(opset.domain in ("", "ai.onnx") and opset.version < _MIN_OPSET for opset in original.opset_import):
        raise BadInput(f"{model.path} is of an opset below {_MIN_OPSET}, which cannot be quantised: export it again.")
    for number, node in enumerate(original.graph.node):
        node.name = f"n{number}"  # the library selects nodes by name, and names are optional
    last = [node.name for node in original.graph.node if node.op_type in _DENSE][-1:]
    with tempfile.TemporaryDirectory(prefix="raceday-int8-") as folder:
        path = pathlib.Path(folder) / INT8
        try:
            quantize_static(
                original,
                str(path),
                _CalibrationFrames(model, frames),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                op_types_to_quantize=_QUANTISED,
                nodes_to_exclude=last,
            )
        except Exception as error:  # the library's errors have no common base class
            sentence = str(error).split("\n")[0][:200]
            raise BadInput(f"{model.path}: cannot be quantised ({sentence}).") from None
        return path.read_bytes()


class _CalibrationFrames(CalibrationDataReader):  # type: ignore[misc]  # the library is not typed
    """Feeds the calibration frames to the library, one at a time."""

    def __init__(self, model: CheckedModel, frames: Frames) -> None:
        self._name, self._shape = model.input_name, model.inputs[0].shape
        self._left = iter(frames)

    def get_next(self) -> dict[str, Any] | None:
        """The next frame by input name; None after the last."""
        frame = next(self._left, None)
        return None if frame is None else {self._name: frame.reshape(self._shape).astype(np.float32)}


def _write(path: pathlib.Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)


def main(arguments: list[str]) -> int:
    """Entry point of the child (run_isolated.py); returns the exit code."""
    logging.disable(logging.WARNING)  # the library's advice is not for a racer
    folder, source = map(pathlib.Path, arguments[:2])
    try:
        verdict = quantise(folder, source, next(name for name in PROFILES if name == arguments[2]))
    except OSError as error:
        sys.stderr.write(f"{folder}: int8 cannot be written beside the model ({error.strerror}).\n")
        return 2
    except (BadInput, MemoryError) as error:
        sys.stderr.write(f"{error or 'Quantising needs more memory than it is allowed.'}\n")
        return 2
    sys.stdout.write(f"{verdict.sentence}\n")
    return 0
