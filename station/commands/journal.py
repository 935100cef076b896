"""`raceday journal verify FILE`: checks the hash chain and every signature, and names the first bad record.

`raceday journal salvage`: begins a new journal that continues a damaged one.
"""

import argparse
import os
import pathlib
import secrets

from shared.chosen_config import add_config_option, chosen_config
from shared.clock import SystemClock
from shared.config import load
from shared.errors import BadInput, StorageError
from station.build import hold_lock
from station.config import StationConfig
from station.core.inputs import Moment
from station.service.setup import JOURNAL_BYTES
from station.store.opening import KEY
from station.store.recovery.salvage import salvage
from station.store.signer import load_signer
from station.store.verify import verify_journal
from station.sync.operator.status import hold_sync_lock


def main(arguments: list[str]) -> int:
    """The command; returns the exit code. Raises StorageError that names the first record that is not as written."""
    parser = argparse.ArgumentParser(prog="raceday journal", description="Verifies or salvages a station's journal.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verify = verbs.add_parser("verify", help="check every record and every signature")
    verify.add_argument("journal", type=pathlib.Path, help="station.db of the station's data folder")
    verify.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="HEX",
        help="trust only this public key (may be given several times)",
    )
    fresh = verbs.add_parser("salvage", help="begin a new journal that names the last good record of the damaged one")
    source = fresh.add_mutually_exclusive_group()
    add_config_option(source, "station.toml")
    source.add_argument("--data-dir", type=pathlib.Path, metavar="DIR", help="the station's folder")
    options = parser.parse_args(arguments)
    if options.verb == "salvage":
        print(salvaged(options.data_dir or load(chosen_config(options.config, "station.toml"), StationConfig).data_dir))
        return 0
    keys = frozenset(parsed_key(text) for text in options.key) or _beside(options.journal)
    print(verified(options.journal, keys))
    return 0


def verified(path: pathlib.Path, keys: frozenset[bytes] = frozenset()) -> str:
    """Verifies a journal; returns a sentence about it. `keys`: the public keys to trust. Raises StorageError."""
    journal = verify_journal(path, keys)
    if keys and not journal.signatures:
        raise StorageError(f"{path}: bears no signature of the keys that you trust: it proves nothing.")
    signed = f"{journal.signatures} signatures by {', '.join(journal.signers)}"
    by = signed if journal.signers else "it bears no signature"
    return f"{journal.seq} records as they were written, {by}; head {journal.head.hex()}"


def salvaged(data_dir: pathlib.Path) -> str:
    """Salvages the folder's journal; returns a sentence about the new one.

    Raises OperatorError while station or sync run, StorageError.
    """
    clock = SystemClock()
    station_lock = hold_lock(data_dir)
    sync_lock = hold_sync_lock(data_dir)
    try:
        now = Moment(clock.boot_id, clock.now_ns(), clock.utc_ns())
        return salvage(data_dir, now, secrets.token_hex(JOURNAL_BYTES))
    finally:
        os.close(sync_lock)
        os.close(station_lock)


def _beside(journal: pathlib.Path) -> frozenset[bytes]:
    """The key beside the journal, if this user may read it: a station's own journal must be signed by its own key."""
    key = journal.with_name(KEY)
    return frozenset({load_signer(key).public_key}) if os.access(key, os.R_OK) else frozenset()


def parsed_key(text: str) -> bytes:
    """The 32 bytes of a public key from its 64 hexadecimal digits. Raises BadInput."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise BadInput(f"{text[:80]!r} is not a public key: a key has 64 hexadecimal digits.")
    return key
