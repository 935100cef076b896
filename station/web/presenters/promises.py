"""What a car promises for the moment in which nothing reaches it any more, in words for the pages. Pure."""

from shared.protocol.messages import Promise
from shared.text import Sentence, text

PROMISE_WORDS: dict[Promise, Sentence] = {
    "lease": text("lease"),
    "leash": text("leash"),
    "best_effort": text("best effort"),
}
PROMISE_MEANS: dict[Promise, Sentence] = {
    "lease": text("It stops by itself when its lease is not renewed."),
    "leash": text("Its maker's software drives; a leash on it cuts the motor after half a second of silence."),
    "best_effort": text(
        "Its maker's software drives: it stops if its console obeys, and drives on when nothing reaches it. "
        "Keep somebody beside the track."
    ),
}
