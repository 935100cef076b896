"""Entry point of the child process that turns a racer's file into a model's folder (run_isolated.py sets its limits).

The file is read and hashed while the libraries are loaded: each takes a quarter of a second, on a core of its own. The
folder starts empty and unused; it becomes a model only when the parent moves it into the library (library.py).
"""

import pathlib
import sys
from concurrent.futures import ThreadPoolExecutor

from shared.errors import BadInput
from shared.text import text
from vehicle.models.card import Card
from vehicle.models.importing.source import ModelSource, read_source
from vehicle.models.memory_limit import limit_memory, too_much_memory
from vehicle.models.model_files import METADATA, MODEL


def prepare(
    path: pathlib.Path,
    folder: pathlib.Path,
    metadata_path: pathlib.Path | None = None,
    checkpoint: str = "",
    is_kept: bool = True,
    is_own_process: bool = False,
) -> Card:
    """Writes model.onnx, model_metadata.json and card.json into `folder`; returns the card. Raises BadInput.

    `is_kept`: in a library; its card says how fast it is here. `is_own_process`: this process does nothing else:
    it gets the memory that the model needs (memory_limit.py), and takes denormals for zero (running/session.py).
    """
    with ThreadPoolExecutor(1, "reading") as reading:
        sources = [reading.submit(read_source, path, metadata_path, checkpoint)]
        # Imported here: the libraries are loaded while the file is read, and under the limits.
        from vehicle.models.importing.make_model import make_model  # noqa: PLC0415

        def read() -> ModelSource:
            model = sources.pop().result()  # nothing here holds the racer's bytes any longer than their use
            if is_own_process:
                limit_memory(len(model.model))
            return model

        try:
            return make_model(read, folder, is_kept, is_own_process)
        except BadInput as error:
            # The path of the temporary folder means nothing to a racer.
            sentence = str(error).removeprefix(f"{path}: ")
            sentence = sentence.removeprefix(f"{folder / MODEL}: ").removeprefix(f"{folder / METADATA}: ")
            raise BadInput(text("{path}: {sentence}", path=path, sentence=sentence)) from None
        except OSError as error:
            raise BadInput(
                text(
                    "{path}: the model cannot be stored ({strerror}): free some space.",
                    path=path,
                    strerror=error.strerror,
                )
            ) from None


def main(arguments: list[str]) -> int:
    """Entry point of the child (run_isolated.py); returns the exit code."""
    path, folder, metadata, checkpoint = [*arguments, "", ""][:4]
    try:
        beside = pathlib.Path(metadata) if metadata else None
        prepare(pathlib.Path(path), pathlib.Path(folder), beside, checkpoint, is_own_process=True)
    except BadInput as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except MemoryError:
        sys.stderr.write(f"{path}: {too_much_memory()}\n")
        return 2
    return 0
