"""A measured lens in words, as the table `[lapwatch.lens]`, and put into the car's file. Called by the command."""

import errno
import math
import os
import pathlib
import re
import stat

from shared.errors import BadInput, StorageError
from shared.files import write_whole
from vehicle.lens.measured_lens import MeasuredLens

_HEADER = "[lapwatch.lens]"
_TABLE = re.compile(r"^\s*\[\s*lapwatch\s*\.\s*lens\s*\]\s*(#.*)?$")
_ANY_TABLE = re.compile(r"^\s*\[")
_INLINE = re.compile(r"^\s*(lapwatch\s*\.\s*)?lens\s*[.=]")
_RIM_SHARE = 0.7
_WORSE_SHARE = 0.02
_TURNED_RAD = math.radians(1.5)


def table_of(lens: MeasuredLens) -> str:
    """The TOML table `[lapwatch.lens]`."""
    one = lens.lens
    lines = [
        f"{_HEADER}                # measured by `raceday vehicle lens`",
        f'model = "{"pinhole" if one.k is None else "fisheye"}"',
        f"width_px = {lens.width_px}",
        f"height_px = {lens.height_px}",
        f"focal_px = {one.focal_px:.3f}",
        f"centre_x_px = {one.centre_px[0]:.3f}",
        f"centre_y_px = {one.centre_px[1]:.3f}",
    ]
    lines += [f"k{n} = {value:.6f}" for n, value in enumerate(one.k or (), 1) if value]
    return "\n".join(lines) + "\n"


def report_of(lens: MeasuredLens, pitch_rad: float) -> str:
    """What was found and how sure it is, in lines. `pitch_rad`: what the car's file says."""
    one = lens.lens
    kind = "pinhole" if one.k is None else "fisheye"
    lines = [
        f"pictures     {lens.width_px} x {lens.height_px}, {lens.views} views, {len(lens.corners)} corners",
        f"lens         {kind}, {math.degrees(lens.fov_rad):.1f} degrees across, focal length "
        f"{one.focal_px:.1f} px, give or take {lens.sigmas['focal_px']:.1f}",
        f"distances    right to {100 * lens.distance_share:.1f} % (one standard deviation)",
        f"left over    {lens.scatter_px:.2f} px",
    ]
    fixed = [name for name in ("k1", "k2", "k3", "k4") if one.k is not None and name not in lens.sigmas]
    if fixed:
        lines.append(f"not fitted   {', '.join(fixed)}: these pictures do not tell them from 0")
    if lens.pitch_rad is not None:
        lines.append(f"camera       points {lens.pitch_rad:.4f} rad down; the car's file says {pitch_rad:.4f}")
        if abs(lens.pitch_rad - pitch_rad) > _TURNED_RAD:
            lines.append(f"             set `pitch_rad = {lens.pitch_rad:.4f}` in [lapwatch]")
    if lens.reach_share < _RIM_SHARE:
        lines.append(
            f"doubt        boards were seen only out to {100 * lens.reach_share:.0f} % of half the width: "
            "show them near the left and right rim too"
        )
    if lens.distance_share > _WORSE_SHARE:
        lines.append("doubt        that is too vague: show a board at three distances, from 0.5 to 2 m")
    return "\n".join(lines) + "\n"


def with_table(text: str, table: str) -> str:
    """The car's file with this table in place of its own `[lapwatch.lens]`, or at its end; all else as it was.

    Raises BadInput if the lens is written there in another way.
    """
    lines = text.splitlines(keepends=True)
    begin = next((n for n, line in enumerate(lines) if _TABLE.match(line)), None)
    if begin is None:
        if any(_INLINE.match(line) for line in lines):
            raise BadInput("the car's file has its lens within another table: put the printed table there by hand.")
        return text + ("" if text.endswith("\n") or not text else "\n") + "\n" + table
    end = next((n for n in range(begin + 1, len(lines)) if _ANY_TABLE.match(lines[n])), len(lines))
    while end > begin + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1  # comments and empty lines before the next table belong to that
    return "".join([*lines[:begin], table, *lines[end:]])


def write_text(path: pathlib.Path, text: str) -> None:
    """Replace the file in one step, with the owner and mode that it has. Raises StorageError, BadInput for a link.

    Root writes where a service may: nothing is followed, and nothing is written that is there already.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            before = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise BadInput(f"{path}: is no file; name the car's own by --config.")
        write_whole(path, text.encode(), is_durable=True, like=before)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise BadInput(f"{path}: is a link; name the file that it stands for by --config.") from None
        remedy = "; run it as the file's owner, or with sudo" if error.errno in (errno.EPERM, errno.EACCES) else ""
        raise StorageError(f"{path}: cannot be written ({error.strerror}){remedy}.") from None
