"""What the mail with the link to sign in says above it."""

from clarion.schemas.messages import SignInContent
from clarion.services.notifications.domain.room import shortened

LINE_BYTES = 800


def trimmed(link: SignInContent) -> SignInContent:
    """The content with no line longer than a mail has room for."""
    lines = {name: shortened(getattr(link, name), LINE_BYTES) for name in ("site", "good_for", "asked_from")}
    return link.model_copy(update=lines)


def subject(link: SignInContent) -> str:
    """The subject, by which people find the newest one."""
    return f"Sign in to {link.site}"
