"""Why a mailbox gets nothing more."""

from typing import Literal

SuppressionKind = Literal["hard-bounce", "complaint", "hand", "import", "erased"]
