"""E-mail addresses: what one may be, and how two of them are compared."""

import unicodedata

from email_validator import validate_email

LENGTH = 254  # characters, as RFC 5321 (4.5.3.1.3) bounds a path


def canonical(text: str) -> str:
    """The address as it is stored and compared: in lower case, in one spelling.

    Raises `ValueError` if it is not valid. Nothing is looked up. Names under `.test`
    are as good as any, because the service sends no mail.
    """
    if len(text) > LENGTH:
        raise ValueError("too long")
    found = validate_email(text, check_deliverability=False, test_environment=True)
    address = unicodedata.normalize("NFC", found.normalized.lower())
    if len(address) > LENGTH:
        raise ValueError("too long in lower case")
    return address
