"""No hostile file is run, stored or written anywhere: each is refused with one sentence, in under a second."""

import pathlib
import re
import time

import pytest

from shared.errors import BadInput
from shared.text import recorded
from shared.text.catalogue import translate
from tests.vehicle.models.importing.crafted_archives import CUNNING
from tests.vehicle.models.importing.hostile_archives import HOSTILE, NAME, Hostile
from vehicle.models.importing.prepare import prepare
from vehicle.models.library import Library

MAX_TIME_S = 1.0
ENGLISH = re.compile(r"\b(the|is|has|it|of|which|must|not|or|and)\b", re.IGNORECASE)
QUOTED = re.compile(r"'[^']*'|\(.*\)")  # names from the file, and what a library said
EVERY = HOSTILE + CUNNING
SOME = HOSTILE[::12] + CUNNING[::12]


def test_the_corpus_is_large_enough() -> None:
    assert len(EVERY) >= 160
    assert len({(hostile.name, hostile.content, hostile.beside) for hostile in EVERY}) == len(EVERY)


def write_hostile(folder: pathlib.Path, hostile: Hostile) -> pathlib.Path:
    """Write the file as it lies on the racer's USB drive; returns its path."""
    drive = folder / "drive"
    drive.mkdir()
    (drive / hostile.name).write_bytes(hostile.content)
    if hostile.beside is not None:
        (drive / NAME.decode()).write_bytes(hostile.beside)
    return drive / hostile.name


def everything(folder: pathlib.Path) -> set[pathlib.Path]:
    """All files and folders below `folder`."""
    return set(folder.rglob("*"))


@pytest.mark.parametrize("hostile", EVERY, ids=[f"{n}-{h.name}-{h.words}" for n, h in enumerate(EVERY)])
def test_it_is_refused_at_once_and_writes_nothing_outside(tmp_path: pathlib.Path, hostile: Hostile) -> None:
    file, fresh = write_hostile(tmp_path, hostile), tmp_path / "library" / "fresh"
    fresh.mkdir(parents=True)
    before = everything(tmp_path)
    began_s = time.process_time()
    with pytest.raises(BadInput) as refused:
        prepare(file, fresh)
    took_s = time.process_time() - began_s
    assert hostile.words in str(refused.value)
    assert str(refused.value).startswith(f"{file}: ")
    assert str(refused.value).isprintable()
    # As a farm reports it and the racer's page shows it, without the file's path.
    sentence = str(refused.value).replace(f"{file}: ", "")
    german = translate(recorded(sentence), "de")
    assert german != sentence
    assert ENGLISH.search(QUOTED.sub("", german)) is None, german
    assert str(fresh) not in str(refused.value)
    assert took_s < MAX_TIME_S
    assert not (fresh / "card.json").exists()
    assert everything(tmp_path) - before <= {fresh / "model.onnx", fresh / "model_metadata.json"}


@pytest.mark.slow
@pytest.mark.parametrize("hostile", SOME, ids=[h.words for h in SOME])
def test_the_library_stays_as_it_was(tmp_path: pathlib.Path, hostile: Hostile) -> None:
    file = write_hostile(tmp_path, hostile)
    library = Library(tmp_path / "models")
    with pytest.raises(BadInput) as refused:
        library.add(file)
    assert hostile.words in str(refused.value)
    assert everything(library.folder) == set()
