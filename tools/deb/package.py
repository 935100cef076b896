"""Which files the package has, and how it is built. Called by `./dev deb`; the folder `files/` has the scripts."""

import datetime as dt
import gzip
import hashlib
import pathlib
from collections.abc import Sequence

from raceday.install.shipped_files import ROLES, sbom_file
from tools.deb.archive import DebFile, write_deb
from tools.deb.control import WHEELS, changelog, control, copyright_text, md5sums

SCRIPTS = pathlib.Path(__file__).parent / "files"
MAINTAINER_SCRIPTS = ("postinst", "prerm", "postrm")


def script(name: str, version: str) -> bytes:
    """A file of `files/` with the version put in."""
    return (SCRIPTS / name).read_text(encoding="utf-8").replace("@VERSION@", version).encode("utf-8")


def package_files(version: str, wheels: Sequence[pathlib.Path], notice: str, at_s: int) -> tuple[DebFile, ...]:
    """All that the package puts onto a machine; `at_s` (seconds since 1970) dates the changelog."""
    at = dt.datetime.fromtimestamp(at_s, dt.UTC)
    docs = "usr/share/doc/raceday"
    return (
        DebFile("usr/bin/raceday", script("raceday", version), 0o755),
        *(DebFile(f"{WHEELS}/{path.name}", path.read_bytes()) for path in wheels),
        DebFile(f"{docs}/copyright", copyright_text(notice, wheels).encode("utf-8")),
        DebFile(f"{docs}/changelog.gz", _gzipped(changelog(version, at).encode("utf-8"))),
        *(DebFile(f"{docs}/sbom/{sbom_file(role).name}", sbom_file(role).read_bytes()) for role in ROLES),
        DebFile("usr/share/man/man1/raceday.1.gz", _gzipped(script("raceday.1", version))),
    )


def _gzipped(content: bytes) -> bytes:
    return gzip.compress(content, compresslevel=9, mtime=0)


def build(folder: pathlib.Path, version: str, arch: str, files: Sequence[DebFile], at_s: int) -> pathlib.Path:
    """Write `raceday_VERSION_ARCH.deb` into the folder, whole or not at all, its SHA-256 beside it; return its path."""
    controls = [
        DebFile("control", control(version, arch, files).encode("utf-8")),
        DebFile("md5sums", md5sums(files).encode("utf-8")),
        *(DebFile(name, script(name, version), 0o755) for name in MAINTAINER_SCRIPTS),
    ]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"raceday_{version}_{arch}.deb"
    part = path.with_suffix(".part")
    with part.open("wb") as out:
        write_deb(out, controls, files, at_s)
    part.replace(path)
    with path.open("rb") as written:
        digest = hashlib.file_digest(written, "sha256").hexdigest()
    path.with_suffix(".deb.sha256").write_text(f"{digest}  {path.name}\n", encoding="utf-8")
    return path
