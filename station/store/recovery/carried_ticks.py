"""What people ticked on the checklists, in a backup and out of it: the newest of each line, whosever machine it was on.

Called by backup.py and restoring.py. What the station saw for its own lines stays at its machine: a backup may go to
another one, with other gates and buttons.
"""

import pathlib

from shared.errors import BadInput
from shared.files import write_whole
from shared.text import text
from station.checklists.stored_file import (
    FILE,
    MAX_BYTES,
    StoredChecklists,
    as_bytes,
    carriable,
    checklists_in,
    with_ticks_of,
)

CARRIED_FILE = FILE
MAX_CARRIED_BYTES = MAX_BYTES


def copy_ticks(data_dir: pathlib.Path, copies: pathlib.Path) -> str:
    """Copies the ticks, if there are any; returns a sentence if they cannot be read. Raises OSError.

    They keep nobody from making a backup: the journal in it is worth more.
    """
    file = data_dir / FILE
    try:
        ticks = carriable(checklists_in(file.read_bytes()).ticks)
    except FileNotFoundError:
        return ""
    except (OSError, BadInput) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return text("The ticks of the checklists are not in it: {file} cannot be read ({why}).", file=file, why=why)
    if ticks:
        (copies / FILE).write_bytes(as_bytes(StoredChecklists(ticks)))
    return ""


def is_carried(file: pathlib.Path) -> bool:
    """Is this what `copy_ticks` wrote, and not more? Raises OSError."""
    try:
        stored = checklists_in(file.read_bytes())
    except BadInput:
        return False
    return bool(stored.ticks) and stored == StoredChecklists(carriable(stored.ticks))


def take_over_ticks(here: pathlib.Path, staged: pathlib.Path, now_utc_ns: int) -> None:
    """Adds to the staged ticks what is on file here. Called again after a kill, it changes nothing more.

    Raises OSError if the disk refuses the staged file.
    """
    if not here.exists():  # there was none, or it was added and moved aside before a kill
        return
    for left in staged.parent.glob(f".{staged.name}.*.part"):  # of a write that was cut off
        left.unlink()
    merged = with_ticks_of(_checklists(here), checklists_in(staged.read_bytes()), now_utc_ns)
    write_whole(staged, as_bytes(merged), is_durable=True)


def _checklists(file: pathlib.Path) -> StoredChecklists:
    """What the file holds; nothing if it cannot be read: what is there is then kept beside the new one."""
    try:
        return checklists_in(file.read_bytes())
    except (OSError, BadInput):
        return StoredChecklists()
