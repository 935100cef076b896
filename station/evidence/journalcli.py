"""`raceday journal verify FILE`: the chain of hashes, each signature; the first bad record is named."""

import argparse
import pathlib

from shared.errors import BadInput, StorageError
from station.store.chain import Tampered, attest
from station.store.reading import JournalReader


def main(arguments: list[str]) -> int:
    """The command. Raises StorageError that names the first record that is not as it was written."""
    parser = argparse.ArgumentParser(prog="raceday journal", description="Is the journal what the station wrote?")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verify = verbs.add_parser("verify", help="read every record again, and every signature")
    verify.add_argument("journal", type=pathlib.Path, help="station.db of the station's data folder")
    verify.add_argument("--key", action="append", default=[], metavar="HEX", help="the station's public key, to trust")
    asked = parser.parse_args(arguments)
    print(verified(asked.journal, frozenset(parsed_key(text) for text in asked.key)))  # noqa: T201  the answer
    return 0


def verified(path: pathlib.Path, keys: frozenset[bytes] = frozenset()) -> str:
    """The sentence about a whole journal. Raises StorageError."""
    reader = JournalReader(path)
    try:
        points, tip = reader.checkpoints(), reader.tip()
        seq, head, count = attest(reader.records(), points, tip, keys)
    except Tampered as bad:
        raise Tampered(bad.seq, f"{path}: {bad}") from None
    finally:
        reader.close()
    if keys and not count:
        raise StorageError(f"{path}: bears no signature of the keys that you trust: it proves nothing.")
    signers = sorted({point.public_key.hex() for point in [*points, *([tip] if tip is not None else [])]})
    by = f"{count} signatures by {', '.join(signers)}" if signers else "it bears no signature"
    return f"{seq} records as they were written, {by}; head {head.hex()}"


def parsed_key(text: str) -> bytes:
    """A public key as it is published. Raises BadInput."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise BadInput(f"{text[:80]!r} is no public key: it has 64 hexadecimal digits.")
    return key
