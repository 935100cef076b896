"""Trust at first use: the console's certificate is signed by nobody, so the first one that it shows is kept.

Called by console_session.py before it sends anything, the password least of all.
"""

import hashlib
import hmac
import pathlib
import threading

from shared.errors import BadInput, StorageError
from shared.text import text
from vehicle.bridge.secret_files import write_secret


class CertificatePin:
    """The fingerprint of one console's certificate, in a file. Thread-safe."""

    def __init__(self, file: pathlib.Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def check(self, certificate: bytes) -> None:
        """Keep the first certificate (DER). Raises BadInput for another one, and StorageError."""
        fingerprint = hashlib.sha256(certificate).hexdigest()
        with self._lock:
            try:
                known = self._file.read_text().strip()
            except FileNotFoundError:
                self._keep(fingerprint)
                return
            except OSError as error:
                raise StorageError(text("{file} cannot be read ({error}).", file=self._file, error=error)) from None
        if not hmac.compare_digest(known.encode(), fingerprint.encode()):
            raise BadInput(
                text(
                    "its certificate has changed since it was first seen, so it is not asked anything: if the car was "
                    "set up anew, remove {file}",
                    file=self._file,
                )
            )

    def _keep(self, fingerprint: str) -> None:
        write_secret(self._file, fingerprint)
