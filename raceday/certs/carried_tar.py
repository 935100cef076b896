"""The tar of a carried file, read by the standard library alone: which four files, and whose they are.

Called by carried_file.py, which also checks what the files say, and by `raceday install`, which must know whose they
are before the packages that can check them are there.
"""

import io
import tarfile

from raceday.certs.machine_names import checked_machine_name
from shared.errors import BadInput, Refused

MAX_MEMBER_BYTES = 1_000_000
MAX_BYTES = 4_000_000
FILES = 5
WEB_SUFFIX = ".web.pem"  # a file of an earlier release has none


def read_tar(packed: bytes, source: str) -> tuple[str, dict[str, bytes]]:
    """The machine's name, and the files by theirs. Raises BadInput, which names `source`."""
    files = _files(packed, source)
    names = [name.removesuffix(".key") for name in files if name.endswith(".key")]
    needed = {"ca.pem", "crl.pem", f"{names[0]}.pem", f"{names[0]}.key"} if len(names) == 1 else set()
    if not needed or set(files) - {f"{names[0]}{WEB_SUFFIX}"} != needed:
        raise BadInput(f"{source}: does not hold one machine's certificates; make it again by `raceday certs`.")
    try:
        return checked_machine_name(names[0]), files
    except Refused as error:
        raise BadInput(f"{source}: {error}") from None


def _files(packed: bytes, source: str) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:") as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isfile() and member.size <= MAX_MEMBER_BYTES else None
                if file is None or member.name in files or len(files) == FILES:
                    raise BadInput(f"{source}: holds something that no file of certificates holds.")
                files[member.name] = file.read()
    except tarfile.TarError as error:
        raise BadInput(f"{source}: is no file of certificates ({error}); `raceday certs` makes one.") from None
    return files
