"""The tracks of an event: those that ship with Raceday, and those that officials uploaded, stored beside the journal.

An uploaded file is stored as it came, under its SHA-256, with a small JSON file that names it; neither is ever changed.
A track that is taken off the list loses its name first, and the file when no other name needs it.
Called by the web, by the backup, and by whoever wants a track's outline by the name that a race carries.
"""

import contextlib
import functools
import hashlib
import json
import pathlib
import threading
from dataclasses import asdict, dataclass

from shared.errors import BadInput, StorageError
from shared.files import write_whole
from shared.text import text
from shared.tracks.outline import TrackOutline, outline_of
from shared.tracks.shipped import TITLES, shipped_bytes, shipped_name, shipped_names, shipped_outline

FOLDER = "tracks"
MAX_TRACKS = 200
MAX_NAME = 60


@dataclass(frozen=True, slots=True)
class TrackEntry:
    """A track that a race may be held on. `name`: as a race carries it; `title`: as it is shown.

    `sha256` and `author` of an uploaded track; "" for one that ships.
    """

    name: str
    title: str
    length_m: float
    sha256: str = ""
    author: str = ""


class TrackLibrary:
    """The tracks of one station. Safe from any thread; files are read once."""

    def __init__(self, data_dir: pathlib.Path) -> None:
        self._folder = data_dir / FOLDER
        self._lock = threading.Lock()
        self._uploaded: dict[str, tuple[TrackEntry, TrackOutline]] | None = None

    def entries(self) -> tuple[TrackEntry, ...]:
        """All tracks to choose from: uploaded ones first, then those that ship. Raises StorageError."""
        shipped = [TrackEntry(name, TITLES.get(name, name), shipped_outline(name).length_m) for name in shipped_names()]
        return (*(entry for entry, _ in self._known().values()), *shipped)

    def outline(self, name: str) -> TrackOutline | None:
        """The outline of the track that a race names, however that is written; None if there is none of that name."""
        known = self._known().get(_plain(name))
        if known is not None:
            return known[1]
        shipped = shipped_name(name)
        return shipped_outline(shipped) if shipped is not None else None

    def add(self, name: str, data: bytes, author: str) -> TrackEntry:
        """Stores an uploaded `.npy` file under a new name. Raises BadInput for what is no track, StorageError."""
        checked = _checked_name(name)
        outline = outline_of(checked, data)
        digest = hashlib.sha256(data).hexdigest()
        entry = TrackEntry(checked, checked, outline.length_m, digest, author)
        known = self._known()
        with self._lock:
            same = known.get(_plain(checked))
            if same is not None and same[0].sha256 == digest:
                return same[0]
            if same is not None or shipped_name(checked) is not None:
                raise BadInput(text("There is a track {name} already: give this one another name.", name=repr(checked)))
            if len(known) >= MAX_TRACKS:
                raise BadInput(text("There are {count} uploaded tracks already.", count=len(known)))
            self._store(f"{digest}.npy", data)
            # Its name comes last: without it the file is not a track yet. One file may have several names.
            described = json.dumps(asdict(entry), ensure_ascii=False, indent=1).encode()
            self._store(_file_of_name(entry), described)
            self._uploaded = known | {_plain(checked): (entry, outline)}  # a new one: others may be reading the old one
        return entry

    def same_as(self, entry: TrackEntry) -> str:
        """The name of another track with the very same file; "" if there is none."""
        others = [each for each, _ in self._known().values() if each.sha256 == entry.sha256 and each != entry]
        return others[0].name if others else _shipped_by_digest().get(entry.sha256, "")

    def remove(self, name: str) -> TrackEntry:
        """Takes an uploaded track off the list, for good. Raises BadInput if none has that name, StorageError."""
        known = self._known()
        with self._lock:
            if _plain(name) not in known:
                raise BadInput(text("There is no uploaded track {name}.", name=repr(name[:MAX_NAME])))
            entry, _ = known[_plain(name)]
            left = {key: each for key, each in known.items() if key != _plain(name)}
            files = [_file_of_name(entry)]
            if all(each.sha256 != entry.sha256 for each, _ in left.values()):
                files.append(f"{entry.sha256}.npy")
            try:
                for file in files:
                    (self._folder / file).unlink(missing_ok=True)
            except OSError as error:
                raise StorageError(f"{self._folder}: cannot be written ({error.strerror}).") from None
            self._uploaded = left
        return entry

    def files(self) -> tuple[pathlib.Path, ...]:
        """The files of all uploaded tracks, for a backup."""
        return tuple(sorted(self._folder.glob("*.npy"))) + tuple(sorted(self._folder.glob("*.json")))

    def _known(self) -> dict[str, tuple[TrackEntry, TrackOutline]]:
        with self._lock:
            if self._uploaded is None:
                self._uploaded = dict(_read_all(self._folder))
            return self._uploaded

    def _store(self, name: str, data: bytes) -> None:
        path = self._folder / name
        try:
            self._folder.mkdir(mode=0o755, exist_ok=True)
            write_whole(path, data, is_durable=True)
        except OSError as error:
            raise StorageError(f"{path}: cannot be written ({error.strerror}); free some space.") from None


def is_same_track(name: str, other: str) -> bool:
    """Are these two spellings of one track's name?"""
    return bool(_plain(name)) and _plain(name) == _plain(other)


@functools.cache
def _shipped_by_digest() -> dict[str, str]:
    return {hashlib.sha256(shipped_bytes(name)).hexdigest(): name for name in shipped_names()}


def _file_of_name(entry: TrackEntry) -> str:
    """The file that gives the track its name: no sign of the name itself is in it."""
    return f"{entry.sha256[:16]}-{hashlib.sha256(_plain(entry.name).encode()).hexdigest()[:16]}.json"


def _read_all(folder: pathlib.Path) -> list[tuple[str, tuple[TrackEntry, TrackOutline]]]:
    """Every uploaded track that is whole. A damaged one is left out: a race is run without a drawing of its track."""
    found = []
    for path in sorted(folder.glob("*.json")):
        with contextlib.suppress(BadInput, OSError, ValueError, TypeError, KeyError):
            described = json.loads(path.read_text(encoding="utf-8"))
            name, digest, author = (str(described[key]) for key in ("name", "sha256", "author"))
            data = (folder / f"{digest}.npy").read_bytes()
            if hashlib.sha256(data).hexdigest() == digest:
                outline = outline_of(name, data)
                found.append((_plain(name), (TrackEntry(name, name, outline.length_m, digest, author), outline)))
    return found


def _checked_name(name: str) -> str:
    stripped = name.strip()
    if not 0 < len(stripped) <= MAX_NAME or not stripped.isprintable() or not _plain(stripped):
        raise BadInput(text("Name the track with 1 to {limit} letters and figures.", limit=MAX_NAME))
    return stripped


def _plain(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())
