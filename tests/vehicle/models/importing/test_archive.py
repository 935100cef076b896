"""The archive's reader: what ordinary packers write is read, and damage is at worst a refusal."""

import contextlib
import gzip
import io
import json
import pathlib
import tarfile
import zipfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import BadInput
from tests.vehicle.models.importing.tars import Member, crowd, pax, tar, tar_gz
from tests.vehicle.models.importing.zips import zip_of
from tests.vehicle.sample_parts import ACTIONS
from vehicle.models.importing.archive import extract_model
from vehicle.models.importing.checkpoints import NOTES

NAME = b"model_metadata.json"
MODEL, METADATA = Member(b"agent/model.pb", b"graph"), Member(NAME, b"{}")


def cut(content: bytes, size: int) -> list[bytes]:
    """The content in pieces of `size` bytes."""
    return [content[at : at + size] for at in range(0, len(content), size)]


def extract(*members: Member) -> tuple[str, bytes, bytes]:
    """Name, model and metadata extracted from an archive of these members."""
    extracted = extract_model(io.BytesIO(tar_gz(*members)))
    return extracted.name, bytes(extracted.model), extracted.metadata


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
    extracted_name, model, metadata = extract(*members)
    assert (model, metadata) == (b"graph", b"{}")
    assert extracted_name == (name or "agent/" + "x" * 120 + ".pb")


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
        extracted = extract_model(file)
    assert (extracted.name, bytes(extracted.model), extracted.metadata) == (f"{folder}model.pb", b"g" * 70_001, b"{}")


IGNORED = [
    b"metrics/evaluation/2026-03-07T17:52:00.898Z-evaluation.json",
    b"C:evil.txt",
    b"logs\\today\\car.log",
    b"..\\evil",
    b"../evil.log",
    b"/etc/cron.d/evil",
    b"agent/../../evil.csv",
    b"..",
    b"logs/..",
    "logs/ログ/последний.csv".encode(),
    "agent/\u202ebp.ledom".encode(),
    b"bell\x07",
    b"line\nbreak.log",
    b"not\xffutf8",
    b"a/" * 40 + b"x",
]


@pytest.mark.parametrize("name", IGNORED)
def test_what_is_passed_over_may_have_any_name(name: bytes) -> None:
    assert extract(MODEL, Member(name, b"x"), METADATA)[1:] == (b"graph", b"{}")
    assert extract(MODEL, pax(path="x" * 3000), Member(b"long", b"x"), METADATA)[1] == b"graph"


FILES = {"agent/model.pb": b"graph" * 100, "model_metadata.json": b"{}", "logs/2026-03-07T17:52.txt": b"x"}


@pytest.mark.parametrize(
    "content",
    [
        zip_of(FILES),
        zip_of(FILES, method=0),
        zip_of(FILES, described=True),
        zip_of(FILES, large=True),
        zip_of({name.replace("/", "\\"): content for name, content in FILES.items()}),
        zip_of({"agent/": b"", "__MACOSX/agent/._model.pb": b"mac", **FILES}, modes={"agent/": 0o040755}),
        tar(Member(b"agent/model.pb", b"graph" * 100), METADATA),
        gzip.compress(tar(Member(b"agent/model.pb", b"graph" * 100), METADATA)) + bytes(512),
        b"".join(gzip.compress(piece) for piece in cut(tar(Member(b"agent/model.pb", b"graph" * 100), METADATA), 100)),
        gzip.compress(gzip.compress(tar(Member(b"agent/model.pb", b"graph" * 100), METADATA))),
        tar(Member(b"BZh/notes.txt"), Member(b"agent/model.pb", b"graph" * 100), METADATA),
        gzip.compress(tar(Member(b"Rar!.txt"), Member(b"agent/model.pb", b"graph" * 100), METADATA)),
        gzip.compress(b"")
        + gzip.compress(tar(Member(b"agent/model.pb", b"graph" * 100), METADATA))
        + gzip.compress(b""),
    ],
    ids=[
        "zip",
        "stored",
        "described",
        "zip64",
        "windows",
        "mac",
        "tar",
        "filled up",
        "members",
        "twice",
        "BZh",
        "Rar!",
        "empty members",
    ],
)
def test_what_browsers_and_download_buttons_make_is_taken(content: bytes) -> None:
    extracted = extract_model(io.BytesIO(content))
    assert (bytes(extracted.model), extracted.metadata, extracted.choice) == (b"graph" * 100, b"{}", "")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_it_reads_the_zip_that_the_standard_library_writes(method: int) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as written:
        written.writestr("agent/model.pb", b"g" * 70_001)
        written.writestr(NAME.decode(), "{}")
        written.comment = b"a comment"
    extracted = extract_model(packed)
    assert (extracted.name, bytes(extracted.model), extracted.metadata) == ("agent/model.pb", b"g" * 70_001, b"{}")


LAST, BEST = Member(b"model/model_25.pb", b"last"), Member(b"model/model_24.pb", b"best")
CHECKPOINTS = b'{"best_checkpoint": {"name": "24_Step-100.ckpt"}, "last_checkpoint": {"name": "25_Step-120.ckpt"}}'
NOTED = Member(b"model/deepracer_checkpoints.json", CHECKPOINTS)
NO_BEST = b'{"best_checkpoint": {"name": ""}, "last_checkpoint": {"name": "25_Step-120.ckpt"}}'


@pytest.mark.parametrize(
    ("members", "requested", "model", "reason"),
    [
        ([LAST, BEST, METADATA, NOTED], "", b"best", "deepracer_checkpoints.json calls 24_Step-100.ckpt the best"),
        ([NOTED, METADATA, BEST, LAST], "", b"best", "calls 24_Step-100.ckpt the best"),
        (
            [LAST, BEST, METADATA, NOTED, Member(b"model/.coach_checkpoint", b"25_Step-120.ckpt")],
            "",
            b"best",
            "the best",
        ),
        ([BEST, LAST, METADATA, Member(b"model/.coach_checkpoint", b"25_Step-120.ckpt\n")], "", b"last", "one in use"),
        ([BEST, LAST, METADATA, Member(b"coach_checkpoint", b"24_Step-1.ckpt")], "", b"best", "one in use"),
        ([BEST, LAST, METADATA, Member(b"checkpoint", b'model_checkpoint_path: "25_Step-120.ckpt"')], "", b"last", ""),
        ([BEST, LAST, METADATA, Member(NOTED.name, NO_BEST)], "", b"last", "calls 25_Step-120.ckpt the last"),
        ([LAST, BEST, METADATA, NOTED], "25", b"last", "requested"),
        ([LAST, BEST, METADATA, NOTED], "last", b"last", "calls 25_Step-120.ckpt the last"),
        ([NOTED, LAST, BEST, METADATA], "best", b"best", "calls 24_Step-100.ckpt the best"),
        ([LAST, Member(b"best.pb", b"best"), METADATA, NOTED], "best", b"best", "requested"),
        (
            [Member(b"m/24_Step-100.pb", b"best"), Member(b"m/25_Step-120.pb", b""), METADATA, NOTED],
            "",
            b"best",
            "best",
        ),
        ([Member(b"m/24_Step-7.pb", b"best"), Member(b"m/25_Step-24.pb", b""), METADATA, NOTED], "", b"best", "best"),
        ([Member(b"m/24_Step-100.pb", b"best"), Member(b"m/25_Step-24.pb", b""), METADATA], "24", b"best", "requested"),
        ([LAST, BEST, METADATA], "model_24.pb", b"best", "requested"),
        ([LAST, BEST, METADATA], "model/model_24.pb", b"best", "requested"),
        ([LAST, BEST, METADATA], "24_Step-100.ckpt", b"best", "requested"),
    ],
)
def test_of_several_checkpoints_the_best_is_taken_or_the_one_that_is_asked_for(
    members: list[Member], requested: str, model: bytes, reason: str
) -> None:
    extracted = extract_model(io.BytesIO(tar_gz(*members)), requested)
    assert bytes(extracted.model) == model
    assert "of 2 checkpoints: " in extracted.choice
    assert reason in extracted.choice
    packed = zip_of({member.name.decode(): member.content for member in members})
    assert bytes(extract_model(io.BytesIO(packed), requested).model) == model


@pytest.mark.parametrize(
    ("members", "requested", "words"),
    [
        ([LAST, BEST, METADATA], "", "nothing says which is the best"),
        ([LAST, BEST, METADATA, Member(NOTED.name, b"rubbish")], "", "nothing says which is the best"),
        ([LAST, BEST, METADATA, Member(NOTED.name, b"[" * 9000)], "", "nothing says which is the best"),
        (
            [LAST, Member(b"model/model_23.pb", b""), METADATA, NOTED],
            "",
            "calls 24_Step-100.ckpt the best, but no model",
        ),
        ([LAST, BEST, Member(b"old/model_24.pb", b""), METADATA, NOTED], "", "2 models of the checkpoint"),
        ([LAST, BEST, METADATA, NOTED], "26", "no checkpoint '26': it has 'model/model_24.pb', 'model/model_25.pb'"),
        ([MODEL, METADATA], "26", "no checkpoint '26'"),
        ([LAST, BEST, METADATA], "best", "names no checkpoint as the best: it has 'model/model_24.pb'"),
        ([LAST, BEST, METADATA, Member(NOTED.name, NO_BEST)], "best", "names no checkpoint as the best"),
        ([LAST, BEST, METADATA, Member(b"checkpoint", b"25")], "last", "names no checkpoint as the last"),
    ],
)
def test_a_choice_that_cannot_be_made_is_said(members: list[Member], requested: str, words: str) -> None:
    with pytest.raises(BadInput) as refused:
        extract_model(io.BytesIO(tar_gz(*members)), requested)
    assert words in str(refused.value)
    assert "--checkpoint" in str(refused.value)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (b'{"a": 1, "b": [2]}', b'{\n  "b": [2],\n "a": 1.0}', True),
        (b'{"a": 1}', b'{"a": 1}', True),
        (b'{"a": 1}', b'{"a": 2}', False),
        (b'{"a": 1}', b'{"a": 1, "a": 1}', False),
        (b'{"a": 1}', b"rubbish", False),
    ],
)
@pytest.mark.parametrize("where", [b"agent/" + NAME, NAME])
def test_metadata_may_stand_twice_if_they_mean_the_same(first: bytes, second: bytes, same: bool, where: bytes) -> None:
    members = (MODEL, Member(NAME, first), Member(where, second))
    if same:
        assert extract(*members)[2] == first
        return
    with pytest.raises(BadInput, match="differ"):
        extract(*members)


REAL = {"action_space": ACTIONS, "sensor": ["FRONT_FACING_CAMERA"], "version": "5"}
LIDAR = {"sensor": ["FRONT_FACING_CAMERA", "LIDAR"]}
CONTINUOUS = {
    "steering_angle": {"low": -30, "high": 30},
    "speed": {"low": 1, "high": 3.0},
}


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ({}, {"version": 5}, True),
        ({}, {"version": "4"}, True),
        ({}, {"version": None}, True),
        ({}, {"sensor": "FRONT_FACING_CAMERA"}, True),
        ({}, {"training_algorithm": "clipped_ppo", "action_space_type": "discrete"}, True),
        ({}, {"neural_network": "DEEP_CONVOLUTIONAL_NETWORK_SHALLOW"}, True),
        ({"neural_network": "mine"}, {"neural_network": "yours"}, True),
        ({}, {"preprocess_type": None, "comment": "of tuesday"}, True),
        ({}, {"action_space": [{**action, "index": place} for place, action in enumerate(ACTIONS)]}, True),
        (LIDAR, {**LIDAR, "lidar_config": {"num_values": 64}}, True),
        (
            {"action_space": CONTINUOUS, "action_space_type": "continuous"},
            {"action_space": {**CONTINUOUS, "speed": {"high": 3, "low": 1.0}}, "action_space_type": "continuous"},
            True,
        ),
        (LIDAR, {**LIDAR, "lidar_config": {"num_values": 32}}, False),
        ({}, LIDAR, False),
        ({}, {"sensor": ["observation"]}, False),
        ({}, {"training_algorithm": "sac"}, False),
        ({}, {"action_space": ACTIONS[::-1]}, False),
        ({}, {"action_space": ACTIONS[:-1]}, False),
        ({}, {"action_space": [{**ACTIONS[0], "speed": 3.9}, *ACTIONS[1:]]}, False),
        ({}, {"action_space": [{**ACTIONS[0], "steering_angle": 1.5}, *ACTIONS[1:]]}, False),
        ({}, {"action_space": CONTINUOUS, "action_space_type": "continuous"}, False),
        ({}, {"action_space": "rubbish"}, False),
    ],
)
def test_metadata_may_put_the_same_car_in_two_ways(first: dict[str, Any], second: dict[str, Any], same: bool) -> None:
    one, other = (json.dumps({**REAL, **change}).encode() for change in (first, second))
    for texts in ((one, other), (other, one), (other, one, other, one)):
        members = [Member(b"%d/" % place + NAME, text) for place, text in enumerate(texts)]
        if same:
            assert extract(MODEL, *members)[2] == texts[0]
            continue
        with pytest.raises(BadInput, match="2 different files named"):
            extract(MODEL, *members)


@pytest.mark.parametrize("text", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-8"])
@pytest.mark.parametrize(
    ("note", "said"),
    [
        (b"deepracer_checkpoints.json", CHECKPOINTS.decode()),
        (b".coach_checkpoint", "24_Step-100.ckpt\r\n"),
        (b"checkpoint", 'model_checkpoint_path: "24_Step-100.ckpt"\n'),
    ],
)
def test_a_note_is_read_in_any_form_of_unicode(note: bytes, said: str, text: str) -> None:
    mark = "\ufeff" if text in ("utf-16-le", "utf-16-be") else ""
    written = Member(b"model/" + note, (mark + said).encode(text))
    extracted = extract_model(io.BytesIO(tar_gz(LAST, BEST, METADATA, written)))
    assert (bytes(extracted.model), "calls 24_Step-100.ckpt the" in extracted.choice) == (b"best", True)


@pytest.mark.parametrize(
    "name",
    [
        b"Model_Metadata.json", b"MODEL_METADATA.JSON", b"model_metadata (1).json", b"agent/model_metadata(2).json",
        b"model_metadata - Copy.json", b"model_metadata_1.json",
    ],
)  # fmt: skip
def test_metadata_are_found_as_a_download_names_them(name: bytes) -> None:
    assert extract(MODEL, Member(name, b'{"a": 1}'))[2] == b'{"a": 1}'
    assert extract(Member(name, b'{"a": 1}'), MODEL, METADATA)[2] == b"{}"  # its own name comes first
    with pytest.raises(BadInput, match="2 different files named"):
        extract(MODEL, Member(name, b'{"a": 1}'), Member(b"old/" + name, b"{}"))


@pytest.mark.parametrize("name", [b"my_model_metadata.json", b"model_metadata.json.bak", b"model_metadata_old.json"])
def test_other_names_are_no_metadata(name: bytes) -> None:
    with pytest.raises(BadInput, match="no model_metadata"):
        extract(MODEL, Member(name, b"{}"))


def test_one_model_is_the_best_and_the_last() -> None:
    for requested in ("best", "last"):
        extracted = extract_model(io.BytesIO(tar_gz(MODEL, METADATA)), requested)
        assert (bytes(extracted.model), extracted.choice) == (b"graph", "")


FOLDERS = [
    "\u5c71\u7530\u3000\u592a\u90ce", "my\u00a0model", "Ada \U0001f469\u200d\U0001f4bb", "\u0645\u06cc\u200c\u0644",
    "line\nbreak", "x" * 210, "bell\x07", "\u202egnp", "a\\b", "C:", "\ue000",
]  # fmt: skip


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_model_may_lie_in_a_folder_of_any_name(folder: str) -> None:
    names = [f"{folder}/{name}" for name in ("model.pb", "other.pb", "model_metadata.json")]
    model, metadata = [pax(path=names[0]), Member(b"m", b"graph")], [pax(path=names[2]), Member(b"t", b"{}")]
    assert extract(*model, *metadata)[1:] == (b"graph", b"{}")
    assert extract_model(io.BytesIO(zip_of({names[0]: b"graph", names[2]: b"{}"}))).model == b"graph"
    other = [pax(path=names[1]), Member(b"o", b"other")]
    with pytest.raises(BadInput, match="two models") as refused:
        extract(*model, *other, *metadata)
    assert str(refused.value).isprintable()
    chosen = extract_model(io.BytesIO(tar_gz(*model, *other, *metadata)), "other.pb")
    assert chosen.choice.isprintable()
    assert chosen.model == b"other"


SAME = [Member(b"agent/model.pb", b"graph"), Member(b"model.pb", b"graph"), Member(b"model/model_24.pb", b"graph")]


@pytest.mark.parametrize(
    "members",
    [
        [MODEL, MODEL, METADATA],
        [METADATA, MODEL, Member(b"./agent//model.pb", b"graph")],
        [SAME[0], SAME[1], METADATA],
        [SAME[1], METADATA, SAME[0], SAME[2]],
        [SAME[2], SAME[0], METADATA, NOTED],
        [SAME[0], SAME[2], METADATA, Member(b"agent/model.onnx", b"graph")],
    ],
)
@pytest.mark.parametrize("requested", ["", "first"])
def test_a_model_may_stand_twice_if_its_bytes_are_the_same(members: list[Member], requested: str) -> None:
    first = next(member.name.decode() for member in members if member.name.endswith((b".pb", b".onnx")))
    extracted = extract_model(io.BytesIO(tar_gz(*members)), first if requested else "")
    assert (extracted.name, bytes(extracted.model), extracted.choice) == (first, b"graph", "")


def test_checkpoints_of_the_same_bytes_are_still_chosen_from_and_said() -> None:
    same = [Member(b"model/model_24.pb", b"graph"), Member(b"model/model_25.pb", b"graph")]
    for members in (same, same[::-1]):
        extracted = extract_model(io.BytesIO(tar_gz(*members, METADATA, NOTED)))
        assert extracted.name == "model/model_24.pb"
        assert extracted.choice.startswith(
            "model/model_24.pb of 2 checkpoints: deepracer_checkpoints.json calls 24_Step"
        )
        requested = extract_model(io.BytesIO(tar_gz(*members, METADATA, NOTED)), "25")
        assert (requested.name, requested.choice) == (
            "model/model_25.pb",
            "model/model_25.pb of 2 checkpoints: it was requested",
        )
        assert extract_model(io.BytesIO(tar_gz(*members, METADATA))).model == b"graph"  # none named, nor matters


def test_of_models_that_stand_twice_the_best_is_one() -> None:
    twice = Member(b"agent/model.pb", b"best")
    for members in ([LAST, BEST, twice, METADATA, NOTED], [twice, LAST, METADATA, BEST, NOTED]):
        extracted = extract_model(io.BytesIO(tar_gz(*members)))
        assert (extracted.name, bytes(extracted.model)) == ("model/model_24.pb", b"best")
        assert "of 2 checkpoints" in extracted.choice
    elsewhere = Member(b"old/model_24.pb", b"best")
    assert extract_model(io.BytesIO(tar_gz(LAST, BEST, elsewhere, METADATA)), "24").model == b"best"
    with pytest.raises(BadInput, match="holds two models, and nothing says"):
        extract_model(io.BytesIO(tar_gz(LAST, BEST, twice, METADATA)))


@pytest.mark.slow
@pytest.mark.parametrize("timed", [False, True])
def test_a_long_training_brings_a_trace_of_each_iteration(timed: bool) -> None:
    traces = crowd(19_000, b"sim-trace/%d-iteration.csv")
    if timed:  # as packers do that keep times to the microsecond: an extension before each file
        traces = [member for trace in traces for member in (pax(mtime="1700000000.123456"), trace)]
    assert extract(MODEL, *traces, METADATA)[1] == b"graph"


@settings(max_examples=150, deadline=None)
@given(places=st.lists(st.tuples(st.integers(0, 3071), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_damaged_archive_is_read_or_refused(places: list[tuple[int, int]]) -> None:
    content = bytearray(gzip.decompress(tar_gz(MODEL, METADATA)))
    for place, value in places:
        content[place % len(content)] = value
    with contextlib.suppress(BadInput):
        extracted = extract_model(io.BytesIO(gzip.compress(bytes(content), 1)))
        assert ".." not in extracted.name.split("/")


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=2000))
def test_rubbish_is_refused(content: bytes) -> None:
    with pytest.raises(BadInput):
        extract_model(io.BytesIO(b"\x1f\x8b\x08\0" + content))


@settings(max_examples=200, deadline=None)
@given(
    places=st.lists(st.tuples(st.integers(0, 3071), st.integers(0, 255)), max_size=8),
    cut_at=st.integers(0, 600),
    large=st.booleans(),
)
def test_a_damaged_zip_is_read_or_refused(places: list[tuple[int, int]], cut_at: int, large: bool) -> None:
    content = bytearray(zip_of(FILES, large=large))
    for place, value in places:
        content[place % len(content)] = value
    for damaged in (bytes(content), bytes(content[: cut_at % len(content)])):
        with contextlib.suppress(BadInput):
            assert len(extract_model(io.BytesIO(damaged)).model) <= 500


@settings(max_examples=60, deadline=None)
@given(text=st.binary(max_size=300), note=st.sampled_from(NOTES))
def test_any_note_is_a_choice_or_a_sentence(text: bytes, note: str) -> None:
    with contextlib.suppress(BadInput):
        extracted = extract_model(io.BytesIO(tar_gz(LAST, BEST, METADATA, Member(note.encode(), text))))
        assert extracted.choice.isprintable()
