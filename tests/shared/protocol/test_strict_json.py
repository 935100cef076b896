"""JSON that every reader reads alike: what two would read differently is refused, all else is as Python reads it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.protocol.strict_json import read_json

# From RFC 8259 and RFC 7493, and the parsing cases of github.com/nst/JSONTestSuite that Python's reader takes.
REFUSED: tuple[tuple[str, bytes | str, str], ...] = (
    ("a name twice", b'{"a":1,"a":2}', "'a' stands twice"),
    ("a name twice, by an escape", b'{"a":1,"\\u0061":2}', "'a' stands twice"),
    ("deep inside", b'[{"x":[{"b":0,"c":1,"b":0}]}]', "'b' stands twice"),
    ("UTF-16", '{"a":1}'.encode("utf-16"), "not UTF-8"),
    ("UTF-16 without a mark", '{"a":1}'.encode("utf-16-le"), ""),
    ("UTF-32", '{"a":1}'.encode("utf-32"), ""),
    ("a byte order mark", b'\xef\xbb\xbf{"a":1}', ""),
    ("Latin-1", '{"a":"é"}'.encode("latin-1"), "not UTF-8"),
    ("NaN", b'{"a":NaN}', "NaN is no number"),
    ("infinity", b"[-Infinity]", "no number"),
    ("a float beyond all", b"[1e999]", "too large"),
    ("digits without end", b"[" + b"9" * 5000 + b"]", "5000 digits"),
    ("brackets without end", b"[" * 100_000 + b"]" * 100_000, "too deeply"),
    ("nothing", b"", ""),
    ("more behind it", b"{}x", ""),
)


@pytest.mark.parametrize(("name", "data", "sentence"), REFUSED, ids=[name for name, _, _ in REFUSED])
def test_what_readers_read_differently_is_refused(name: str, data: bytes | str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence or None):
        read_json(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=10,
)


@given(JSON)
def test_every_other_document_is_as_python_reads_it(document: Any) -> None:
    text = json.dumps(document)
    assert read_json(text) == read_json(text.encode()) == json.loads(text) == document


@given(st.binary(max_size=40) | st.text(st.sampled_from('{}[]",:1aeE-.\\u0'), max_size=20).map(str.encode))
def test_whatever_comes_is_a_document_or_a_value_error(data: bytes) -> None:
    try:
        document = read_json(data)
    except ValueError:
        return
    assert json.loads(data) == document


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**300])
def test_whole_numbers_have_the_bound_that_is_asked_for(number: int) -> None:
    assert read_json(str(number)) == number
    with pytest.raises(ValueError, match="too large"):
        read_json(f"[{number}]", max_whole=2**63)
    assert read_json(f"[{2**63 - 1}, {-(2**63)}]", max_whole=2**63) == [2**63 - 1, -(2**63)]
