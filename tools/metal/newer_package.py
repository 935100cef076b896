"""Makes a newer version of a package, which differs in its number alone: what the scenario upgrade upgrades to.

Called by machine.py, on this machine: an emulated one would take minutes for it.
"""

import hashlib
import pathlib
import re
import zipfile

from shared.errors import BadInput
from tools.metal.commands import run

WHEELS = "usr/share/raceday/wheels"
STARTER = "usr/bin/raceday"  # names its version too


def newer_package(deb: pathlib.Path, folder: pathlib.Path, log: pathlib.Path) -> pathlib.Path:
    """The package as version VERSION.1, in `folder`; it is unpacked there too. Raises BadInput if it is not ours."""
    found = re.fullmatch(r"raceday_([0-9][0-9.]*)_([a-z0-9]+)\.deb", deb.name)
    if found is None:
        raise BadInput(f"{deb.name} is no package of ours: give the file that ./dev deb has made.")
    version, newer = found[1], f"{found[1]}.1"
    root = folder / "root"
    folder.mkdir(parents=True, exist_ok=True)
    run(["dpkg-deb", "-R", str(deb), str(root)], log)
    wheel = root / WHEELS / f"raceday-{version}-py3-none-any.whl"
    write_newer_wheel(wheel, version, newer)
    wheel.unlink()
    for name, line in (("DEBIAN/control", "Version: {}\n"), (STARTER, "version={}\n")):
        path = root / name
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(line.format(version), line.format(newer)), encoding="utf-8")
    sums = (
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.relative_to(root)}\n"
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.relative_to(root).parts[0] != "DEBIAN"
    )
    (root / "DEBIAN/md5sums").write_text("".join(sums), encoding="utf-8")
    made = folder / f"raceday_{newer}_{found[2]}.deb"
    run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", str(root), str(made)], log)
    return made


def write_newer_wheel(wheel: pathlib.Path, version: str, newer: str) -> None:
    """Writes the wheel of the newer version beside this one."""
    old_info, new_info = f"raceday-{version}.dist-info/", f"raceday-{newer}.dist-info/"
    with (
        zipfile.ZipFile(wheel) as source,
        zipfile.ZipFile(wheel.with_name(f"raceday-{newer}-py3-none-any.whl"), "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename == f"{old_info}METADATA":
                data = data.replace(f"\nVersion: {version}\n".encode(), f"\nVersion: {newer}\n".encode())
            if entry.filename == f"{old_info}RECORD":
                # Hashes in RECORD are optional: without them it is right for what has changed.
                names = [line.split(",")[0].replace(old_info, new_info) for line in data.decode().split("\n") if line]
                data = "".join(f"{name},,\n" for name in names).encode()
            target.writestr(entry.filename.replace(old_info, new_info), data)
