"""Renders a sentence as WAV with espeak-ng, if that is installed (apt install espeak-ng). Used by web/sound.py.

The text goes through the program's standard input, without a shell and without its phoneme marks; its length, the time
and the number of waiting requests are limited, and each sentence is rendered once.
"""

import hashlib
import shutil
import subprocess
import threading
from collections import OrderedDict

from shared.errors import BadInput, HardwareMissing, RetryLater
from shared.text import text

VOICES = {"en": "en-gb", "de": "de"}  # language to espeak-ng's voice
MAX_CHARS = 240
TIMEOUT_S = 5.0
MAX_WAITING = 8
CACHED = 64
WORDS_A_MINUTE = 155


class Speech:
    """Renders sentences; every method is safe from any thread. `program`: the path of espeak-ng, None: it is absent."""

    def __init__(self, program: str | None = None) -> None:
        self._program = program
        self._cache: OrderedDict[str, bytes] = OrderedDict()
        self._waiting = threading.BoundedSemaphore(MAX_WAITING)
        self._lock = threading.Lock()

    @classmethod
    def installed(cls) -> "Speech":
        """With the espeak-ng of this machine, if there is one."""
        return cls(shutil.which("espeak-ng"))

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that it speaks; none if espeak-ng is absent."""
        return tuple(VOICES) if self._program is not None else ()

    def wav(self, sentence: str, language: str) -> bytes:
        """The sentence as a WAV file.

        Raises HardwareMissing if espeak-ng is absent or fails, BadInput for another language, RetryLater while too
        many requests wait.
        """
        if self._program is None:
            raise HardwareMissing(text("The station cannot speak: espeak-ng is not installed (apt install espeak-ng)."))
        if language not in VOICES:
            raise BadInput(text("The station speaks {languages}.", languages=", ".join(VOICES)))
        words = spoken_words(sentence)
        key = hashlib.sha256(f"{language} {words}".encode()).hexdigest()
        if not self._waiting.acquire(blocking=False):
            raise RetryLater(text("The station is still speaking other sentences."), after_s=1.0)
        try:
            with self._lock:  # one at a time: the station's cores are for timing
                return self._rendered(key, words, VOICES[language], self._program)
        finally:
            self._waiting.release()

    def _rendered(self, key: str, words: str, voice: str, program: str) -> bytes:
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        command = [program, "-v", voice, "-b", "1", "-s", str(WORDS_A_MINUTE), "--stdin", "--stdout"]
        try:
            done = subprocess.run(command, input=words.encode(), capture_output=True, timeout=TIMEOUT_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise HardwareMissing(text("espeak-ng did not speak: {error}", error=error)) from None
        if done.returncode or not done.stdout.startswith(b"RIFF"):
            why = done.stderr.decode(errors="replace").strip()[:200] or f"exit code {done.returncode}"
            raise HardwareMissing(text("espeak-ng did not speak: {error}", error=why))
        self._cache[key] = done.stdout
        while len(self._cache) > CACHED:
            self._cache.popitem(last=False)
        return done.stdout


def spoken_words(sentence: str) -> str:
    """The sentence as it goes to espeak-ng: printable, of limited length, and without its marks for phonemes."""
    plain = "".join(sign if sign.isprintable() and sign not in "[]<>" else " " for sign in sentence)
    return " ".join(plain.split())[:MAX_CHARS]
