"""Forms that only our own pages in this session can send."""

import hmac
from typing import Annotated

from fastapi import Form
from markupsafe import Markup

from clarion.runtime.web.problems import Refused

FIELD = "form_token"
FormToken = Annotated[str, Form(max_length=500)]
"""The form's token as a route takes it: `form_token: FormToken = ""`."""


def hidden_field(token: str) -> Markup:
    """What stands in a form, so that it can be told from one that another site made."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token)


def is_our_form(expected: str, given: str) -> bool:
    """Whether a form's token is that of the session; the comparison takes the same time whatever is given."""
    return bool(expected) and hmac.compare_digest(expected.encode(), given.encode())


def check_token(expected: str, given: str) -> None:
    """Let through a form of this session alone.

    Raises:
        Refused: 403, it has no token or another's.
    """
    if not is_our_form(expected, given):
        raise Refused(403, "This form is not from this session. Nothing was changed: open the page again.")
