"""Sessions and CSRF tokens as Flask and Flask-WTF issue and judge them. Pure; called by mock_console.py.

A session is a signed cookie that the browser keeps, so it outlives the console; a token names its session's secret and
when it was issued, and dies after an hour. Sentences and order of the checks: `flask_wtf/csrf.py` 1.2, `validate_csrf`.
"""

import hashlib
import hmac
import secrets

SECRET = b"secret_"  # SECRET_KEY of the console, in both versions
LIFETIME_S = 3600


def new_session() -> str:
    """The value of a new session cookie."""
    return _signed(secrets.token_hex(16))


def token_of(session: str, now_s: int) -> str:
    """A CSRF token of this session, issued now."""
    return _signed(f"{_raw(session)}.{now_s}")


def complaint(session: str, token: str, now_s: int) -> str:
    """Why the console refuses a request with these, as its page says it; "" if it does not."""
    if not token:
        return "The CSRF token is missing."
    if not _raw(session):
        return "The CSRF session token is missing."
    content = _raw(token)
    if not content or not content.rpartition(".")[2].isdecimal():
        return "The CSRF token is invalid."
    secret, _, issued_s = content.rpartition(".")
    if now_s - int(issued_s) > LIFETIME_S:
        return "The CSRF token has expired."
    return "" if hmac.compare_digest(secret, _raw(session)) else "The CSRF tokens do not match."


def _signed(content: str) -> str:
    return f"{content}.{_signature(content)}"


def _raw(signed: str) -> str:
    """The content of a signed text; "" if the signature is not ours."""
    content, _, signature = signed.rpartition(".")
    return content if hmac.compare_digest(signature.encode(), _signature(content).encode()) else ""


def _signature(content: str) -> str:
    return hmac.new(SECRET, content.encode(), hashlib.sha1).hexdigest()
