"""base64url without padding, in its one spelling (RFC 4648, 5; RFC 7515, 2)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def encode(raw: bytes) -> bytes:
    """Encodes bytes as text."""
    return urlsafe_b64encode(raw).rstrip(b"=")


def decode(text: bytes) -> bytes:
    """Decodes text to bytes. Raises `ValueError` for any other spelling of them.

    Python ignores unknown characters, padding and unused bits. So the result is
    encoded again and compared with the text.
    """
    raw = urlsafe_b64decode(text + b"==")
    if encode(raw) != text:
        raise ValueError("not base64url")
    return raw
