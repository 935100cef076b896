"""`raceday journal verify FILE`: the chain of hashes, each signature; the first bad record is named.

`raceday journal salvage`: a new journal that goes on for a damaged one.
"""

import argparse
import os
import pathlib
import secrets

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
from station.sync.status import hold_sync_lock


def main(arguments: list[str]) -> int:
    """The command. Raises StorageError that names the first record that is not as it was written."""
    parser = argparse.ArgumentParser(prog="raceday journal", description="Is the journal what the station wrote?")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verify = verbs.add_parser("verify", help="read every record again, and every signature")
    verify.add_argument("journal", type=pathlib.Path, help="station.db of the station's data folder")
    verify.add_argument("--key", action="append", default=[], metavar="HEX", help="the station's public key, to trust")
    fresh = verbs.add_parser("salvage", help="begin a new journal that names the last good record of the damaged one")
    source = fresh.add_mutually_exclusive_group()
    source.add_argument("--config", type=pathlib.Path, default=pathlib.Path("config/station.toml"), metavar="FILE")
    source.add_argument("--data-dir", type=pathlib.Path, metavar="DIR", help="the station's folder")
    options = parser.parse_args(arguments)
    if options.verb == "salvage":
        print(salvaged(options.data_dir or load(options.config, StationConfig).data_dir))
        return 0
    keys = frozenset(parsed_key(text) for text in options.key) or _beside(options.journal)
    print(verified(options.journal, keys))
    return 0


def verified(path: pathlib.Path, keys: frozenset[bytes] = frozenset()) -> str:
    """The sentence about a whole journal. Raises StorageError."""
    found = verify_journal(path, keys)
    if keys and not found.signatures:
        raise StorageError(f"{path}: bears no signature of the keys that you trust: it proves nothing.")
    by = f"{found.signatures} signatures by {', '.join(found.signers)}" if found.signers else "it bears no signature"
    return f"{found.seq} records as they were written, {by}; head {found.head.hex()}"


def salvaged(data_dir: pathlib.Path) -> str:
    """The sentence about the new journal. Raises OperatorError while a station runs, StorageError."""
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
    """The key in the station's own folder, where we may read it: what lies there is to be signed by it."""
    key = journal.with_name(KEY)
    return frozenset({load_signer(key).public_key}) if os.access(key, os.R_OK) else frozenset()


def parsed_key(text: str) -> bytes:
    """A public key as it is published. Raises BadInput."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise BadInput(f"{text[:80]!r} is no public key: it has 64 hexadecimal digits.")
    return key
