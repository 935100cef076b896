"""How a model and its files are named, how large they may be, its cameras: known before any library is loaded."""

import re

MODEL = "model.onnx"
METADATA = "model_metadata.json"
MAX_MODEL_BYTES = 256 << 20  # the largest network of the field, DEEP for two cameras, has 230 MB
MAX_METADATA_BYTES = 262_144  # 1,024 actions, laid out with room
ONE_CAMERA = ("observation", "FRONT_FACING_CAMERA", "LEFT_CAMERA")  # three names of the one grey front camera
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
MAX_LETTERS = 60
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


def fit_name(given: str) -> str:
    """Letters, digits, dots, dashes and underscores, beginning with a letter or digit; never empty, never a path."""
    name = _UNFIT.sub("_", given).strip("._-")[:MAX_LETTERS].strip("._-")
    return name or "model"
