"""The stored journals under other names: the same figures, or no journal is written."""

import gzip
import json
import pathlib

import pytest

from station.store.encoding import decode_input, encode_input
from tests.system.figure_cases import KEPT_FILE, KEPT_TEXT
from tests.system.journal_figures import journal_figures, stored_records
from tests.system.rename_journals import Changed, Renaming, renamed_file, renamed_text


def test_without_a_table_the_kept_text_stays_as_it_is() -> None:
    new_texts: set[str] = set()
    stored = KEPT_TEXT.read_bytes()
    assert gzip.decompress(renamed_text(stored, Renaming({}), new_texts)) == gzip.decompress(stored)
    assert new_texts == set()


def test_without_a_table_the_kept_file_holds_the_same_records(tmp_path: pathlib.Path) -> None:
    copy = tmp_path / "old.db"
    copy.write_bytes(KEPT_FILE.read_bytes())
    before = stored_records(copy)
    again = tmp_path / "again.db"
    again.write_bytes(renamed_file(copy, Renaming({}), set(), tmp_path))
    assert stored_records(again) == before
    assert journal_figures(before) == journal_figures(stored_records(again))


def test_kinds_fields_and_values_get_their_new_names() -> None:
    table = {
        "kinds": {"Old": "New"},
        "fields": {"Old.at": "at_ns", "name": "title", "Other.deep": "never"},
        "values": {"Old.way": {"far": "near"}, "size": {"s": "small"}},
    }
    stored = json.dumps(["Old", {"at": 7, "name": "x", "way": "far", "deep": [{"at": 8, "size": "s", "way": "on"}]}])
    renamed = Renaming(table).input(stored.encode())
    assert renamed == b'["New",{"at_ns":7,"deep":[{"at_ns":8,"size":"small","way":"on"}],"title":"x","way":"near"}]'
    other = json.dumps(["Third", {"at": 7, "way": "far"}])
    assert Renaming(table).input(other.encode()) == b'["Third",{"at":7,"way":"far"}]'


def test_a_table_that_changes_a_figure_is_refused() -> None:
    with pytest.raises(Changed, match=r"record \d+: .* made"):
        renamed_text(_with(b'"uncertainty_ns":1000}', b'"uncertainty_ns":1001}'), Renaming({}), set())


def _with(old: bytes, new: bytes) -> bytes:
    text = gzip.decompress(KEPT_TEXT.read_bytes())
    assert old in text
    return gzip.compress(text.replace(old, new))


def test_inputs_are_stored_as_they_are_read() -> None:
    for line in gzip.decompress(KEPT_TEXT.read_bytes()).splitlines():
        given, _ = line.split(b"\t")
        assert encode_input(decode_input(given)) == given
