"""base64url without padding, in its one spelling (RFC 4648, 5; RFC 7515, 2)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def encode(raw: bytes) -> bytes:
    """The text that stands for these bytes."""
    return urlsafe_b64encode(raw).rstrip(b"=")


def decode(text: bytes) -> bytes:
    """The bytes that a text stands for. Raises `ValueError` for any other spelling.

    Python skips characters that it does not know, so the result is encoded again and
    compared.
    """
    raw = urlsafe_b64decode(text + b"==")
    if encode(raw) != text:
        raise ValueError("not base64url")
    return raw
