"""Rate limits as settings spell them."""

import limits

SECONDS_AT_MOST = 366 * 24 * 60 * 60
MUST = "must be like 600 per minute, or empty for no limit."


def limit(text: str) -> str:
    """One limit in the notation of the `limits` package; "" for none.

    Raises `ValueError` with what it must be.
    """
    if not text.strip():
        return ""
    try:
        every = limits.parse_many(text)
    except ValueError:
        raise ValueError(MUST) from None
    if len(every) != 1 or every[0].amount == 0:
        raise ValueError(MUST)
    if not 0 < every[0].get_expiry() <= SECONDS_AT_MOST:
        raise ValueError("must be for a year at most.")
    return text
