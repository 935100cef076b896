"""Every sentence that a person reads, in the reader's language: `text("{n} laps", n=3)`."""

from shared.text.sentence import Recorded, Sentence, joined, ntext, recorded, text

__all__ = ["Recorded", "Sentence", "joined", "ntext", "recorded", "text"]
