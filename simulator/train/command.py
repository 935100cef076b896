"""`raceday model train`: train, then write the model card, the learning curve and the figures beside the model."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from shared.errors import StorageError
from simulator.train.dagger import TrainingPlan, train
from simulator.train.report import write_card, write_curve
from simulator.world.geometry import Track


def run(tracks: Sequence[Track], folder: Path, seed: int, sizes: Mapping[str, int]) -> None:
    """Train on `tracks` into `folder`; `sizes` overrides numbers of the plan. Raises StorageError."""
    plan = TrainingPlan(seed=seed, **sizes)
    try:
        rounds = train(plan, tracks, folder)
        write_curve(rounds, folder / "rounds.png")
        write_card(plan, rounds, tracks, folder)
    except OSError as error:
        raise StorageError(
            f"The model cannot be written to {folder}: {error.strerror}; give another folder."
        ) from error
    Console(stderr=True).print(f"{folder / 'model.onnx'}: {rounds[-1].frames} frames in {len(rounds)} rounds")
