"""Mail of every kind, and of whatever content, says the same as text and as HTML, and is small."""

import pytest

from tests.services.notifications.kinds_of_mail import KINDS, read, renderer
from tests.services.notifications.words import assert_the_same_is_said


@pytest.mark.parametrize("name", KINDS)
def test_each_says_the_same_as_text_and_as_html_in_less_than_40_kilobytes(name: str) -> None:
    mail = KINDS[name]().write(renderer())
    assert len(mail) < 40_000
    found = read(mail)
    assert not found.defects
    assert_the_same_is_said(found)
