"""The files of a model, for Landlock: each by its name, since keys or other models may lie in the same folder.

Called by the pilot (pilot/confinement.py), and for the children that import, try and drive models.
"""

from pathlib import Path

from vehicle.models.model_files import FRAMES, INT8, METADATA, MODEL, NOTE
from vehicle.process.landlock import FileGrant

_OF_A_FOLDER = (MODEL, METADATA, INT8, NOTE, FRAMES)


def model_grants(*sources: Path) -> list[FileGrant]:
    """What is read of each: of a model's folder its files, of a single file itself and what may lie beside it."""
    files = [
        file
        for source in sources
        for file in (
            [source / name for name in _OF_A_FOLDER]
            if source.is_dir()
            else [source, *(source.with_name(name) for name in _OF_A_FOLDER[1:])]
        )
    ]
    return [FileGrant(file) for file in files]
