"""The dates of a broker's certificate, on a machine whose clock is not set.

A machine without a clock battery begins in 1970, and OpenSSL then finds a certificate "not yet valid": no car gets in.
Where the clock is behind what the machine's own files date, OpenSSL's look at dates is left out, and this one takes its
place: the certificate must be valid at the latest moment that is past for certain. Called by connection.py.
https://docs.openssl.org/3.0/man3/X509_VERIFY_PARAM_set_flags/
"""

import pathlib
import ssl
import time
from collections.abc import Sequence

from shared.clock_set import certain_ns
from shared.text import Sentence, text
from shared.units import NS_PER_S

BEHIND_NS = 24 * 3_600 * NS_PER_S  # a clock that is off by less has other reasons, and OpenSSL judges by it
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, for which Python has no name


class CertificateDates:
    """For the connections of one context; `files`: of the machine's own, written after its certificate was made."""

    def __init__(self, tls: ssl.SSLContext, files: Sequence[pathlib.Path]) -> None:
        self._tls, self._files = tls, files
        self._at_ns: int | None = None
        self.notice: Sentence | str = ""  # what there is to say about the newest connection, "" if nothing

    def prepare(self) -> None:
        """Before a connection: is the clock behind now?"""
        now_ns = time.time_ns()
        certain = certain_ns(now_ns, self._files)
        self._at_ns = certain if certain - now_ns > BEHIND_NS else None
        flags = int(self._tls.verify_flags) & ~_NO_CHECK_TIME
        self._tls.verify_flags = ssl.VerifyFlags(flags if self._at_ns is None else flags | _NO_CHECK_TIME)
        self.notice = ""

    def check(self, sock: object) -> None:
        """After the handshake. Raises OSError if the certificate is not valid at the moment that stands for now."""
        if self._at_ns is None or not isinstance(sock, ssl.SSLSocket):
            return
        certificate, at_s = sock.getpeercert() or {}, self._at_ns / NS_PER_S
        day = time.strftime("%Y-%m-%d", time.gmtime(at_s))
        begins_s, ends_s = (ssl.cert_time_to_seconds(str(certificate[name])) for name in ("notBefore", "notAfter"))
        if not begins_s <= at_s <= ends_s:
            raise ConnectionError(text("its certificate is not valid on {day}", day=day))
        self.notice = text(
            "This machine's clock is not set: the broker's certificate was held against {day}, the date of its files.",
            day=day,
        )
