"""What an installed environment does on this processor: imports, builds, and what the demo model answers to pictures.

Run by `python smoke.py FOLDER` inside an emulated machine, and on the host for the answers to compare with: prints one
JSON object. It is run by the environment's own Python and knows nothing of the tools beside it.
"""

import importlib
import importlib.metadata
import json
import pathlib
import platform
import sys
import time

import numpy as np

MODULES = (
    "station.build", "station.web.app", "station.commands.sync", "station.commands.gate.gate",
    "vehicle.build", "vehicle.pilot.pilot", "vehicle.guard.guard", "vehicle.comms.comms",
    "leaderboard.cli", "leaderboard.app", "raceday.certs.cli",
    "apsw", "cryptography.fernet", "cv2", "onnx", "onnxruntime", "pydantic_core", "zstandard", "nh3", "PIL.Image",
)  # fmt: skip
# Those of the mock world need the extra `simulator`, which no role has.
GROUPS = ("gates", "decoders", "motors", "cameras", "stop_buttons", "start_lights")
PICTURES = 8


def main(folder: pathlib.Path) -> dict[str, object]:
    """All that is looked at; an exception ends it, since then the machine cannot run the product."""
    began = time.monotonic()
    for module in MODULES:
        importlib.import_module(module)
    named = [point for group in GROUPS for point in importlib.metadata.entry_points(group=f"raceday.{group}")]
    drivers = [point for point in named if point.name != "simulator"]
    for point in drivers:
        point.load()
    return {
        "machine": platform.machine(),
        "python": platform.python_version(),
        "import_s": round(time.monotonic() - began, 1),
        "drivers": len(drivers),
        "simd": vector_units(),
        "station": build_station(folder),
        "leaderboard": build_leaderboard(folder),
        "answers": answers(),
    }


def vector_units() -> list[str]:
    """The vector instructions that numpy found: an Atom has no AVX, a Cortex-A72 no SVE."""
    # numpy has no public name for it.
    found = importlib.import_module("numpy._core._multiarray_umath").__cpu_features__

    return sorted(name for name, is_there in found.items() if is_there)


def build_station(folder: pathlib.Path) -> str:
    """A station built from the shipped config, with its journal on disk: the gates that it has."""
    from raceday.install.shipped_files import config_text  # noqa: PLC0415
    from shared.config import load  # noqa: PLC0415
    from station.build import build  # noqa: PLC0415
    from station.config import StationConfig  # noqa: PLC0415

    path = folder / "station.toml"
    path.write_text(config_text("station.toml").replace('"../data/station"', f'"{folder}/data"'), encoding="utf-8")
    config = load(path, StationConfig)
    build(config)
    assert (folder / "data" / "station.db").exists()
    return ", ".join(gate.name for gate in config.gate)


def build_leaderboard(folder: pathlib.Path) -> int:
    """A leaderboard's store with its tables, and its contract: the number of its paths."""
    from leaderboard.build import contract, open_board  # noqa: PLC0415

    open_board(folder / "leaderboard.db")
    return len(json.loads(contract())["paths"])


def answers() -> list[list[float]]:
    """The demo model's output for pictures of noise and ramps, by the car's own path from a camera's picture."""
    import simulator  # noqa: PLC0415
    from vehicle.models.running.check import check_model  # noqa: PLC0415
    from vehicle.models.running.policy import Policy  # noqa: PLC0415

    policy = Policy(check_model(pathlib.Path(simulator.__path__[0]) / "data" / "models" / "demo"))
    found = []
    for seed in range(PICTURES):
        random = np.random.default_rng(seed)
        picture = np.tile(np.linspace(0, 255, 640, dtype=np.uint8)[:, None], (480, 1, 3))
        picture ^= random.integers(0, 16 << seed % 4, picture.shape, dtype=np.uint8)
        policy.preprocess(picture)
        found.append([float(each) for each in policy.answer()])
    return found


if __name__ == "__main__":
    print(json.dumps(main(pathlib.Path(sys.argv[1]))))
