"""A model that drives in the mock world: the car's own model check and policy, and the throttle of the model card."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from shared.errors import BadInput
from simulator.world.floor_masks import Image
from vehicle.core.actions import Action
from vehicle.frames.profile_names import ProfileName
from vehicle.models.running.check import check_model
from vehicle.models.running.policy import Policy as CarPolicy

DEMO = "demo"
CARD = "card.json"
DEFAULT_THROTTLE_PERCENT = 50.0
MAX_CARD_BYTES = 65_536


class DrivingPolicy:
    """One loaded model; `act` answers a camera frame with an action."""

    def __init__(self, model: CarPolicy, throttle_scale: float) -> None:
        self._model = model
        self.throttle_scale = throttle_scale

    def act(self, frame: Image) -> Action:
        """The action for a grey frame, (240, 320) as the camera delivers it. Raises BadInput if there is none."""
        self._model.preprocess(frame)
        return self._model.model.metadata.space.decode(self._model.answer(), self.throttle_scale)


def load_policy(model: str, throttle_percent: float | None = None, profile: ProfileName = "grey-area") -> DrivingPolicy:
    """Load the shipped model (`demo`), a folder with model.onnx, or an .onnx file with model_metadata.json beside it.

    The throttle is the given one, else that of `card.json` beside the model, else 50 per cent; `profile` is how the
    car resizes its pictures. Raises BadInput.
    """
    path = find_model(model)
    return DrivingPolicy(CarPolicy(check_model(path), profile), throttle_scale(model, throttle_percent))


def throttle_scale(model: str, throttle_percent: float | None) -> float:
    """The given throttle, else that of the model's card, as a share of the full one. Raises BadInput."""
    percent = recommended_percent(model) if throttle_percent is None else throttle_percent
    if not 0.0 < percent <= 100.0:
        raise BadInput(f"The throttle is {percent:g} per cent: it must be above 0 and at most 100.")
    return percent / 100.0


def find_model(model: str) -> Path:
    """The .onnx file that `model` names. Raises BadInput."""
    path = Path(str(files("simulator") / "data" / "models" / DEMO)) if model == DEMO else Path(model)
    if path.is_dir():
        path = path / "model.onnx"
    if not path.is_file():
        raise BadInput(f"There is no model at {model}: give a folder with model.onnx, an .onnx file, or '{DEMO}'.")
    return path


def recommended_percent(model: str) -> float:
    """The throttle that the model's card recommends, 50 per cent without a card. Raises BadInput."""
    path = find_model(model).with_name(CARD)
    if not path.is_file():
        return DEFAULT_THROTTLE_PERCENT
    card = _document(path)
    percent = card.get("throttle_percent") if isinstance(card, dict) else None
    if isinstance(percent, bool) or not isinstance(percent, int | float) or not 0.0 < percent <= 100.0:
        raise BadInput(f"{path}: its throttle_percent must be a number above 0 and at most 100; or give --throttle.")
    return float(percent)


def _document(path: Path) -> Any:
    with path.open("rb") as file:
        text = file.read(MAX_CARD_BYTES + 1)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path}: the model's card is not readable JSON; write it again or remove it.") from error
