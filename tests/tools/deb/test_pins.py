"""The pins that a machine needs, by its Python and processor: markers and hashes of the locks as uv writes them."""

import pathlib

import pytest
from packaging.tags import Tag, parse_tag

from raceday.install.shipped_files import ROLES, lock_file
from shared.errors import BadInput
from tools.deb.pins import MICROS, Pin, Target, pins_for, read_lock

A, B = "a" * 64, "b" * 64
LOCK = f"""\
async-timeout==5.0.1 ; python_full_version < '3.11.3' \\
    --hash=sha256:{A}
lgpio==0.2.2.0 ; python_full_version < '3.13' \\
    --hash=sha256:{A} \\
    --hash=sha256:{B}
numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash=sha256:{A}
numpy==2.5.5 ; python_full_version >= '3.12' \\
    --hash=sha256:{B}
pycparser==3.12 ; implementation_name != 'PyPy' \\
    --hash=sha256:{A}
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:{A}
sse==1.0 ; platform_machine == 'x86_64' \\
    --hash=sha256:{A}
"""


def written(folder: pathlib.Path, text: str) -> tuple[Pin, ...]:
    path = folder / "role.lock"
    path.write_text(text)
    return read_lock(path)


@pytest.mark.parametrize(
    ("machine", "minor", "releases"),
    [
        # Debian 12 has Python 3.11.2, others 3.11.9: the wheels are for both.
        ("x86_64", 11, "async-timeout==5.0.1 lgpio==0.2.2.0 numpy==2.4.6 pycparser==3.12 sse==1.0"),
        ("aarch64", 12, "lgpio==0.2.2.0 numpy==2.5.5 pycparser==3.12"),
        ("aarch64", 13, "numpy==2.5.5 pycparser==3.12"),
    ],
)
def test_markers_are_judged_for_the_machine(tmp_path: pathlib.Path, machine: str, minor: int, releases: str) -> None:
    pins = pins_for(Target("any", machine, (3, minor)), [written(tmp_path, LOCK)])
    assert " ".join(pin.release for pin in pins) == releases


def test_a_pin_has_all_its_hashes(tmp_path: pathlib.Path) -> None:
    assert [pin.hashes for pin in written(tmp_path, LOCK)][1] == {A, B}


def test_two_locks_that_disagree_are_refused(tmp_path: pathlib.Path) -> None:
    locks = [written(tmp_path, f"rich==1{n}.0 --hash=sha256:{A}\n") for n in (3, 4)]
    with pytest.raises(BadInput, match=r"disagree: rich==13\.0 and rich==14\.0"):
        pins_for(Target("amd64", "x86_64", (3, 11)), locks)


@pytest.mark.parametrize(
    "line",
    [
        "rich==14.0",
        f"rich>=14.0 --hash=sha256:{A}",
        f"rich==14.* --hash=sha256:{A}",
        f"rich --hash=sha256:{A}",
        f"-r others.lock --hash=sha256:{A}",
        f"rich @ file:///tmp/rich.whl --hash=sha256:{A}",
        "rich==14.0 --hash=md5:0123",
        f"rich==14.0 --hash=sha256:{A[:-1]}",
    ],
)
def test_a_line_that_pins_nothing_is_refused(tmp_path: pathlib.Path, line: str) -> None:
    with pytest.raises(BadInput, match=r"role\.lock: .*run \./dev lock"):
        written(tmp_path, line + "\n")


def test_a_lock_that_is_not_there_is_a_sentence(tmp_path: pathlib.Path) -> None:
    with pytest.raises(BadInput, match=r"car\.lock: the lock cannot be read"):
        read_lock(tmp_path / "car.lock")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("minor", [11, 12, 13])
def test_the_shipped_locks_agree_for_every_machine(machine: str, minor: int) -> None:
    target = Target("any", machine, (3, minor))
    pins = pins_for(target, [read_lock(lock_file(role)) for role in ROLES])
    names = [pin.requirement.name for pin in pins]
    assert {"apsw", "onnxruntime", "sqlalchemy"} <= set(names)
    assert len(names) == len(set(names)), "a release for each part of one minor version needs a wheel of each"
    assert {"pytest", "mypy", "playwright"}.isdisjoint(names)
    assert all(pin.holds_for(target.environment(micro)) or pin.requirement.marker for pin in pins for micro in MICROS)


def test_platforms_are_names_of_wheels_for_glibc() -> None:
    arm, pc = (Target("any", machine, (3, 11)).platforms for machine in ("aarch64", "x86_64"))
    assert arm[0] == "manylinux_2_36_aarch64"
    assert "manylinux_2_16_aarch64" not in arm, "the processor is younger than that"
    assert "manylinux1_x86_64" in pc
    assert "manylinux1_aarch64" not in arm
    assert {Tag("cp37", "abi3", each) for each in pc} >= set(
        parse_tag("cp37-abi3-manylinux_2_27_x86_64.manylinux_2_28_x86_64")
    )
