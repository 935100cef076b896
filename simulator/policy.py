"""A model on disk as something that drives: ONNX session, action space, and the throttle it was made for."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from shared.errors import BadInput
from simulator.lens import POLICY_SIZE, for_policy
from simulator.texture import Image
from vehicle.core.actions import Action, ActionSpace

DEMO = "demo"
DEFAULT_THROTTLE_PERCENT = 50.0
MAX_MODEL_BYTES = 100_000_000
MAX_TEXT_BYTES = 1_000_000
INPUT_SHAPE = [1, 1, POLICY_SIZE[1], POLICY_SIZE[0]]


class Policy:
    """One loaded model; `act` answers a camera frame with an action."""

    def __init__(self, session: Any, space: ActionSpace, throttle_scale: float) -> None:
        self._session = session
        self._space = space
        self._input = session.get_inputs()[0].name
        self.throttle_scale = throttle_scale

    def act(self, frame: Image) -> Action:
        """The action for a (240, 320) grey frame."""
        observation = for_policy(frame).astype(np.float32)[None, None]
        return self._space.decode(self._session.run(None, {self._input: observation})[0], self.throttle_scale)


def load_policy(model: str, throttle_percent: float | None = None) -> Policy:
    """The shipped model (`demo`), a folder with model.onnx, or an .onnx file with model_metadata.json beside it.

    The throttle is the given one, else that of `card.json` beside the model, else 50 per cent. Raises BadInput.
    """
    path = find_model(model)
    space = ActionSpace.parse_metadata(_document(path.with_name("model_metadata.json")))
    session = _session(path)
    _check_shapes(path, session, space)
    percent = throttle_percent if throttle_percent is not None else _card_percent(path.with_name("card.json"))
    if not 0.0 < percent <= 100.0:
        raise BadInput(f"The throttle is {percent:g} per cent: it must be above 0 and at most 100.")
    return Policy(session, space, percent / 100.0)


def recommended_percent(model: str) -> float:
    """The throttle that the model's card recommends, 50 per cent without a card. Raises BadInput."""
    return _card_percent(find_model(model).with_name("card.json"))


def find_model(model: str) -> Path:
    """The .onnx file that `model` names. Raises BadInput."""
    path = Path(str(files("simulator") / "models" / DEMO)) if model == DEMO else Path(model)
    if path.is_dir():
        path = path / "model.onnx"
    if not path.is_file():
        raise BadInput(f"There is no model at {model}: give a folder with model.onnx, an .onnx file, or '{DEMO}'.")
    if path.suffix != ".onnx":
        raise BadInput(f"The model {path} is no .onnx file: convert it first, or give a folder with model.onnx.")
    if path.stat().st_size > MAX_MODEL_BYTES:
        raise BadInput(f"The model {path} is larger than {MAX_MODEL_BYTES // 1_000_000} MB: it would not fit the car.")
    return path


def _document(path: Path) -> Any:
    if not path.is_file():
        raise BadInput(f"The model has no {path.name} beside it: put the metadata of its training into {path.parent}.")
    if path.stat().st_size > MAX_TEXT_BYTES:
        raise BadInput(f"The file {path} is too large to be model metadata: export it again.")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"The file {path} is no readable JSON: export it again.") from error


def _session(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime raises a dozen unrelated classes for a bad file
        raise BadInput(f"The model {path} is no ONNX model that runs here: export it again.") from error


def _check_shapes(path: Path, session: Any, space: ActionSpace) -> None:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or list(inputs[0].shape) != INPUT_SHAPE or inputs[0].type != "tensor(float)":
        found = ", ".join(f"{i.name} {i.shape} {i.type}" for i in inputs)
        raise BadInput(f"The model {path} must have one float input of shape {INPUT_SHAPE}, not {found}.")
    if not outputs or list(outputs[0].shape) != [1, space.size]:
        found = ", ".join(f"{o.name} {o.shape}" for o in outputs)
        raise BadInput(f"The model {path} must answer [1, {space.size}] as its metadata says, not {found}.")


def _card_percent(path: Path) -> float:
    if not path.is_file():
        return DEFAULT_THROTTLE_PERCENT
    card = _document(path)
    percent = card.get("throttle_percent") if isinstance(card, dict) else None
    if isinstance(percent, bool) or not isinstance(percent, int | float):
        raise BadInput(f"The file {path} has no number throttle_percent: write one, or give --throttle.")
    return float(percent)
