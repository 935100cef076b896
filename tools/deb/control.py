"""What Debian wants to know: control, md5sums, changelog and copyright, as texts. Called by `package.py`.

Formats: Debian Policy 5.3 (control) and 12.7 (changelog); the machine-readable copyright format 1.0.
"""

import datetime as dt
import email
import email.message
import email.utils
import hashlib
import os
import pathlib
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence

from shared.errors import BadInput
from tools.deb.archive import DebFile

AUTHORS = "The Raceday authors"
# Policy 5.6.2 wants an address, and the project has none: it is that of the machine on which the package is installed.
OWN_ADDRESS = "raceday@localhost"
WHEELS = "usr/share/raceday/wheels"
_GLIBC = re.compile(r"manylinux_2_(\d+)_")

CONTROL = """\
Package: raceday
Version: {version}
Section: misc
Priority: optional
Architecture: {arch}
Depends: python3 (>= 3.11), python3 (<< 3.14), python3-venv, libc6 (>= 2.{glibc_minor}), libstdc++6
Recommends: mosquitto, python3-lgpio
Suggests: network-manager, postgresql
Maintainer: {maintainer}
Installed-Size: {size_kib}
Description: races of 1/18-scale autonomous cars: station, car and leaderboard
 Raceday runs physical races of autonomous cars (DeepRacer class) end to end:
 the timing station at the track, the software on the car, and the leaderboard.
 .
 This package brings the program with all Python wheels that it needs, so that
 no network is asked. "sudo raceday install station" (or car, or leaderboard)
 makes this machine one.
"""


def control(version: str, arch: str, files: Sequence[DebFile]) -> str:
    """The file `control`; the installed size is told in KiB, and the C library as the wheels need it."""
    size_kib = sum(-(-len(file.content) // 1024) for file in files)
    names = [file.path.rsplit("/", 1)[1] for file in files if file.path.startswith(WHEELS)]
    return CONTROL.format(
        version=version,
        arch=arch,
        maintainer=maintainer(os.environ),
        size_kib=size_kib,
        glibc_minor=oldest_glibc_minor(names),
    )


def maintainer(environment: Mapping[str, str]) -> str:
    """Who answers for the package: whoever publishes it says so as to Debian's own tools (deb-changelog(5), debchange).

    Raises BadInput for what is no name or no address.
    """
    name, address = environment.get("DEBFULLNAME") or AUTHORS, environment.get("DEBEMAIL") or OWN_ADDRESS
    if re.fullmatch(r"[^<>\x00-\x1f]{1,100}", name) is None or re.fullmatch(r"[^\s<>@]+@[^\s<>@]+", address) is None:
        raise BadInput(f"DEBFULLNAME and DEBEMAIL: {name[:60]!r} <{address[:60]}> is no maintainer's name and address.")
    return f"{name} <{address}>"


def oldest_glibc_minor(wheels: Iterable[str]) -> int:
    """The minor version of the oldest glibc 2 on which all wheels run, by their tags; a wheel may have several tags."""
    return max((min(map(int, found)) for name in wheels if (found := _GLIBC.findall(name))), default=17)


def md5sums(files: Iterable[DebFile]) -> str:
    """The file `md5sums`, which `dpkg --verify` reads. MD5 is its format, not a protection."""
    digests = ((hashlib.md5(file.content, usedforsecurity=False).hexdigest(), file.path) for file in files)
    return "".join(f"{digest}  {path}\n" for digest, path in sorted(digests, key=lambda line: line[1]))


def changelog(version: str, at: dt.datetime) -> str:
    """Debian's changelog: one entry, which names the project's own."""
    dated = email.utils.format_datetime(at)
    what = "See CHANGELOG.md of this version."
    return f"raceday ({version}) stable; urgency=medium\n\n  * {what}\n\n -- {maintainer(os.environ)}  {dated}\n"


def copyright_text(notice: str, wheels: Iterable[pathlib.Path]) -> str:
    """The file `copyright`: ours, the notices of what we carry, and each release's licence with where its text is."""
    releases = {"-".join(path.name.split("-")[:2]): path for path in wheels}
    paragraphs = [
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: Raceday",
        f"Files: *\nCopyright: 2026 {AUTHORS}\nLicense: Apache-2.0\nComment:\n{_indented(notice)}",
        *(_release_paragraph(release, path) for release, path in releases.items()),
        "License: Apache-2.0\n On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.",
    ]
    return "\n\n".join(paragraphs) + "\n"


def _indented(text: str) -> str:
    return "\n".join(f" {line}" if line.strip() else " ." for line in text.strip().splitlines())


def _release_paragraph(release: str, path: pathlib.Path) -> str:
    licence, texts = wheel_licence(path)
    where = f"The texts are in the wheel: {', '.join(texts)}." if texts else "The wheel names it and carries no text."
    return (
        f"Files: {WHEELS}/{release}-*.whl\nCopyright: the authors of {release}\n"
        f"License: {release}\n {licence}\n .\n {where}"
    )


def wheel_licence(path: pathlib.Path) -> tuple[str, tuple[str, ...]]:
    """(licence in one line, paths of its licence files) of a wheel, by its metadata (PEP 639 or older).

    Raises BadInput for a wheel that names no licence: nobody may hand it on.
    """
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        info = next(name.split("/")[0] for name in names if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(f"{info}/METADATA"))
    is_text = re.compile(rf"{re.escape(info)}/(.*/)?(licen[cs]e|copying|notice)[^/]*$", re.IGNORECASE)
    texts = tuple(sorted(name for name in names if is_text.match(name)))
    licence = _named_licence(metadata) or ("as in its licence file" if texts else "")
    if not licence:
        raise BadInput(f"{path.name}: the wheel names no licence, so it cannot be handed on in a package.")
    return licence, texts


def _named_licence(metadata: email.message.Message) -> str:
    if expression := metadata.get("License-Expression"):
        return str(expression)
    classifiers = [str(each) for each in metadata.get_all("Classifier", ()) if str(each).startswith("License ::")]
    if classifiers:
        return "; ".join(each.rsplit(":: ", 1)[1] for each in classifiers)
    return next((line.strip() for line in str(metadata.get("License", "")).splitlines() if line.strip()), "")
