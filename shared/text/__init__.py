"""Every sentence that a person reads, in the reader's language: `text("{n} laps", n=3)`."""

from shared.text.sentence import Sentence, text

__all__ = ["Sentence", "text"]
