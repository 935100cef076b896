"""Chooses one of several checkpoints: the one that the user names, else the one that the training recorded as best.

The simulation application writes `model_24.pb` beside `deepracer_checkpoints.json`, which names the best and the last
by their checkpoint (`24_Step-2477.ckpt`); `.coach_checkpoint` and TensorFlow's `checkpoint` name one. Source:
aws-deepracer-community/deepracer-simapp (markov/boto/s3/files/checkpoint_files). Used by archive.py.
"""

import json
import re
from collections.abc import Mapping, Sequence

from shared.errors import BadInput
from shared.text import text

NOTES = ("deepracer_checkpoints.json", ".coach_checkpoint", "coach_checkpoint", "checkpoint")
WORDS = ("best", "last")  # labels of a checkpoint in a note, and values of --checkpoint
IN_USE = "one in use"  # the meaning of a checkpoint that TensorFlow or rl_coach names
MAX_NOTE_BYTES = 65_536

_SHOWN = 6
_MAX_PRINTED = 60
_LONGEST_NAME = 200
_NUMBER = re.compile(r"(\d+)(?:_Step-?\d*)?(?:\.ckpt.*)?", re.IGNORECASE)
_CKPT = re.compile(r"\.ckpt.*$", re.DOTALL | re.IGNORECASE)
_OF_MODEL = re.compile(r"(?:.*[^0-9])?(\d+)")
_OF_TENSORFLOW = re.compile(r'model_checkpoint_path:\s*"([^"]{1,4096})"')


def printable(name: str) -> str:
    """A name from an archive, shortened and escaped for use in a sentence."""
    return name if name.isprintable() and len(name) <= _MAX_PRINTED else repr(name[:_MAX_PRINTED])


def base_of(name: str) -> str:
    """The last part of a member's path, with / or \\ as separator."""
    return name.replace("\\", "/").rpartition("/")[2]


def choose_checkpoint(models: Mapping[str, bytes], notes: Mapping[str, bytes], requested: str) -> tuple[str, str]:
    """The name of the model, and the reason for the choice ("" if there was only one). Raises BadInput.

    `models` are digests by name (equal digests are one model), `notes` are the contents of note files by name.
    """
    by_note = requested in WORDS and not any(fits(name, requested) for name in models)
    if requested and not by_note:
        if requested in models:
            return requested, "it was requested"
        what = _how_to_choose(list(models))
        missing = text("The archive holds no checkpoint {name!r}: {what}", name=requested[:60], what=what)
        return _only(models, requested, missing), "it was requested"
    different = _different(models)
    one = len(different) == 1
    if len(models) == 1:
        return different[0], ""
    for note in NOTES:
        named = _agreed_checkpoint(note, notes, (requested,) if by_note else WORDS)
        if named is None:
            continue
        checkpoint, what = named
        if one and not any(fits(name, checkpoint) for name in models):
            continue  # whichever it means, all models have the same bytes
        return _chosen_by_note(models, note, checkpoint, what)
    if one:
        return different[0], ""
    raise BadInput(_undecided(different, requested if by_note else ""))


def _chosen_by_note(models: Mapping[str, bytes], note: str, checkpoint: str, what: str) -> tuple[str, str]:
    """The model that a note calls the `what`, and the reason; a checkpoint "" is no clear name. Raises BadInput."""
    if not checkpoint:
        raise BadInput(
            text(
                "The archive's {note} is not clear, so nothing says which is the {wanted}: {what}",
                note=note,
                wanted=what,
                what=_how_to_choose(_different(models)),
            )
        )
    name = checkpoint[:60]
    missing = text(
        "The archive's {note} calls {name} the {wanted}, but no model of that name is there: {what}",
        note=note,
        name=name,
        wanted=what,
        what=_how_to_choose(list(models)),
    )
    return _only(models, checkpoint, missing), f"{note} calls {name} the {what}"


def _undecided(different: Sequence[str], requested: str) -> str:
    """Why no note decides; `requested`: the word that one was to say, "" for any."""
    if requested:
        return text(
            "The archive names no checkpoint as the {requested}: {what}",
            requested=requested,
            what=_how_to_choose(different),
        )
    return text(
        "The archive holds {number} models, and nothing says which is the best: {what}",
        number=text("two") if len(different) == 2 else str(len(different)),
        what=_how_to_choose(different),
    )


def count_checkpoints(models: Mapping[str, bytes]) -> int:
    """How many checkpoints there are: different contents, or different numbers of equal content."""
    numbered = {stem for stem in (base_of(name).rpartition(".")[0] for name in models) if _OF_MODEL.fullmatch(stem)}
    return max(len(set(models.values())), len(numbered))


def fits(name: str, checkpoint: str) -> bool:
    """Whether the file name belongs to this checkpoint."""
    return _closeness(name, checkpoint) > 0


def _closeness(name: str, checkpoint: str) -> int:
    """How well they match: 2 by the full name of the checkpoint, 1 by its number only, 0 not at all."""
    base = base_of(name)
    stem = base.rpartition(".")[0]
    if not checkpoint:
        return 0
    if checkpoint in (name, base, stem) or _CKPT.sub("", checkpoint) == stem:
        return 2
    number, of_model = _NUMBER.fullmatch(checkpoint), _NUMBER.fullmatch(stem) or _OF_MODEL.fullmatch(stem)
    return int(number is not None and of_model is not None and int(number[1]) == int(of_model[1]))


def _only(models: Mapping[str, bytes], checkpoint: str, otherwise: str) -> str:
    closest = max(_closeness(name, checkpoint) for name in models) or 1
    closest_names = _different(
        {name: digest for name, digest in models.items() if _closeness(name, checkpoint) == closest}
    )
    if len(closest_names) == 1:
        return closest_names[0]
    if closest_names:
        how = _how_to_choose(closest_names)
        raise BadInput(
            text(
                "The archive holds {count} models of the checkpoint {checkpoint!r}: {what}",
                count=len(closest_names),
                checkpoint=checkpoint[:60],
                what=how,
            )
        )
    raise BadInput(otherwise)


def _different(models: Mapping[str, bytes]) -> list[str]:
    """The first name of each different content."""
    first: dict[bytes, str] = {}
    for name, digest in models.items():
        first.setdefault(digest, name)
    return list(first.values())


def _how_to_choose(names: Sequence[str]) -> str:
    listed = ", ".join(repr(name[:60]) for name in sorted(names)[:_SHOWN])
    if len(names) > _SHOWN:
        return text(
            "it has {names} and {count} more. Name one with --checkpoint.", names=listed, count=len(names) - _SHOWN
        )
    return text("it has {names}. Name one with --checkpoint.", names=listed)


def _agreed_checkpoint(note: str, notes: Mapping[str, bytes], wanted: Sequence[str]) -> tuple[str, str] | None:
    """The checkpoint that all notes of one file name agree on, as `_named_checkpoint`; "" if they disagree."""
    every = (_named_checkpoint(note, content, wanted) for name, content in notes.items() if base_of(name) == note)
    entries = [named for named in every if named is not None]
    entries = [named for named in entries if named[1] == wanted[0]] or entries
    return ("", wanted[0]) if len({checkpoint for checkpoint, _ in entries}) > 1 else next(iter(entries), None)


def _named_checkpoint(note: str, content: bytes, wanted: Sequence[str]) -> tuple[str, str] | None:
    """The checkpoint that a note names, and its label; None if the note names none with a `wanted` label.

    A checkpoint "" is an ambiguous entry: another checkpoint must not be used in its place.
    """
    words = content.decode(json.detect_encoding(content), "replace").strip()  # UTF-8 or UTF-16, with or without BOM
    if not note.endswith(".json"):
        match = _OF_TENSORFLOW.search(words)
        name = _plain_name(match[1] if match else words)
        return (name, IN_USE) if name and len(wanted) > 1 else None  # such a note has no labels
    if not words:
        return None
    try:
        document = json.loads(words, object_pairs_hook=_plain_keys)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        return "", wanted[0]
    for what in wanted:
        named = _named(document.get(f"{what}checkpoint", document.get(what)))
        if named is not None:
            return (named, what) if named else ("", wanted[0])
    return None


def _named(entry: object) -> str | None:
    """The checkpoint in an entry of a note, in any known form; None if there is no entry, "" if it is ambiguous."""
    if isinstance(entry, list) and len(entry) == 1:
        (entry,) = entry
    if isinstance(entry, dict) and entry:
        entry = entry.get("name", entry.get("checkpoint", False))
    if isinstance(entry, str):
        return _plain_name(entry) if entry.strip() else None
    if isinstance(entry, int) and not isinstance(entry, bool):
        return _plain_name(str(entry))
    return None if entry in (None, [], {}) else ""


def _plain_name(path: str) -> str:
    """The checkpoint's name without its folder or bucket; "" if it is not a valid name."""
    name = base_of(path.strip()).strip()
    return name if name.isprintable() and len(name) <= _LONGEST_NAME else ""


def _plain_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object with its keys in lower case, letters and digits only. Raises ValueError for duplicate keys."""
    table = {"".join(sign for sign in key.lower() if sign.isalnum()): value for key, value in pairs}
    if len(table) != len(pairs):
        raise ValueError("duplicate key")
    return table
