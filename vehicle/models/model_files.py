"""Names and size limits of a model's files, and the cameras of the car. Imports none of the slow libraries."""

import re

MODEL = "model.onnx"
METADATA = "model_metadata.json"
INT8, NOTE, FRAMES = "model.int8.onnx", "int8.json", "int8_frames.npy"  # what quantising adds (int8/)
MAX_MODEL_BYTES = 256 << 20  # the largest DeepRacer network, DEEP with two cameras, has 230 MB
MAX_METADATA_BYTES = 262_144  # enough for 1,024 actions, one a line
ONE_CAMERA = ("observation", "FRONT_FACING_CAMERA", "LEFT_CAMERA")  # three names for the single grey front camera
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
MAX_LETTERS = 60
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


def fit_name(given: str) -> str:
    """Turns any text into a valid name: letters, digits, dots, dashes, underscores; never empty, never a path."""
    name = _UNFIT.sub("_", given).strip("._-")[:MAX_LETTERS].strip("._-")
    return name or "model"
