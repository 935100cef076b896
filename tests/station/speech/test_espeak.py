"""Speech by espeak-ng: told plainly when absent, without a shell or phoneme marks, rendered once, limited in time."""

import pathlib
import shutil
import stat
import wave
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadInput, HardwareMissing, RetryLater
from station.speech import espeak
from station.speech.espeak import MAX_CHARS, MAX_WAITING, Speech, spoken_words

HOSTILE = ["; rm -rf /", "$(reboot)", "--version", "-f /etc/passwd", "a\0b", "<break time='99s'/>", "[[b@]] x", "\n\n"]


@pytest.fixture
def program(tmp_path: pathlib.Path) -> pathlib.Path:
    """A program in place of espeak-ng that notes how it was called."""
    path = tmp_path / "espeak-ng"
    path.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\nprintf RIFF\ncat\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_a_station_without_espeak_says_what_to_install() -> None:
    silent = Speech(None)
    assert silent.languages == ()
    with pytest.raises(HardwareMissing, match="apt install espeak-ng"):
        silent.wav("Ann leads.", "en")


@pytest.mark.parametrize("sentence", HOSTILE)
def test_the_sentence_is_never_part_of_the_command(program: pathlib.Path, sentence: str) -> None:
    said = Speech(str(program)).wav(f"Ann {sentence}", "de")
    assert said == b"RIFF" + spoken_words(f"Ann {sentence}").encode()
    assert (program.parent / "calls").read_text() == "-v de -b 1 -s 155 --stdin --stdout\n"


@given(st.text(max_size=600))
def test_what_is_spoken_is_short_printable_and_without_marks(sentence: str) -> None:
    words = spoken_words(sentence)
    assert len(words) <= MAX_CHARS
    assert words.isprintable()
    assert not set(words) & set("[]<>")


def test_each_sentence_is_rendered_once(program: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak, "CACHED", 2)
    speech = Speech(str(program))
    for sentence in ("one", "two", "one", "one", "three", "two"):
        speech.wav(sentence, "en")
    assert len((program.parent / "calls").read_text().splitlines()) == 4


def test_another_language_is_refused(program: pathlib.Path) -> None:
    with pytest.raises(BadInput, match="en, de"):
        Speech(str(program)).wav("Ann", "xx; reboot")


@pytest.mark.parametrize("script", ["exit 3", "echo no voice >&2; exit 1", "echo not a sound", "sleep 30"])
def test_a_program_that_fails_is_one_sentence(
    program: pathlib.Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    program.write_text(f"#!/bin/sh\n{script}\n")
    monkeypatch.setattr(espeak, "TIMEOUT_S", 0.2)
    with pytest.raises(HardwareMissing, match="espeak-ng did not speak"):
        Speech(str(program)).wav("Ann", "en")


def test_waiting_requests_are_limited(program: pathlib.Path) -> None:
    speech = Speech(str(program))
    for _ in range(MAX_WAITING):
        assert speech._waiting.acquire(blocking=False)
    with pytest.raises(RetryLater):
        speech.wav("Ann", "en")
    for _ in range(MAX_WAITING):
        speech._waiting.release()
    assert speech.wav("Ann", "en").startswith(b"RIFF")


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed: no real voice is tried")
@pytest.mark.parametrize("language", ["en", "de"])
def test_the_real_program_speaks(language: str) -> None:
    speech = Speech.installed()
    with wave.open(BytesIO(speech.wav("Ann, 9.214", language))) as sound:
        assert (sound.getnchannels(), sound.getsampwidth()) == (1, 2)
        assert sound.getframerate() >= 16_000
