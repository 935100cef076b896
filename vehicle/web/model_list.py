"""The models that the phone page lists: the rows of the car's model library."""

import pathlib
from dataclasses import dataclass
from typing import Protocol

from shared.errors import BadInput
from shared.text import text
from vehicle.models.int8.verdict import note_of
from vehicle.models.library import Library, LibraryEntry

BARE = (".onnx", ".pb")  # models that say nothing of their sensors and actions


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model as the page shows it. `choice`: which of an archive's checkpoints it is and why, if it had several."""

    name: str
    detail: str
    selected: bool
    choice: str = ""


class ModelList(Protocol):
    """The models that the page lists. Every call may take seconds, and may raise BadInput or StorageError."""

    def rows(self) -> list[ModelRow]:
        """All models, sorted by name."""

    def add(self, file: pathlib.Path, name: str) -> ModelRow:
        """Check a racer's file in a child process with limits, and add it to the library under `name`."""

    def select(self, name: str) -> None:
        """Choose the model that drives from the pilot's next start on."""

    def remove(self, name: str) -> None:
        """Delete the model from the car."""


class LibraryModelList:
    """The list over the library in `folder`."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._library = Library(folder)

    def rows(self) -> list[ModelRow]:
        return [_row(entry) for entry in self._library.entries()]

    def add(self, file: pathlib.Path, name: str) -> ModelRow:
        if file.suffix.lower() in BARE:  # the page sends both in one file
            raise BadInput(text("An .onnx or .pb file needs its model_metadata.json: choose both."))
        try:
            return _row(self._library.add(file, name))
        except BadInput as error:
            raise BadInput(str(error).replace(f"{file.parent}/", "")) from None  # the phone's file, not our folder

    def select(self, name: str) -> None:
        self._library.select(name)

    def remove(self, name: str) -> None:
        self._library.remove(name)


def _row(entry: LibraryEntry) -> ModelRow:
    card = entry.card
    about = [", ".join(card.sensors), card.action_space, card.network, f"sha256 {card.content_sha256[:12]}"]
    if card.choice:
        about.append(card.choice)
    if note_of(entry.folder) is not None:
        about.append(text("with an int8 version"))
    return ModelRow(entry.name, "; ".join(about), entry.is_selected, card.choice)
