"""The program as a wheel, with the pins of each role inside: from a folder of wheels, or of what runs now.

Called by the plan of an installation and by an upgrade. Source: the binary distribution format of packaging.python.org
(a wheel is a zip with METADATA, WHEEL and RECORD).
"""

import base64
import hashlib
import importlib.metadata
import lzma
import pathlib
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass

from raceday.install.shipped_files import ROLES, Role
from shared.errors import BadInput, OperatorError

DEB_WHEELS = pathlib.Path("/usr/share/raceday/wheels")
_NAME = re.compile(r"raceday-(\d+(?:\.\d+)*[A-Za-z0-9.+]*)-py3-none-any\.whl", re.ASCII)
_NOT_CARRIED = ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json")
MAX_BYTES = 500_000_000  # unpacked
# What zipfile raises for bytes that are none of a zip: a copy that was cut off, a card that fails, another's making.
NOT_WHOLE = (
    OSError, EOFError, KeyError, NotImplementedError, OverflowError, RuntimeError, UnicodeDecodeError, ValueError,
    lzma.LZMAError, struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
_DATE = (1980, 1, 1, 0, 0, 0)  # the oldest that a zip can hold: equal files make equal wheels


@dataclass(frozen=True, slots=True)
class ProgramWheel:
    """One version of the program. `digest`: 8 hexadecimal digits of all that it holds."""

    path: pathlib.Path
    version: str
    digest: str
    locks: dict[Role, str]


def program_wheel(wheels: pathlib.Path | None, work: pathlib.Path) -> ProgramWheel:
    """The newest in the folder `wheels`, else the program that runs now, packed into the folder `work`.

    Raises OperatorError if there is none.
    """
    if wheels is None:
        return read_wheel(packed_again(work))
    found = sorted(wheels.glob("raceday-*.whl"), key=lambda path: _order(path.name))
    if not found:
        raise OperatorError(f"{wheels}: holds no wheel of Raceday (raceday-VERSION-py3-none-any.whl).")
    return read_wheel(found[-1])


def read_wheel(path: pathlib.Path) -> ProgramWheel:
    """A wheel of this program, checked as far as an installation needs it. Raises BadInput."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise BadInput(f"{path}: is no wheel of Raceday; its name would be raceday-VERSION-py3-none-any.whl.")
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(path) as wheel:
            if sum(each.file_size for each in wheel.infolist()) > MAX_BYTES:
                raise BadInput(f"{path}: unpacks to more than {MAX_BYTES // 1_000_000} MB: it is no wheel of Raceday.")
            for name in sorted(wheel.namelist()):
                if ".dist-info/" not in name:
                    digest.update(name.encode() + b"\0" + hashlib.sha256(wheel.read(name)).digest())
            locks = {role: wheel.read(f"raceday/install/locks/{role}.lock").decode() for role in ROLES}
    except NOT_WHOLE as error:
        raise BadInput(f"{path}: is not a whole wheel of Raceday ({error}).") from None
    return ProgramWheel(path, match[1], digest.hexdigest()[:8], locks)


def packed_again(work: pathlib.Path) -> pathlib.Path:
    """A wheel of the installed program that runs now, in the folder `work`. Raises OperatorError in a checkout."""
    program = importlib.metadata.distribution("raceday")
    files = [each for each in program.files or () if ".." not in each.parts and each.suffix != ".pyc"]
    if not any(each.as_posix() == "raceday/__init__.py" for each in files):
        raise OperatorError(
            "this Raceday runs from a checkout: build it (`./dev deb`, or `pip wheel --no-deps . -w dist`) and name "
            "the folder by --wheels dist."
        )
    path = work / f"raceday-{program.version}-py3-none-any.whl"
    records = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for each in sorted(files, key=lambda file: file.as_posix()):
            if each.name in _NOT_CARRIED:
                continue
            data = pathlib.Path(str(program.locate_file(each))).read_bytes()
            wheel.writestr(zipfile.ZipInfo(each.as_posix(), _DATE), data)
            records.append(f"{each.as_posix()},sha256={_record_hash(data)},{len(data)}")
        record = f"raceday-{program.version}.dist-info/RECORD"
        wheel.writestr(zipfile.ZipInfo(record, _DATE), "\n".join([*records, f"{record},,", ""]))
    return path


def _record_hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _order(name: str) -> tuple[tuple[int, ...], str]:
    """Sorts 0.10.0 after 0.9.0; of one version a pre-release before it."""
    match = _NAME.fullmatch(name)
    version = match[1] if match else "0"
    numbers = re.match(r"\d+(?:\.\d+)*", version)
    main = numbers[0] if numbers else "0"
    return tuple(int(part) for part in main.split(".")), version[len(main) :] or "~"
