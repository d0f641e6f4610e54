"""Why a mailbox gets nothing more."""

from typing import Literal, get_args

SuppressionKind = Literal["hard-bounce", "complaint", "hand", "import", "erased"]

KINDS: tuple[SuppressionKind, ...] = get_args(SuppressionKind)
"""All of them."""
