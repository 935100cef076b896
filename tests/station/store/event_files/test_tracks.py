"""The tracks of an event: what is uploaded is checked, stored whole, and there again after a restart."""

import pathlib

import pytest

from shared.errors import BadInput, StorageError
from shared.tracks.shipped import shipped_bytes, shipped_names
from station.store.event_files.tracks import MAX_NAME, TrackLibrary

OVAL = shipped_bytes("Oval_track")


def test_an_uploaded_track_is_there_after_a_restart(tmp_path: pathlib.Path) -> None:
    entry = TrackLibrary(tmp_path).add("Hall 3", OVAL, "Ruth")
    again = TrackLibrary(tmp_path)
    assert again.entries()[0] == entry
    assert (entry.name, entry.author, round(entry.length_m, 2)) == ("Hall 3", "Ruth", 19.55)
    assert [each.name for each in again.entries()[1:]] == list(shipped_names())
    outline = again.outline("HALL-3")
    assert outline is not None
    assert outline.length_m == entry.length_m
    assert (tmp_path / "tracks" / f"{entry.sha256}.npy").read_bytes() == OVAL


def test_a_shipped_track_is_found_by_its_title(tmp_path: pathlib.Path) -> None:
    library = TrackLibrary(tmp_path)
    outline = library.outline("re:Invent 2018")
    assert outline is not None
    assert round(outline.length_m, 2) == 17.71
    assert library.outline("Hall 9") is None
    assert library.outline("") is None


BAD_NAMES = ["", "  ", "x" * (MAX_NAME + 1), "a\nb", "-.-", "reinvent_base", "RE:INVENT 2018", "Hall 3"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_is_taken_or_none_is_refused(tmp_path: pathlib.Path, name: str) -> None:
    library = TrackLibrary(tmp_path)
    library.add("hall-3", shipped_bytes("Monaco"), "Ruth")
    with pytest.raises(BadInput):
        library.add(name, OVAL, "Ruth")
    assert len(library.entries()) == 1 + len(shipped_names())


def test_the_same_file_again_is_the_same_track_and_may_have_two_names(tmp_path: pathlib.Path) -> None:
    library = TrackLibrary(tmp_path)
    first = library.add("Hall 3", OVAL, "Ruth")
    assert library.add("hall 3", OVAL, "Max") == first
    library.add("Hall 4", OVAL, "Max")
    assert {entry.name for entry in TrackLibrary(tmp_path).entries() if entry.sha256} == {"Hall 3", "Hall 4"}


def test_a_damaged_file_stops_nothing(tmp_path: pathlib.Path) -> None:
    entry = TrackLibrary(tmp_path).add("Hall 3", OVAL, "Ruth")
    TrackLibrary(tmp_path).add("Hall 4", shipped_bytes("Monaco"), "Ruth")
    (tmp_path / "tracks" / f"{entry.sha256}.npy").write_bytes(b"damaged")
    (tmp_path / "tracks" / "torn.json").write_text("{")
    (tmp_path / "tracks" / "list.json").write_text("[]")
    assert [each.name for each in TrackLibrary(tmp_path).entries() if each.sha256] == ["Hall 4"]


def test_a_disk_that_refuses_is_reported(tmp_path: pathlib.Path) -> None:
    (tmp_path / "tracks").write_text("a file where the folder should be")
    with pytest.raises(StorageError, match="cannot be written"):
        TrackLibrary(tmp_path).add("Hall 3", OVAL, "Ruth")
