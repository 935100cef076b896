"""The tracks that ship with Raceday: published routes, by the names of their files (see data/README.md)."""

import difflib
import functools
from importlib.resources import files

from shared.errors import BadInput
from shared.text import text
from shared.tracks.outline import TrackOutline, outline_of

_FOLDER = files("shared") / "tracks" / "data"

# File name -> the name under which the track is printed or known, where it has one.
TITLES: dict[str, str] = {
    "reinvent_base": "re:Invent 2018",
    "reInvent2019_wide": "A to Z Speedway",
    "reInvent2019_track": "Smile Speedway",
    "2022_summit_speedway": "RL Speedway",
}


@functools.cache
def shipped_names() -> tuple[str, ...]:
    """The names of all tracks that ship, those with a printed track first."""
    names = {file.name.removesuffix(".npy") for file in _FOLDER.iterdir() if file.name.endswith(".npy")}
    return (*TITLES, *sorted(names - set(TITLES), key=str.casefold))


def shipped_bytes(name: str) -> bytes:
    """The `.npy` file of a shipped track. Raises BadInput for a name that is none of them."""
    if name not in shipped_names():
        raise BadInput(f"There is no track {name[:60]!r} among those that ship with Raceday.")
    return (_FOLDER / f"{name}.npy").read_bytes()


@functools.cache
def shipped_outline(name: str) -> TrackOutline:
    """The outline of a shipped track. Raises BadInput for a name that is none of them."""
    return outline_of(name, shipped_bytes(name))


def shipped_name(written: str) -> str | None:
    """The shipped track that is meant, by its file's name or its title, however that is written; None: none is."""
    return _by_plain_name().get(_plain(written))


def require_shipped(written: str) -> str:
    """The shipped track that is meant, for a race in the simulator. Raises BadInput that names like ones."""
    name = shipped_name(written)
    if name is None:
        like = difflib.get_close_matches(_plain(written), _by_plain_name(), 3, 0.5)
        names = [_by_plain_name()[each] for each in like] or list(TITLES)
        raise BadInput(
            text(
                "The virtual circuit has no track {track}: name one that ships with Raceday, such as {names}.",
                track=repr(written[:60]),
                names=", ".join(dict.fromkeys(names)),
            )
        )
    return name


@functools.cache
def _by_plain_name() -> dict[str, str]:
    titles = {_plain(title): name for name, title in TITLES.items()}
    return titles | {_plain(name): name for name in shipped_names()}


def _plain(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())
