"""Kernel attribute files: one value a file, read and written whole."""

import os
import pathlib


class AttributeFiles:
    """Access to attribute files; tests replace it. Raises OSError as the kernel does."""

    def exists(self, path: pathlib.Path) -> bool:
        return path.exists()

    def writable(self, path: pathlib.Path) -> bool:
        return os.access(path, os.W_OK)

    def read(self, path: pathlib.Path) -> str:
        """The value, without its newline."""
        return path.read_text(encoding="ascii").strip()

    def write(self, path: pathlib.Path, value: str) -> None:
        """Write the value in one call, as the kernel requires; never creates a file."""
        descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC)
        try:
            os.write(descriptor, value.encode("ascii"))
        finally:
            os.close(descriptor)
