"""What the mail with the link to sign in says above it."""

from clarion.schemas.messages import SignInContent


def subject(link: SignInContent) -> str:
    """The subject, by which people find the newest one."""
    return f"Sign in to {link.site}"
