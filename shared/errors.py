"""The family of errors, sorted by who must act.

RacedayError
  OperatorError      a person must change something: config, hardware, file, port   (exit 2)
    ConfigError      a setting is unknown, wrong or out of range
    HardwareMissing  a device, driver or library is missing or unsuitable
    BadInput         a file or archive from outside is not what it must be
    StorageError     the disk is full, read-only or broken
      JournalDamaged the station's files are not what it wrote, or are gone          (exit 4: no restart helps)
  Refused            the caller asked for what may not be done now                  (status 409)
    WrongCode        a claim or pairing code is not the one that was given out
    WrongPassCode    a PIN or passphrase is not this person's
  RetryLater         the other side is away; the same call may go through later
"""


class RacedayError(Exception):
    """Base of all errors that we raise on purpose; its text is one sentence for a person."""

    exit_code = 1
    refusal_kind = ""  # under which kind web servers count it (shared/refusals.py); "": by the status of the answer


class OperatorError(RacedayError):
    """Someone at the machine must act; the sentence says what is wrong and what to do."""

    exit_code = 2


class ConfigError(OperatorError):
    """A setting is unknown, of the wrong kind, or out of range."""


class HardwareMissing(OperatorError):
    """A device, driver or library is missing or unsuitable."""


class BadInput(OperatorError):
    """A file from outside (track, model, archive, CSV) is not what it must be."""


class StorageError(OperatorError):
    """The disk refused: full, read-only or damaged. Nothing was acknowledged."""


class JournalDamaged(StorageError):
    """The station's journal or key is not what it wrote, or is gone: a person must decide how to go on."""

    exit_code = 4


class Refused(RacedayError):
    """The request is understood and may not be done in the present state."""


class WrongCode(Refused):
    """A claim or pairing code is not the one that was given out."""

    refusal_kind = "code"


class WrongPassCode(Refused):
    """A PIN or passphrase is not that of this person."""

    refusal_kind = "pass code"


class RetryLater(RacedayError):
    """The other side is away or busy; the same request may be sent again."""

    def __init__(self, sentence: str, after_s: float | None = None) -> None:
        super().__init__(sentence)
        self.after_s = after_s
