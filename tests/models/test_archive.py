"""The archive's reader: what honest packers write is taken, and damage does no worse than a sentence."""

import contextlib
import gzip
import io
import pathlib
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import BadInput
from tests.models.tars import Member, pax, tar_gz
from vehicle.models.archive import take_model

NAME = b"model_metadata.json"
MODEL, METADATA = Member(b"agent/model.pb", b"graph"), Member(NAME, b"{}")


def take(*members: Member) -> tuple[str, bytes, bytes]:
    """Name, model and metadata of an archive."""
    taken = take_model(io.BytesIO(tar_gz(*members)))
    return taken.name, bytes(taken.model), taken.metadata


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ([MODEL, METADATA], "agent/model.pb"),
        ([METADATA, MODEL], "agent/model.pb"),
        ([Member(b"./", kind=b"5"), Member(b"./model.pb", b"graph"), Member(b"./" + NAME, b"{}")], "model.pb"),
        ([Member(b"agent", kind=b"5"), MODEL, METADATA, Member(b"reward_function.py", b"print()")], "agent/model.pb"),
        ([MODEL, METADATA, Member(b"._model.pb", b"mac"), Member(b"agent/._model.pb", b"mac")], "agent/model.pb"),
        ([MODEL, METADATA, Member(b"model/" + NAME, b"{}")], "agent/model.pb"),
        ([pax(path="agent/long.pb", mtime="1.5"), Member(b"short", b"graph"), METADATA], "agent/long.pb"),
        ([pax(size="5"), Member(b"m.pb", b"graph", size=5), METADATA], "m.pb"),
        ([Member(b"L", b"agent/" + b"x" * 120 + b".pb\0", kind=b"L"), Member(b"m", b"graph"), METADATA], None),
        ([Member(b"model.pb", b"graph", kind=b"\0", magic=b"\0" * 8), METADATA], "model.pb"),
        ([Member(b"model.pb", b"graph", prefix=b"agent"), METADATA], "agent/model.pb"),
    ],
)
def test_what_honest_packers_write_is_taken(members: list[Member], name: str | None) -> None:
    taken, model, metadata = take(*members)
    assert (model, metadata) == (b"graph", b"{}")
    assert taken == (name or "agent/" + "x" * 120 + ".pb")


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("folder", ["", "agent/", "ü" * 40 + "/", "a" * 90 + "/" + "b" * 60 + "/"])
def test_it_reads_what_the_standard_library_writes(tmp_path: pathlib.Path, form: int, folder: str) -> None:
    path = tmp_path / "model.tar.gz"
    with tarfile.open(path, "w:gz", format=form) as written:
        for name, content in ((f"{folder}model.pb", b"g" * 70_001), (NAME.decode(), b"{}")):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            written.addfile(info, io.BytesIO(content))
    with path.open("rb") as file:
        taken = take_model(file)
    assert (taken.name, bytes(taken.model), taken.metadata) == (f"{folder}model.pb", b"g" * 70_001, b"{}")


@settings(max_examples=150, deadline=None)
@given(places=st.lists(st.tuples(st.integers(0, 3071), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_damaged_archive_is_read_or_refused(places: list[tuple[int, int]]) -> None:
    content = bytearray(gzip.decompress(tar_gz(MODEL, METADATA)))
    for place, value in places:
        content[place % len(content)] = value
    with contextlib.suppress(BadInput):
        taken = take_model(io.BytesIO(gzip.compress(bytes(content), 1)))
        assert ".." not in taken.name.split("/")


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=2000))
def test_rubbish_is_refused(content: bytes) -> None:
    with pytest.raises(BadInput):
        take_model(io.BytesIO(b"\x1f\x8b\x08\0" + content))
