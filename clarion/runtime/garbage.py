"""When memory is looked through for garbage."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

MORE_BEFORE_A_LOOK = 50_000
"""How many more objects than at the last look there may be.

A sender's thousands of messages come and go without cycles; to look through them every 700 objects, as Python does of
itself, takes a tenth of its time.
"""


@contextmanager
def uncollected() -> Iterator[None]:
    """What is made within the block is kept: to look through it for garbage takes a sixth of a start.

    After it looks are rare.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(MORE_BEFORE_A_LOOK, *gc.get_threshold()[1:])
        gc.enable()
