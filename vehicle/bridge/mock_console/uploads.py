"""The name of the archive in a form that uploads a model (multipart/form-data). Pure; called by mock_console.py."""

import email.parser
import email.policy


def uploaded_archive(content_type: str, body: bytes) -> str:
    """The file name of the form's part `file`, "" if there is none. As on the car, nothing cleans it."""
    head = f"Content-Type: {content_type}\r\nMIME-Version: 1.0\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    for part in message.iter_parts() if message.is_multipart() else ():
        if part.get_param("name", header="content-disposition") == "file":
            return part.get_filename() or ""
    return ""
