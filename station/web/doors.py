"""May this request command the station? JSON, which a form cannot send, from our own page or from a program."""

from starlette.datastructures import Headers

from shared.web_doors import stranger


def refusal(headers: Headers, scheme: str) -> tuple[int, str] | None:
    """Why this request may not command: status and sentence."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return 415, "A command is sent as application/json."
    why = stranger(headers, scheme, "the station's")
    return (403, why) if why else None
