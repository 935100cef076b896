"""A journal of an older station: its inputs make exactly the facts that it stored, including refusals.

`journal-0.1.tsv.gz` holds input and facts of each record, as they stand in station.db: runs with laps of all lengths,
incidents, each ruling (refused ones too), and reports, by a station of version 0.1.
"""

import gzip
import pathlib

from station.core.engine import Engine
from station.store.encoding import decode_input, encode_facts

OLD = pathlib.Path(__file__).parents[2] / "assets" / "journal-0.1.tsv.gz"


def test_an_old_journal_makes_its_old_facts() -> None:
    engine = Engine()
    records = [line.split(b"\t") for line in gzip.decompress(OLD.read_bytes()).splitlines()]
    assert len(records) > 150
    for number, (given, facts) in enumerate(records, 1):
        assert encode_facts(engine.handle(decode_input(given))) == facts, f"record {number}"
    assert any(b'"DropCrossing"' in given and b'"number":0' in given for given, _ in records)
