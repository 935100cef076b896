"""Kernel attribute files: one value a file, read and written whole. Used by kernel PWM and the enable line."""

import os
import pathlib


class AttributeFiles:
    """Access to attribute files; tests replace it. Raises OSError as the kernel does."""

    def exists(self, path: pathlib.Path) -> bool:
        return path.exists()

    def writable(self, path: pathlib.Path) -> bool:
        return os.access(path, os.W_OK)

    def names(self, folder: pathlib.Path) -> list[str]:
        """The names in a folder, in their order."""
        return sorted(path.name for path in folder.iterdir())

    def resolve(self, path: pathlib.Path) -> pathlib.Path:
        """The path without links, which names the device that a class entry belongs to."""
        return pathlib.Path(os.path.realpath(path))

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


def read_number(files: AttributeFiles, path: pathlib.Path) -> int | None:
    """The whole number in an attribute file; None if it cannot be read."""
    try:
        return int(files.read(path))
    except (OSError, ValueError):
        return None
