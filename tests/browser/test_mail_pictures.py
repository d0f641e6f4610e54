"""Every kind of mail as people see it: it fits the screen, can be read in light and dark, and its button can be hit."""

import asyncio
import os
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.browser.pictures import SIGHTS, Sight, faults_of
from tests.services.notifications.kinds_of_mail import KINDS, renderer

PICTURES = "CLARION_PICTURES"
"""The variable that names the folder where the pictures are to be kept."""


@pytest.mark.browser
@pytest.mark.timeout(120)
async def test_every_kind_of_mail_is_read_on_phone_and_desk_in_light_and_dark(browser: Browser, tmp_path: Path) -> None:
    folder = Path(os.environ.get(PICTURES) or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    mails = {name: make().write(renderer()) for name, make in KINDS.items()}

    async def look(sight: Sight) -> list[str]:
        page = await sight.page(browser)
        return [
            f"{name}, {sight.name}: {fault}"
            for name, mail in mails.items()
            for fault in await faults_of(page, mail, folder / f"{name}-{sight.name}.jpg")
        ]

    found = await asyncio.gather(*map(look, SIGHTS))
    assert [fault for faults in found for fault in faults] == []
    assert len(list(folder.glob("*.jpg"))) >= len(SIGHTS) * len(KINDS)
