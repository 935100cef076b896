"""The claim code: it proves that whoever claims the station has access to the machine that it runs on.

It stands in a file that only the station's user can read, and on the station's console, until somebody claims the
station with it; `raceday station claim-code --reset` makes a new one, for an admin who lost his PIN.
"""

import contextlib
import hmac
import os
import pathlib

from shared.access.short_codes import new_code, normalised
from shared.errors import StorageError

CLAIM_CODE = "claim-code"
MAX_TYPED = 40


class ClaimCodeFile:
    """The file, read again at each use: another process (`raceday station claim-code`) may change it."""

    def __init__(self, data_dir: pathlib.Path) -> None:
        self.path = data_dir / CLAIM_CODE

    def read(self) -> str:
        """The code; "" if there is none. Raises StorageError."""
        try:
            return self.path.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError):
            raise StorageError(
                f"{self.path}: cannot be read; `raceday station claim-code --reset` makes a new one."
            ) from None

    def renew(self) -> str:
        """Makes a new code, which replaces an older one, and returns it. Raises StorageError."""
        code, part = new_code(), self.path.with_name(f".{CLAIM_CODE}.{os.getpid()}")
        try:
            part.unlink(missing_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
                opened.write(code + "\n")
                opened.flush()
                os.fsync(opened.fileno())
            part.replace(self.path)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink()
            raise StorageError(f"{self.path}: the claim code cannot be saved ({error.strerror}).") from None
        return code

    def matches(self, typed: str) -> bool:
        """Is this the code, however it was typed? False if there is none."""
        code = normalised(self.read())
        return bool(code) and hmac.compare_digest(code.encode(), normalised(typed[:MAX_TYPED]).encode())

    def remove(self) -> None:
        """The code was used. Raises StorageError."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"{self.path}: the used claim code cannot be removed ({error.strerror}).") from None
