"""Calls methods in forked processes."""

import os
import weakref
from collections.abc import Callable


def call_in_children(method: Callable[[], None]) -> None:
    """Calls a method in every forked process, for as long as its object lives."""
    reference = weakref.WeakMethod(method)

    def call() -> None:
        alive = reference()
        if alive:
            alive()

    if hasattr(os, "register_at_fork"):  # Windows has no fork.
        os.register_at_fork(after_in_child=call)
