"""Ids of rows: time-ordered UUIDs."""

import secrets
import time
from uuid import UUID


def new_ids(number: int) -> list[UUID]:
    """So many ids that grow, so that those of one moment keep their order."""
    return sorted(new_id() for _ in range(number))


def new_id() -> UUID:
    """A UUID of version 7: 48 bits of Unix milliseconds, 74 random (RFC 9562, 5.7)."""
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | secrets.randbits(80)
    version, variant = 0x7 << 76, 0b10 << 62
    return UUID(int=value & ~(0xF << 76) & ~(0b11 << 62) | version | variant)
