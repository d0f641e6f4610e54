"""What Prometheus reads of an installation that has told everyone."""

from collections import defaultdict
from collections.abc import AsyncIterator

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from clarion.runtime.clock import system_clock
from clarion.runtime.embedded import MailCatcher
from clarion.runtime.settings import Settings
from clarion.services.sample import sample_notice
from tests.conftest import Until
from tests.services.figures import FAMILIES
from tests.whole.installation import Installation, installed

Figures = dict[str, dict[tuple[str, ...], float]]


@pytest.fixture
async def installation(settings: Settings, mail_catcher: MailCatcher) -> AsyncIterator[Installation]:
    async with installed(settings, mail_catcher, 200) as here:
        yield here


async def figures(here: Installation) -> Figures:
    """All values by name, and by their labels in alphabetical order."""
    await here.watch.look()
    answer = await here.site.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.status_code == 200
    found: Figures = defaultdict(dict)
    for family in text_string_to_metric_families(answer.text):  # type: ignore[no-untyped-call]
        for sample in family.samples:
            found[sample.name][tuple(value for _, value in sorted(sample.labels.items()))] = sample.value
    return found


async def test_figures_tell_what_was_handled_sent_and_is_behind(installation: Installation, until: Until) -> None:
    here = installation
    await here.post({"type": "hearing.scheduled", "data": sample_notice(system_clock())})
    await here.send(b"not json", [("ce_id", b"x")])
    await until(here.told_everyone, 60)
    here.watch.read_again()
    found = await figures(here)
    mails = len(here.addresses)
    assert sum(found["clarion_mail_tries_total"].values()) == mails
    assert found["clarion_mail_outcomes_total"]["call", "sent"] == mails
    assert found["clarion_records_handled_total"]["legislation", "legislation.updates.v1"] == 2
    assert found["clarion_records_dead_total"]["legislation", "legislation.updates.v1"] == 1
    assert found["clarion_dead_letters_open"]["legislation", "legislation.updates.v1"] == 1
    assert found["clarion_handler_seconds_count"]["campaigns", "legislation.alerts.v1"] >= 1
    assert found["clarion_consumer_lag_records"]["notifications", "campaigns.calls.v1"] == 0
    assert found["clarion_outbox_waiting_messages"]["campaigns",] == 0
    assert found["clarion_outbox_published_total"]["campaigns",] >= 1
    assert found["clarion_seats"]["free",] > 0
    assert set(found["clarion_service_alive"].values()) == {1.0}


async def test_every_figure_is_one_of_those_that_are_declared_with_their_labels(installation: Installation) -> None:
    answer = await installation.site.get("/metrics")
    for line in answer.text.splitlines():
        name = line.split("{")[0].split(" ")[0]
        if line.startswith("#") or not name.startswith("clarion_") or name.startswith("clarion_handler_seconds"):
            continue
        family = FAMILIES[name]
        labels = line.partition("{")[2].rpartition("}")[0]
        assert all(f'{label}="' in labels for label in family.labels)
        assert labels.count('="') == len(family.labels)


async def test_no_figure_says_anything_of_a_person(installation: Installation, until: Until) -> None:
    here = installation
    await here.post({"type": "hearing.scheduled", "data": sample_notice(system_clock())})
    await until(here.told_everyone, 60)
    here.watch.read_again()
    await here.watch.look()
    text = (await here.site.get("/metrics")).text
    assert "@" not in text
    names = await here.rows("SELECT name FROM notifications.officials")
    assert not [row["name"] for row in names if row["name"] in text]
