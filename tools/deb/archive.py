"""The format of a Debian package, deb(5): an ar archive of `debian-binary`, the control files and the files.

Pure: the same entries and time give the same bytes on every machine, whoever builds. Called by `package.py`.
"""

import io
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

_MEMBER_HEADER = "{name:<16}{at_s:<12}{uid:<6}{gid:<6}{mode:<8o}{size:<10}`\n"


@dataclass(frozen=True, slots=True)
class DebFile:
    """One file of a package: its path from the root without a leading slash, its content, and its mode."""

    path: str
    content: bytes
    mode: int = 0o644


def tar(files: Iterable[DebFile], at_s: int) -> bytes:
    """A tar of the files and the folders above them, sorted, all owned by root and of one time (seconds since 1970)."""
    by_path = {file.path: file for file in files}
    folders = {"/".join(path.split("/")[:depth]) for path in by_path for depth in range(1, path.count("/") + 1)}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(_info("./", 0o755, at_s, tarfile.DIRTYPE))
        for path in sorted(by_path.keys() | folders):
            file = by_path.get(path)
            if file is None:
                archive.addfile(_info(f"./{path}/", 0o755, at_s, tarfile.DIRTYPE))
                continue
            entry = _info(f"./{path}", file.mode, at_s, tarfile.REGTYPE)
            entry.size = len(file.content)
            archive.addfile(entry, io.BytesIO(file.content))
    return out.getvalue()


def _info(name: str, mode: int, at_s: int, kind: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.mode, entry.mtime, entry.type = mode, at_s, kind
    entry.uname = entry.gname = "root"
    return entry


def write_deb(out: BinaryIO, control: Iterable[DebFile], files: Iterable[DebFile], at_s: int) -> None:
    """Write a package. Its tars are plain: the wheels in it are compressed, and compressors differ by their version."""
    members = (("debian-binary", b"2.0\n"), ("control.tar", tar(control, at_s)), ("data.tar", tar(files, at_s)))
    out.write(b"!<arch>\n")
    for name, content in members:
        header = _MEMBER_HEADER.format(name=name, at_s=at_s, uid=0, gid=0, mode=0o100644, size=len(content))
        out.write(header.encode("ascii") + content + b"\n" * (len(content) % 2))
