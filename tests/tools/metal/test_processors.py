"""What is made of the answers of an emulated processor."""

import math
import os
import pathlib
from typing import Any

import pytest

from shared.errors import OperatorError
from tools.metal.processors.__main__ import package_for
from tools.metal.processors.emulated import PROCESSORS
from tools.metal.processors.smoke import compared, greatest_difference, is_checked

ARM64, ATOM = PROCESSORS
# As numpy 2.4.6 told on QEMU 7.2.
CORTEX_A72 = ["ASIMD", "NEON", "NEON_FP16", "NEON_VFPV4"]
DENVERTON = ["CX16", "LAHF", "MMX", "MOVBE", "POPCNT", "SSE", "SSE2", "SSE3", "SSE41", "SSE42", "SSSE3", "X86_V2"]
HERE: dict[str, Any] = {
    "import_s": 2.0,
    "drivers": 33,
    "simd": ["AVX2"],
    "station": "start",
    "leaderboard": 126,
    "answers": [[0.5, 0.25], [0.1, 0.9]],
}


@pytest.mark.parametrize(
    ("processor", "changed", "bad"),
    [
        (ARM64, {"simd": CORTEX_A72}, []),
        (ATOM, {"simd": DENVERTON}, []),
        (ATOM, {"simd": [*DENVERTON, "AVX"]}, ["vector instructions"]),  # the real processor shone through
        (ARM64, {"simd": DENVERTON}, ["vector instructions"]),
        (ARM64, {"simd": CORTEX_A72, "answers": [[0.5, 0.25], [0.1, 0.9 + 5e-7]]}, []),
        (ARM64, {"simd": CORTEX_A72, "answers": [[0.5, 0.25], [0.1, 0.9 + 2e-6]]}, ["the demo model's answers"]),
        (ARM64, {"simd": CORTEX_A72, "answers": [[0.5, 0.25]]}, ["the demo model's answers"]),
        (ARM64, {"simd": CORTEX_A72, "drivers": 32, "station": ""}, ["drivers", "a station's gates"]),
    ],
)
def test_what_differs_from_this_machine_is_bad(processor: Any, changed: dict[str, Any], bad: list[str]) -> None:
    checks = compared(processor, HERE | changed, HERE)
    assert [check.what for check in checks if not check.is_good] == bad


@pytest.mark.parametrize(
    ("ours", "theirs", "difference"),
    [
        ([[1.0, 2.0]], [[1.0, 2.5]], 0.5),
        ([], [], math.inf),
        ([[1.0]], [[1.0, 2.0]], math.inf),
        ([[1.0, 2.0]], [[1.0, math.nan]], math.inf),
        ([[math.nan, 1.0]], [[math.nan, 1.0]], math.inf),
    ],
)
def test_the_greatest_difference(ours: list[list[float]], theirs: list[list[float]], difference: float) -> None:
    assert greatest_difference(ours, theirs) == difference


@pytest.mark.parametrize(
    ("said", "is_good"),
    [
        ("demo/model.onnx: fit to drive: discrete, 14 outputs, 0.21 ms a frame; fp32 drives.", True),
        ("raceday model: demo/model.onnx: It takes 1434 ms for a frame; no car keeps up with that.", True),
        ("raceday model: demo/model.onnx: this is no ONNX model.", False),
        ("Illegal instruction", False),
        ("", False),
    ],
)
def test_only_slowness_is_forgiven_in_an_emulated_check(said: str, is_good: bool) -> None:
    assert is_checked(said) is is_good


def test_the_newest_package_of_the_processor_is_tried(tmp_path: pathlib.Path) -> None:
    with pytest.raises(OperatorError, match=r"no package for arm64: \./dev deb --arch arm64"):
        package_for(ARM64, tmp_path)
    for at, name in enumerate(("raceday_0.2.0_arm64.deb", "raceday_0.1.0_arm64.deb", "raceday_0.3.0_amd64.deb")):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (at, at))
    assert package_for(ARM64, tmp_path).name == "raceday_0.1.0_arm64.deb"
