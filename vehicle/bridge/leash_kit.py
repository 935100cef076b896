"""`raceday bridge leash`: the files that a stock car gets for its leash, in one folder.

Called by commands/bridge.py."""

import importlib.resources
import pathlib
import secrets

from shared.errors import StorageError
from shared.files import write_whole
from shared.text import text
from vehicle.bridge.leash.raceday_leash import KEY_BYTES
from vehicle.bridge.secret_files import write_secret

FILES = ("raceday_leash.py", "raceday-leash.service")
KEY = "raceday-leash.key"


def write_kit(folder: pathlib.Path) -> list[pathlib.Path]:
    """Write program, unit and a key into the folder; a key that is there is kept. Raises StorageError."""
    source = importlib.resources.files("vehicle.bridge.leash")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            write_whole(folder / name, (source / name).read_bytes())
    except OSError as error:
        raise StorageError(text("{file} cannot be written ({error}).", file=folder, error=error)) from None
    key = folder / KEY
    if not key.exists():
        write_secret(key, secrets.token_hex(KEY_BYTES))
    return [*(folder / name for name in FILES), key]
