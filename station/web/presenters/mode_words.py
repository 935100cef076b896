"""A car's mode in words for people. Pure."""

from shared.text import text
from shared.text.sentence import Sentence

MODE_WORDS: dict[str, Sentence] = {
    "disarmed": text("disarmed"),
    "ready": text("ready"),
    "driving": text("driving"),
    "stopped": text("stopped"),
    "tripped": text("tripped"),
    "silent": text("silent"),
}


def mode_words(mode: str) -> str:
    """The mode in words; one that is not known stays as the car wrote it."""
    return MODE_WORDS.get(mode, mode)
