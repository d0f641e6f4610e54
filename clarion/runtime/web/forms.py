"""Forms that only our own pages in this session can send."""

import hmac
from typing import Annotated, Any

from fastapi import Form
from markupsafe import Markup

from clarion.runtime.web.links import BadLink, SignedLinks
from clarion.runtime.web.problems import Refused

FIELD = "form_token"
DAY_SECONDS = 24 * 3600.0
MAIL_AGAIN = "This form is too old or not ours: open the link in the mail again."
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


def check_link_form(
    links: SignedLinks, purpose: str, form_token: str, expected: Any, *, words: str = MAIL_AGAIN
) -> None:
    """Let through a form that the page behind a mail's link made for that very link, within a day.

    Raises:
        Refused: 403, it is another's or too old; `words` say what to do.
    """
    try:
        if links.read(purpose, form_token, DAY_SECONDS) == expected:
            return
    except BadLink:
        pass
    raise Refused(403, words)
