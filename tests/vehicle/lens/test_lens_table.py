"""The measured lens as a table of the car's file, in words, and as a drawing."""

import dataclasses
import errno
import math
import os
import secrets
import stat
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.config import from_table
from shared.errors import BadInput, StorageError
from vehicle.lapwatch.lens import Lens, lens_of
from vehicle.lapwatch.markers import LapwatchOptions
from vehicle.lens.lens_table import report_of, table_of, with_table, write_text
from vehicle.lens.measured_lens import CornerMiss, MeasuredLens
from vehicle.lens.miss_picture import miss_picture

CORNERS = tuple(CornerMiss(10.0 + 30 * n, 20.0 * n, 0.2, -0.1) for n in range(11))
FISHEYE = MeasuredLens(
    Lens(118.25, (160.5, 118.0), (-0.03, 0.01, 0.0, 0.0)),
    320,
    240,
    {"focal_px": 0.6, "k1": 0.004, "k2": 0.002},
    14,
    CORNERS,
    0.26,
)
PINHOLE = dataclasses.replace(FISHEYE, lens=Lens(251.0, (159.5, 119.5)), sigmas={"focal_px": 9.0}, pitch_rad=None)


@pytest.mark.parametrize("lens", [FISHEYE, PINHOLE])
def test_the_table_reads_back_as_the_same_lens(lens: MeasuredLens) -> None:
    options = from_table(tomllib.loads(table_of(lens))["lapwatch"], LapwatchOptions, "t")
    read = lens_of(options.lens, options.fov_rad, (lens.height_px, lens.width_px))
    assert read.focal_px == pytest.approx(lens.lens.focal_px, abs=1e-3)
    assert read.centre_px == pytest.approx(lens.lens.centre_px, abs=1e-3)
    assert read.k == lens.lens.k


CAR = """device = "car-1"
[lapwatch]   # mine
min_lap_s = 3.0
[[lapwatch.boards]]
id = 0
size_m = 0.2
"""


@pytest.mark.parametrize(
    "text",
    [
        CAR,
        CAR.rstrip("\n"),
        CAR + '\n[lapwatch.lens]\nknown = "pi-v2"\n\n# the broker\n[mqtt]\nhost = "h"\n',
        "[lapwatch.lens] # old\nfocal_px = 1.0\nk1 = 0.5\n" + CAR.replace("[lapwatch]   # mine\nmin_lap_s = 3.0\n", ""),
        CAR + table_of(FISHEYE),
    ],
)
def test_the_table_is_put_into_the_file_and_all_else_stays(text: str) -> None:
    changed = with_table(text, table_of(FISHEYE))
    before, after = tomllib.loads(text), tomllib.loads(changed)
    assert after["lapwatch"].pop("lens") == tomllib.loads(table_of(FISHEYE))["lapwatch"]["lens"]
    before["lapwatch"].pop("lens", None)
    assert after == before
    assert changed.count("#") >= text.count("#") - 1  # only the old table's own comment may go
    assert with_table(changed, table_of(FISHEYE)) == changed


@given(st.text(alphabet="[]lapwtch.en=# \n'\"1", max_size=60))
def test_any_text_keeps_its_other_lines(text: str) -> None:
    try:
        changed = with_table(text, table_of(FISHEYE))
    except BadInput:
        return
    assert table_of(FISHEYE) in changed
    kept = [line for line in text.splitlines() if line.startswith("[") and "lens" not in line]
    assert [line for line in changed.splitlines() if line in kept][: len(kept)] == kept


def test_a_lens_within_another_table_is_left_to_a_person() -> None:
    with pytest.raises(BadInput, match="by hand"):
        with_table('[lapwatch]\nlens = { known = "pi-v2" }\n', table_of(FISHEYE))


def test_the_report_says_what_is_vague() -> None:
    text = report_of(PINHOLE, 0.2388)
    assert "3.6 %" in text
    assert "three distances" in text
    text = report_of(FISHEYE, 0.2388)
    assert "k3, k4" in text
    assert "doubt" not in text
    assert "set `pitch_rad" not in text
    assert "set `pitch_rad = 0.2600`" in report_of(FISHEYE, 0.2)
    middle = dataclasses.replace(FISHEYE, corners=CORNERS[4:7])
    assert "left and right rim" in report_of(middle, 0.2388)


def test_the_drawing_is_well_formed_and_shows_each_corner() -> None:
    root = ET.fromstring(miss_picture(FISHEYE, "car-1 <&> lens"))
    svg = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f".//{svg}circle")) == len(CORNERS)
    assert root.findtext(f"{svg}title") == "car-1 <&> lens"
    polygons = root.findall(f".//{svg}polygon")
    assert len(polygons) >= 4
    first = [float(one) for one in polygons[0].attrib["points"].split()[0].split(",")]
    # The ring of 15 degrees: theta + k1 theta^3 + k2 theta^5 times the focal length, three times enlarged.
    angle = math.radians(15)
    assert first[0] == pytest.approx((160.5 + 118.25 * (angle - 0.03 * angle**3 + 0.01 * angle**5) + 0.5) * 3, abs=0.1)


def test_the_file_keeps_its_mode_and_owner_and_a_full_disk_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "car.toml"
    file.write_text("a = 1\n")
    if os.geteuid() == 0:
        os.chown(file, 4242, 4343)
    file.chmod(0o640)
    before = file.stat()
    write_text(file, "a = 2\n")
    assert file.read_text() == "a = 2\n"
    after = file.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    with pytest.raises(StorageError, match="cannot be written"):
        write_text(tmp_path / "no" / "car.toml", "")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left on device"):
        write_text(file, "a = 3\n")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("car.toml", "a = 2\n")]


def test_root_follows_no_link_of_whoever_may_write_in_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, victim = tmp_path / "car.toml", tmp_path / "shadow"
    file.write_text("a = 1\n")
    victim.write_text("root:*\n")
    (tmp_path / "car.toml.new").symlink_to(victim)  # the name that it once was written under
    write_text(file, "a = 2\n")
    monkeypatch.setattr(secrets, "token_hex", lambda _: "ab")  # and were the name foreseen
    (tmp_path / ".car.toml.ab.part").symlink_to(victim)
    with pytest.raises(StorageError, match="File exists"):
        write_text(file, "a = 3\n")
    assert file.read_text() == "a = 2\n"
    file.unlink()
    file.symlink_to(victim)
    with pytest.raises(BadInput, match="is a link; name the file that it stands for"):
        write_text(file, "a = 4\n")
    assert file.is_symlink()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadInput, match="is no file"):
        write_text(tmp_path / "pipe", "a = 5\n")  # which nobody writes to: to open it would wait
    assert victim.read_text() == "root:*\n"


def test_an_owner_that_cannot_be_kept_is_refused_and_nothing_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "car.toml"
    file.write_text("a = 1\n")
    real = os.fstat

    def of_another(descriptor: int) -> os.stat_result:
        status = list(real(descriptor))
        status[stat.ST_UID] += 1 if Path(f"/proc/self/fd/{descriptor}").readlink() == file else 0
        return os.stat_result(status)

    def refused(_descriptor: int, _uid: int, _gid: int) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "fstat", of_another)
    monkeypatch.setattr(os, "fchown", refused)
    with pytest.raises(StorageError, match="run it as the file's owner, or with sudo"):
        write_text(file, "a = 2\n")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("car.toml", "a = 1\n")]
