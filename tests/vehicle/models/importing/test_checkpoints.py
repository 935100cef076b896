"""Which of several checkpoints is chosen, however the training's notes name it: the best, or a refusal."""

import contextlib
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import BadInput
from tests.vehicle.models.importing.tars import Member, tar_gz
from vehicle.models.importing.archive import extract_model

METADATA = Member(b"model_metadata.json", b"{}")
LAST, BEST = Member(b"model/model_25.pb", b"last"), Member(b"model/model_24.pb", b"best")
CHECKPOINTS = b'{"best_checkpoint": {"name": "24_Step-100.ckpt"}, "last_checkpoint": {"name": "25_Step-120.ckpt"}}'
NOTED = Member(b"model/deepracer_checkpoints.json", CHECKPOINTS)
NO_BEST = b'{"best_checkpoint": {"name": ""}, "last_checkpoint": {"name": "25_Step-120.ckpt"}}'


def best_and_last(best: object, last: object = "25_Step-120.ckpt") -> Member:
    """The note that a training writes, with these entries."""
    note = {"best_checkpoint": best, "last_checkpoint": {"name": last}}
    return Member(NOTED.name, json.dumps(note).encode())


@pytest.mark.parametrize(
    "name",
    [
        "24_Step-100.ckpt", "model/24_Step-100.ckpt", "./24_Step-100.ckpt", "/opt/ml/model/24_Step-100.ckpt",
        "s3://bucket/a (1)/model/24_Step-100.ckpt", "s3://" + "x" * 300 + "/24_Step-100.ckpt",
        "model\\24_Step-100.ckpt", "C:\\a b\\24_Step-100.ckpt", "24_Step-100.ckpt\n", "24_Step-100.ckpt\r\n",
        " 24_Step-100.ckpt\t", "24_step-100.CKPT", "24_Step-100.ckpt.index", "24_Step-100", "24", "24.ckpt",
        "model_24.pb", "model/model_24", 24,
    ],
)  # fmt: skip
@pytest.mark.parametrize("put", ["plain", "name", "Name", "checkpoint", "list"])
def test_the_best_is_taken_however_a_note_names_it(name: object, put: str) -> None:
    entry = {"plain": name, "list": [name]}.get(put, {put: name, "avg_eval_metric": 58.9})
    extracted = extract_model(io.BytesIO(tar_gz(LAST, BEST, METADATA, best_and_last(entry))))
    assert (bytes(extracted.model), extracted.choice.endswith("the best")) == (b"best", True)
    assert bytes(extract_model(io.BytesIO(tar_gz(LAST, best_and_last(entry), BEST, METADATA)), "best").model) == b"best"
    swapped = best_and_last({"name": "25_Step-120.ckpt"}, name)
    assert bytes(extract_model(io.BytesIO(tar_gz(LAST, swapped, BEST, METADATA)), "last").model) == b"best"


@pytest.mark.parametrize("best", [None, "", " \n", {}, [], {"name": ""}, {"name": None, "time_stamp": ""}])
def test_without_a_best_the_last_is_taken_and_said(best: object) -> None:
    extracted = extract_model(io.BytesIO(tar_gz(LAST, BEST, METADATA, best_and_last(best))))
    assert (bytes(extracted.model), extracted.choice.endswith("calls 25_Step-120.ckpt the last")) == (b"last", True)


IN_USE = Member(b"model/.coach_checkpoint", b"25_Step-120.ckpt")


@pytest.mark.parametrize(
    "note",
    [
        best_and_last(entry)
        for entry in (
            True, False, 24.5, ["24", "25"], {"avg_eval_metric": 58.9}, {"name": {"name": "24"}}, {"name": ["24", 25]},
            {"name": "24", "Name": "25"}, "model/", "24\x07", "24\u202e", "2" * 201,
        )
    ]
    + [Member(NOTED.name, text) for text in (
        b"rubbish", CHECKPOINTS[:-1], CHECKPOINTS.replace(b'"', b"'"), b"[]", b'"24_Step-100.ckpt"', b"[" * 9000,
        CHECKPOINTS[:-1] + b', "best_checkpoint": {"name": "25_Step-120.ckpt"}}', CHECKPOINTS + CHECKPOINTS,
    )],
)  # fmt: skip
def test_a_note_that_is_not_clear_lets_no_other_checkpoint_in(note: Member) -> None:
    for members in ([LAST, BEST, METADATA, note], [IN_USE, LAST, BEST, METADATA, note]):
        for requested in ("", "best"):
            with pytest.raises(BadInput) as refused:
                extract_model(io.BytesIO(tar_gz(*members)), requested)
            assert "deepracer_checkpoints.json is not clear, so nothing says which is the best" in str(refused.value)
            assert "Name one with --checkpoint" in str(refused.value)
        assert bytes(extract_model(io.BytesIO(tar_gz(*members)), "24").model) == b"best"
    assert bytes(extract_model(io.BytesIO(tar_gz(BEST, METADATA, note))).model) == b"best"  # there is no choice


@pytest.mark.parametrize("keys", ["best_checkpoint", "Best_Checkpoint", "bestCheckpoint", "best-checkpoint", "best"])
def test_the_best_is_known_under_any_spelling_of_its_key(keys: str) -> None:
    note = Member(NOTED.name, CHECKPOINTS.replace(b"best_checkpoint", keys.encode()))
    assert bytes(extract_model(io.BytesIO(tar_gz(LAST, BEST, METADATA, note))).model) == b"best"


def test_notes_that_contradict_each_other_choose_nothing() -> None:
    other = Member(b"old/deepracer_checkpoints.json", CHECKPOINTS.replace(b"24_Step-100", b"25_Step-120"))
    with pytest.raises(BadInput, match="not clear, so nothing says which is the best"):
        extract_model(io.BytesIO(tar_gz(LAST, BEST, METADATA, NOTED, other)))
    for second in (Member(other.name, CHECKPOINTS), Member(other.name, NO_BEST), Member(other.name, b"")):
        for notes in ([NOTED, second], [second, NOTED]):
            assert bytes(extract_model(io.BytesIO(tar_gz(LAST, BEST, METADATA, *notes))).model) == b"best"


@pytest.mark.parametrize(
    ("names", "note", "requested", "model"),
    [
        (["24_Step-2477.pb", "24_Step-99.pb"], "24_Step-2477.ckpt", "", "24_Step-2477.pb"),
        (["24_Step-99.pb", "24_Step-2477.pb"], "model/24_Step-2477.ckpt", "", "24_Step-2477.pb"),
        (["24_Step-99.pb", "24_Step-2477.pb"], "", "24_Step-99", "24_Step-99.pb"),
        (["model_24.pb", "24_Step-2477.pb"], "24_Step-2477.ckpt", "", "24_Step-2477.pb"),
        (["a/model_24.pb", "24.pb", "model_024.pb"], "24", "", "24.pb"),
        (["old/model_24.pb", "model_24.pb"], "", "old/model_24.pb", "old/model_24.pb"),
        (["old/model_24.pb", "model_24.pb"], "", "model_24.pb", "model_24.pb"),
        (["24_Step-2477.pb", "24_Step-99.pb"], "24_Step-5.ckpt", "", ""),
        (["24_Step-2477.pb", "24_Step-99.pb"], "", "24", ""),
        (["a/24_Step-99.pb", "b/24_Step-99.pb"], "24_Step-99.ckpt", "", ""),
        (["old/model_24.pb", "model_24.pb"], "old/model_24.pb", "", ""),
        (["old/model_24.pb", "model_24.pb"], "", "24", ""),
    ],
)
def test_a_whole_name_comes_before_a_number(names: list[str], note: str, requested: str, model: str) -> None:
    models = [Member(name.encode(), name.encode()) for name in names]
    packed = io.BytesIO(tar_gz(*models, METADATA, best_and_last(note, "")))
    if model:
        assert extract_model(packed, requested).model == model.encode()
        return
    with pytest.raises(BadInput, match="2 models of the checkpoint"):
        extract_model(packed, requested)


@settings(max_examples=60, deadline=None)
@given(folder=st.text(max_size=40), separator=st.sampled_from("/\\"), blanks=st.text(" \t\r\n", max_size=3))
def test_in_whatever_folder_it_is_said_to_be_the_best_is_the_best(folder: str, separator: str, blanks: str) -> None:
    note = best_and_last({"name": f"{blanks}{folder}{separator}24_Step-100.ckpt{blanks}"})
    assert extract_model(io.BytesIO(tar_gz(LAST, BEST, METADATA, note))).model == b"best"


SCALARS = st.text(min_size=1).filter(str.strip) | st.integers() | st.booleans()
ENTRIES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, min_size=1) | st.dictionaries(st.sampled_from(["name", "x"]), inner, min_size=1),
    max_leaves=4,
)


@settings(max_examples=60, deadline=None)
@given(best=ENTRIES)
def test_where_anything_is_called_the_best_the_last_is_not_taken(best: object) -> None:
    with contextlib.suppress(BadInput):
        extracted = extract_model(io.BytesIO(tar_gz(LAST, BEST, METADATA, best_and_last(best))))
        assert extracted.choice.endswith("the best")
