"""Deletions in batches, so that no statement comes near its deadline."""

from collections.abc import Callable, Iterator


def batches(size: int, delete: Callable[[], int]) -> Iterator[int]:
    """Delete batch after batch; yields how many rows each has removed.

    The first one that removes fewer than `size` is the last.
    """
    removed = size
    while removed == size:
        removed = delete()
        yield removed
