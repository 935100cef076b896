"""Kernel attribute files: one value a file, read and written whole."""

import os
import pathlib


class AttributeFiles:
    """The kernel's own files. Raises OSError as the kernel does."""

    def exists(self, path: pathlib.Path) -> bool:
        return path.exists()

    def writable(self, path: pathlib.Path) -> bool:
        return os.access(path, os.W_OK)

    def read(self, path: pathlib.Path) -> str:
        """The value, without its newline."""
        return path.read_text(encoding="ascii").strip()

    def write(self, path: pathlib.Path, value: str) -> None:
        """In one write, as the kernel wants it; never makes a file."""
        descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC)
        try:
            os.write(descriptor, value.encode("ascii"))
        finally:
            os.close(descriptor)
