"""An archive as a training leaves it: two checkpoints, of which one drives well, beside the states of optimisers."""

import io
import json
import pathlib
import random
import tarfile

from simulator.driving.policy import find_model
from tests.vehicle.sample_parts import tiny_graph

BEST = "model/model_2.onnx"


def write_trained_archive(path: pathlib.Path) -> pathlib.Path:
    """The demo model as the second checkpoint; the first one always steers as its first action says."""
    demo = find_model("demo").parent
    metadata = (demo / "model_metadata.json").read_bytes()
    outputs = len(json.loads(metadata)["action_space"])
    files = {
        "model_metadata.json": metadata,
        "model/model_1.onnx": tiny_graph([9.0, *[0.0] * (outputs - 1)], outputs=outputs).SerializeToString(),
        BEST: (demo / "model.onnx").read_bytes(),
        "model/2_Step-900.ckpt.data-00000-of-00001": random.Random(1).randbytes(2_000_000),
    }
    with tarfile.open(path, "w:gz", compresslevel=1) as target:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            target.addfile(info, io.BytesIO(content))
    return path
