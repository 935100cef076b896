"""Which of several checkpoints is the model: the one that the training's own notes call the best, or the one asked for.

The simulation application writes `model_24.pb` beside `deepracer_checkpoints.json`, which names the best and the last
by their checkpoint (`24_Step-2477.ckpt`); `.coach_checkpoint` and TensorFlow's `checkpoint` name one. Source:
aws-deepracer-community/deepracer-simapp (markov/boto/s3/files/checkpoint_files). Used by archive.py.
"""

import json
import re
from collections.abc import Mapping, Sequence

from shared.errors import BadInput

NOTES = ("deepracer_checkpoints.json", ".coach_checkpoint", "coach_checkpoint", "checkpoint")
WORDS = ("best", "last")  # what a note may call a checkpoint, and --checkpoint may ask for
MOST_NOTE_BYTES = 65_536

_SHOWN = 6
_MOST_TOLD = 60
_NUMBER = re.compile(r"(\d+)(?:_Step-?\d*)?(?:\.ckpt.*)?")
_CKPT = re.compile(r"\.ckpt.*$", re.DOTALL)
_OF_MODEL = re.compile(r"(?:.*[^0-9])?(\d+)")
_OF_TENSORFLOW = re.compile(r'model_checkpoint_path:\s*"([^"]{1,200})"')
_PRINTABLE = re.compile(r"[\w .:+-]{1,200}")


def told(name: str) -> str:
    """A name as it stands in a sentence: an archive's may be anything."""
    return name if name.isprintable() and len(name) <= _MOST_TOLD else repr(name[:_MOST_TOLD])


def base_of(name: str) -> str:
    """A member's own name, whichever way its folders are written."""
    return name.replace("\\", "/").rpartition("/")[2]


def chosen(models: Mapping[str, bytes], notes: Mapping[str, bytes], asked: str) -> tuple[str, str]:
    """The name of the model, and a sentence on why it is this one; "" if there was no choice. Raises BadInput.

    `models` are digests by name: names of equal digests are one model.
    """
    by_note = asked in WORDS and not any(fits(name, asked) for name in models)
    if asked and not by_note:
        return _only(models, asked, f"The archive holds no checkpoint {asked[:60]!r}"), "it was asked for"
    different = _different(models)
    one = len(different) == 1
    if len(models) == 1:
        return different[0], ""
    for note in NOTES:
        for text in (text for name, text in notes.items() if base_of(name) == note):
            said = _said(note, text, (asked,) if by_note else WORDS)
            if said is not None:
                checkpoint, what = said
                if one and not any(fits(name, checkpoint) for name in models):
                    continue  # whichever it means, the bytes are the same
                missing = f"The archive's {note} calls {checkpoint[:60]} the {what}, but no model of that name is there"
                return _only(models, checkpoint, missing), f"{note} calls {checkpoint[:60]} the {what}"
    if one:
        return different[0], ""
    if by_note:
        raise BadInput(f"The archive says of no checkpoint that it is the {asked}: {_how(different)}")
    count = "two" if len(different) == 2 else str(len(different))
    raise BadInput(f"The archive holds {count} models, and nothing says which is the best: {_how(different)}")


def count_checkpoints(models: Mapping[str, bytes]) -> int:
    """How many there are to choose from: different models, or names of checkpoints that were trained no further."""
    numbered = {stem for stem in (base_of(name).rpartition(".")[0] for name in models) if _OF_MODEL.fullmatch(stem)}
    return max(len(set(models.values())), len(numbered))


def fits(name: str, checkpoint: str) -> bool:
    """Is the model of that name the one of this checkpoint?"""
    base = base_of(name)
    stem = base.rpartition(".")[0]
    if checkpoint in (name, base, stem) or _CKPT.sub("", checkpoint) == stem:
        return True
    number, of_model = _NUMBER.fullmatch(checkpoint), _NUMBER.fullmatch(stem) or _OF_MODEL.fullmatch(stem)
    return number is not None and of_model is not None and int(number[1]) == int(of_model[1])


def _only(models: Mapping[str, bytes], checkpoint: str, otherwise: str) -> str:
    found = _different({name: digest for name, digest in models.items() if fits(name, checkpoint)})
    if len(found) == 1:
        return found[0]
    if found:
        raise BadInput(f"The archive holds {len(found)} models of the checkpoint {checkpoint[:60]!r}: {_how(found)}")
    raise BadInput(f"{otherwise}: {_how(list(models))}")


def _different(models: Mapping[str, bytes]) -> list[str]:
    """The first name of each model."""
    first: dict[bytes, str] = {}
    for name, digest in models.items():
        first.setdefault(digest, name)
    return list(first.values())


def _how(names: Sequence[str]) -> str:
    listed = ", ".join(repr(name[:60]) for name in sorted(names)[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"it has {listed}{more}. Name one with --checkpoint."


def _said(note: str, text: bytes, wanted: Sequence[str]) -> tuple[str, str] | None:
    """The checkpoint that a note names, and what it calls it; None if it names none, or none that is `wanted`."""
    words = text.decode(json.detect_encoding(text), "replace")  # UTF-8 or UTF-16, with a mark or without
    if not note.endswith(".json"):
        if len(wanted) == 1:
            return None  # such a note says neither
        found = _OF_TENSORFLOW.search(words)
        name = (found[1] if found else words).strip().rpartition("/")[2]
        return (name, "one in use") if _PRINTABLE.fullmatch(name) else None
    try:
        document = json.loads(words)
    except (ValueError, RecursionError):
        return None
    for what in wanted:
        entry = document.get(f"{what}_checkpoint") if isinstance(document, dict) else None
        name = entry.get("name") if isinstance(entry, dict) else entry
        if isinstance(name, str) and _PRINTABLE.fullmatch(name):
            return name, what
    return None
