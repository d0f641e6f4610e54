"""A reader is named alike whether the name needs quoting somewhere or not."""

import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.services.notifications.domain.call import salutation
from clarion.services.notifications.domain.messages import Addressed
from clarion.services.notifications.rendering.calendar import attendee
from clarion.services.notifications.rendering.mime import mailbox
from tests.services.notifications.test_rendering import MAYOR, RENDERER

READER = RENDERER._reader
NAMES = st.text("AZaz09 -", max_size=50) | st.text("Az .,'é<&=\"\t\u05d0", max_size=50)


def unfolded(line: bytes) -> tuple[str, set[str], str]:
    """A calendar line's name, parameters and value."""
    said = quopri.decodestring(line).decode().replace("\r\n ", "").rstrip("\r\n")
    before, _, value = said.partition(":mailto:")
    name, *parameters = before.split(";")
    return name, set(parameters), value


@given(
    NAMES, st.sampled_from(("Mayor", "Council Member", "Clerk")), st.sampled_from(("a@x.example", "o'b=c@x.example"))
)
def test_a_name_that_is_plain_everywhere_stands_as_it_would_if_it_were_quoted(name: str, role: str, to: str) -> None:
    official = MAYOR._replace(name=name, roles=(role,))
    for addressed in (Addressed(to, (official,), name), Addressed(to, (), name), Addressed(to, (official, MAYOR))):
        found, names = READER.named(addressed), salutation(addressed)
        assert found.to == mailbox("To", addressed.name, to)
        assert found.text == RENDERER._text.greeting(names)
        assert found.html == RENDERER._html.greeting(names)
        if found.attendee:
            assert unfolded(found.attendee) == unfolded(attendee(addressed))
            assert max(map(len, found.attendee.split(b"\r\n"))) <= 75


@pytest.mark.parametrize("name", ["Ada Lee", "Ann-Marie Longbottom-Feather Ng"])
def test_the_name_of_most_is_plain(name: str) -> None:
    assert READER.named(Addressed("ada.lee+1@alder.example", (MAYOR._replace(name=name),), name)).attendee
