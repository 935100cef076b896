"""A part of `./dev check`: the files that the project carries from others are those of `tools/vendored_files.json`.

Prints a sentence for each that changed, is missing, or is of a kind that people carry from others (fonts, minified
scripts, captures, anything binary) and stands in no list; exit code 1 if there is one. Files of these kinds that are
our own stand under `own`, each pattern with what they are. `tools/sbom.py` reads the table too.
"""

import fnmatch
import hashlib
import json
import pathlib
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "tools" / "vendored_files.json"
# What is rarely written by hand. Any file with a NUL byte at its beginning counts as well.
SUFFIXES = (
    ".bin", ".csv", ".db", ".gz", ".hex", ".jar", ".min.css", ".min.js", ".mjs", ".npy", ".npz", ".onnx", ".otf", ".pb",
    ".so", ".ttf", ".uf2", ".wasm", ".wav", ".whl", ".woff", ".woff2", ".zip",
)  # fmt: skip
HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class VendoredComponent:
    """Files of one origin. `purl`: its package URL (purl-spec); `licence`: an SPDX id; `files`: path to SHA-256."""

    name: str
    version: str
    licence: str
    purl: str
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class VendoredFiles:
    """The table. `own`: patterns of files that look like others' and are ours, each with what they are."""

    components: tuple[VendoredComponent, ...]
    own: dict[str, str]

    @property
    def hashes(self) -> dict[str, str]:
        """Every path with its SHA-256."""
        return {path: digest for each in self.components for path, digest in each.files.items()}


def read_table(path: pathlib.Path = TABLE) -> VendoredFiles:
    """The table. Raises ValueError if it is not one."""
    return TypeAdapter(VendoredFiles).validate_python(json.loads(path.read_text(encoding="utf-8")))


def faults(table: VendoredFiles, paths: Iterable[str], content: Callable[[str], bytes]) -> list[str]:
    """A sentence for each difference between the table and the project's files. `content(path)` reads one."""
    present = set(paths)
    found = [f"{path} is listed in {TABLE.name} and is not there." for path in sorted(table.hashes.keys() - present)]
    for path in sorted(present):
        listed = table.hashes.get(path)
        if listed is not None:
            digest = hashlib.sha256(content(path)).hexdigest()
            if digest != listed:
                found.append(f"{path} is not the file of its origin: its SHA-256 is {digest}, listed is {listed}.")
        elif _is_unlikely_ours(path, content) and not any(fnmatch.fnmatch(path, each) for each in table.own):
            found.append(f"{path} may be somebody else's: list it in {TABLE.name} with its origin, or under `own`.")
    unused = [each for each in table.own if not fnmatch.filter(present, each)]
    return [*found, *(f"no file is like {each!r}, which {TABLE.name} lists under `own`." for each in unused)]


def _is_unlikely_ours(path: str, content: Callable[[str], bytes]) -> bool:
    return path.endswith(SUFFIXES) or b"\0" in content(path)[:HEAD_BYTES]


def project_files() -> list[str]:
    """Every file that is committed, or would be by `git add`, below the project's folder."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
    return [path for path in listed if path and (ROOT / path).is_file()]


def _reader(hashed: Mapping[str, str]) -> Callable[[str], bytes]:
    """Reads files; of one that is not hashed only the beginning is needed."""

    def read(path: str) -> bytes:
        with (ROOT / path).open("rb") as opened:
            return opened.read(-1 if path in hashed else HEAD_BYTES)

    return read


def main() -> int:
    table = read_table()
    found = faults(table, project_files(), _reader(table.hashes))
    for sentence in found:
        print(sentence)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
