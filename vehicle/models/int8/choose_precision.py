"""Chooses between fp32 and int8: both are timed on this machine and compared on recorded frames.

Called when the pilot starts. The rule is in verdict.py. If the int8 model or its note cannot be used, fp32 drives, with
a sentence that explains why.
"""

import dataclasses
import pathlib
import time
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shared.errors import BadInput
from vehicle.frames.profile_names import ProfileName
from vehicle.models.int8.verdict import Int8Verdict, Precision, load_note
from vehicle.models.model_files import FRAMES, INT8, NOTE
from vehicle.models.running.check import HEIGHT, WIDTH, check_model
from vehicle.models.running.policy import Policy

Wanted = Literal["auto", "fp32"]

_CLOSE = 0.1
_PACE_S = 0.005
_MAX_FRAMES = 200


@dataclass(frozen=True, slots=True)
class PrecisionChoice:
    """The policy that drives, and one sentence that explains why."""

    policy: Policy
    precision: Precision
    sentence: str


def choose(
    path: pathlib.Path, shrink: ProfileName = "grey-area", wanted: Wanted = "auto", flushes_denormals: bool = False
) -> PrecisionChoice:
    """The policy of a model's folder in the precision for this machine. Raises BadInput if the fp32 model is unfit.

    `flushes_denormals`: as of open_session; for a process that does nothing but drive.
    """
    fp32 = Policy(check_model(path), shrink, flushes_denormals)
    folder = fp32.model.path.parent
    if wanted == "fp32" or not (folder / NOTE).is_file():
        return PrecisionChoice(
            fp32, "fp32", "fp32 drives: the settings say so." if wanted == "fp32" else "fp32 drives."
        )
    try:
        int8 = _int8(folder, fp32, shrink, flushes_denormals)
        verdict = judge(fp32, int8, load_frames(folder))
    except BadInput as error:
        return PrecisionChoice(
            fp32, "fp32", f"fp32 drives: the int8 version cannot be used ({str(error).rstrip('.')})."
        )
    return PrecisionChoice(int8 if verdict.precision == "int8" else fp32, verdict.precision, verdict.sentence)


def _int8(folder: pathlib.Path, fp32: Policy, shrink: ProfileName, flushes_denormals: bool) -> Policy:
    """The int8 model in the folder. Raises BadInput unless it was made from this fp32 model and is fit to drive."""
    note, model = load_note(folder), check_model(folder / INT8)
    if note.of_sha256 != fp32.model.sha256:
        raise BadInput("it was made from another model")
    if note.sha256 != model.sha256:
        raise BadInput("it is not the one that was compared with fp32")
    return Policy(dataclasses.replace(model, name=fp32.model.name), shrink, flushes_denormals)


def judge(fp32: Policy, int8: Policy, frames: NDArray[np.uint8]) -> Int8Verdict:
    """Compares both models on each of the frames, (n, 120, 160) uint8, in speed and in how they drive.

    They run in turn and are paced as on the track, so that caches are cold.
    """
    differences: list[tuple[float, float]] = []
    times_ns: dict[bool, list[int]] = {False: [], True: []}
    due_s = time.monotonic()
    for number, frame in enumerate(frames):
        actions = {}
        for is_int8 in (number % 2 == 0, number % 2 == 1):
            policy = int8 if is_int8 else fp32
            policy.preprocess(frame)
            began_ns = time.perf_counter_ns()
            answer = policy.answer()
            times_ns[is_int8].append(time.perf_counter_ns() - began_ns)
            actions[is_int8] = policy.model.metadata.space.decode(answer, 1.0)
            due_s += _PACE_S
            time.sleep(max(0.0, due_s - time.monotonic()))
        differences.append(
            (
                abs(actions[True].steering - actions[False].steering),
                abs(actions[True].throttle - actions[False].throttle),
            )
        )
    steering, throttle = (np.array(column) for column in zip(*differences, strict=True))
    return Int8Verdict(
        frames=len(differences),
        alike=float(np.mean((steering <= _CLOSE) & (throttle <= _CLOSE))),
        steering_mean=float(steering.mean()),
        steering_max=float(steering.max()),
        fp32_us=int(np.median(times_ns[False]) // 1000),
        int8_us=int(np.median(times_ns[True]) // 1000),
    )


def load_frames(folder: pathlib.Path) -> NDArray[np.uint8]:
    """The frames for the comparison, (n, 120, 160) uint8. Raises BadInput."""
    path = folder / FRAMES
    try:
        frames = np.lib.format.open_memmap(path, mode="r")  # np.load would accept pickles and ZIP files as well
    except (OSError, ValueError, EOFError):
        raise BadInput(f"{path} cannot be read: quantise the model again.") from None
    if frames.dtype != np.uint8 or frames.shape[1:] != (HEIGHT, WIDTH) or not 1 <= len(frames) <= _MAX_FRAMES:
        raise BadInput(f"{path} holds no frames of 160 x 120: quantise the model again.")
    return np.array(frames)
