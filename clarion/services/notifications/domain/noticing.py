"""The words of a notice to staff, as far as a mail has room for them."""

from clarion.schemas.messages import NoticeContent
from clarion.services.notifications.domain.room import fitting, shortened

PARAGRAPHS_BYTES, PARAGRAPH_BYTES, BUTTON_BYTES, FRAME = 20_000, 4_000, 300, 30
"""What all paragraphs may take, as text and as HTML, one of them, and the words on the button."""
MORE = "There is more than a mail has room for: all of it stands behind the link."


def trimmed_notice(notice: NoticeContent) -> NoticeContent:
    """The notice with as many paragraphs as there is room for."""
    short = [shortened(paragraph, PARAGRAPH_BYTES) for paragraph in notice.paragraphs]
    count = fitting(short, PARAGRAPHS_BYTES, FRAME)
    shown = short if count == len(short) else [*short[:count], MORE]
    return notice.model_copy(update={"paragraphs": shown, "button": shortened(notice.button, BUTTON_BYTES)})
