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
# Orders and phases as sentences of the core name them; a page finds their words by these templates.
ORDER_WORDS: tuple[Sentence, ...] = (text("arm"), text("rearm"), text("start"), text("resume"), text("stop"))
PHASE_WORDS: tuple[Sentence, ...] = (text("idle"), text("armed"), text("running"), text("finished"))


def mode_words(mode: str) -> str:
    """The mode in words; one that is not known stays as the car wrote it."""
    return MODE_WORDS.get(mode, mode)
