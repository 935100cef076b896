"""The car's models, one folder each. Adding, selecting and removing are atomic: a power cut leaves all or nothing.

`selected` is a symbolic link to the model that drives; the car's configuration file names the link as its model
(`path = "models/selected"`). Called by `raceday model` and by the car's web page.

    entry = Library(pathlib.Path("models")).add(pathlib.Path("racer.tar.gz"))
"""

import contextlib
import dataclasses
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from shared.errors import BadInput, StorageError
from shared.text import text
from vehicle.models.card import CARD, MAX_BYTES, Card
from vehicle.models.model_files import NAME, fit_name
from vehicle.models.run_isolated import run_isolated

SELECTED = "selected"
_INCOMING = ".incoming-"
_REMOVED = ".removed-"
_LEFTOVER_AGE_S = 3600

if TYPE_CHECKING:
    from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True)
class LibraryEntry:
    """One model of the library. `is_new` is false for a model that was imported before."""

    name: str
    folder: pathlib.Path
    card: Card
    is_selected: bool
    is_new: bool = False


class Library:
    """A folder of models. Several processes may call every method at the same time."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder

    def entries(self) -> list[LibraryEntry]:
        """All models, sorted by name; whatever is not a model folder is ignored."""
        if not self.folder.is_dir():
            return []
        chosen = self.selected()
        entries = []
        for folder in sorted(self.folder.iterdir()):
            if folder.is_symlink() or not NAME.fullmatch(folder.name) or not (folder / CARD).is_file():
                continue
            entries.append(LibraryEntry(folder.name, folder, load_card(folder), folder.name == chosen))
        return entries

    def entry(self, name: str) -> LibraryEntry:
        """The model of that name. Raises BadInput if there is none."""
        by_name = {entry.name: entry for entry in self.entries()}
        if name not in by_name:
            known = ", ".join(sorted(by_name)) or "none"
            raise BadInput(
                text(
                    "{folder}: there is no model {name!r}; there are: {known}.",
                    folder=self.folder,
                    name=name[:80],
                    known=known,
                )
            )
        return by_name[name]

    def selected(self) -> str:
        """The name of the selected model, "" if there is none."""
        try:
            return pathlib.PurePath((self.folder / SELECTED).readlink()).name
        except OSError:
            return ""

    def add(
        self, file: pathlib.Path, name: str = "", metadata: pathlib.Path | None = None, checkpoint: str = ""
    ) -> LibraryEntry:
        """Import a racer's file, or return the entry with the same content. Raises BadInput, StorageError."""
        with self._new_folder() as fresh:
            card = prepare_isolated(file, fresh, metadata, checkpoint)
            known = next((one for one in self.entries() if one.card.content_sha256 == card.content_sha256), None)
            if known is not None:
                return known
            return self._install(fresh, card, fit_name(name) if name else card.name)

    def select(self, name: str) -> LibraryEntry:
        """Let this model drive from the next start of the pilot. Raises BadInput if this car cannot, StorageError."""
        entry = self.entry(name)
        if not entry.card.fits:
            sensors = ", ".join(entry.card.sensors)
            raise BadInput(
                text(
                    "{folder}: {name!r} needs {sensors}; this car has one grey front camera.",
                    folder=self.folder,
                    name=name,
                    sensors=sensors,
                )
            )
        with self._storage_errors():
            link = self.folder / f".{SELECTED}-{os.getpid()}"
            link.unlink(missing_ok=True)
            link.symlink_to(entry.name)
            link.replace(self.folder / SELECTED)
            self._sync()
        return dataclasses.replace(entry, is_selected=True)

    def remove(self, name: str) -> None:
        """Delete a model. Raises BadInput if it is the selected one, StorageError."""
        entry = self.entry(name)
        if entry.is_selected:
            raise BadInput(
                text(
                    "{folder}: {name!r} is the selected model; select another one before removing it.",
                    folder=self.folder,
                    name=name,
                )
            )
        with self._storage_errors():
            gone = pathlib.Path(tempfile.mkdtemp(prefix=_REMOVED, dir=self.folder))
            entry.folder.rename(gone / "model")
            self._sync()
            shutil.rmtree(gone)

    def _install(self, fresh: pathlib.Path, card: Card, name: str) -> LibraryEntry:
        """Moves the folder to its name, with the hash appended if another model has that name. Raises BadInput."""
        for wanted in (name, f"{name}-{card.content_sha256[:8]}"):
            target = self.folder / wanted
            if wanted == SELECTED or target.exists() or target.is_symlink():
                continue
            with self._storage_errors():
                fresh.chmod(0o755)
                fresh.rename(target)
                self._sync()
            return LibraryEntry(wanted, target, card, False, is_new=True)
        raise BadInput(
            text("{folder}: the name {name!r} is taken; give another one with --name.", folder=self.folder, name=name)
        )

    @contextlib.contextmanager
    def _new_folder(self) -> Iterator[pathlib.Path]:
        """A temporary folder, deleted afterwards unless it was renamed."""
        with self._storage_errors():
            self.folder.mkdir(parents=True, exist_ok=True)
            fresh = pathlib.Path(tempfile.mkdtemp(prefix=_INCOMING, dir=self.folder))
            self._remove_leftovers(fresh)
        try:
            yield fresh
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def _remove_leftovers(self, fresh: pathlib.Path) -> None:
        """Deletes temporary folders that a power cut left; those of the last hour may belong to another process."""
        now_s = fresh.stat().st_mtime
        for left in self.folder.iterdir():
            if left.name.startswith((_INCOMING, _REMOVED)) and left.lstat().st_mtime < now_s - _LEFTOVER_AGE_S:
                shutil.rmtree(left, ignore_errors=True)

    @contextlib.contextmanager
    def _storage_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(f"{self.folder}: the models cannot be stored ({error.strerror}).") from None

    def _sync(self) -> None:
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def prepare_isolated(
    file: pathlib.Path, folder: pathlib.Path, metadata: pathlib.Path | None = None, checkpoint: str = ""
) -> Card:
    """Turns a file into a model's folder, in a child process with limits (run_isolated.py). Raises BadInput."""
    beside = "" if metadata is None else str(metadata)
    run_isolated("prepare", str(file), str(folder), beside, checkpoint, about=file, meanwhile=_cards)
    return load_card(folder)


@cache
def _cards() -> "TypeAdapter[Card]":
    """The validator of cards, built on first use: it takes a tenth of a second, which an import spends in parallel."""
    from pydantic import TypeAdapter  # noqa: PLC0415

    return TypeAdapter(Card)


def load_card(folder: pathlib.Path) -> Card:
    """The card in a model's folder. Raises BadInput."""
    path = folder / CARD
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        return _cards().validate_json(content)
    except OSError as error:
        raise BadInput(
            text(
                "{path}: the model's card cannot be read ({strerror}): import the model again.",
                path=path,
                strerror=error.strerror,
            )
        ) from None
    except ValueError:  # pydantic.ValidationError is a ValueError
        raise BadInput(
            text("{path} is not the card of an imported model: import the model again.", path=path)
        ) from None
