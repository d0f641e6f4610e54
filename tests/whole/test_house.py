"""What holds for all services together."""

from clarion.runtime.embedded import MailCatcher
from clarion.runtime.settings import Settings
from clarion.schemas.topics import TOPICS
from clarion.services.builders import BUILDERS
from clarion.services.running import open_services
from tests.runtime.messaging.test_subscribers_policy import check_services


async def test_every_subscriber_of_every_service_is_built_in_the_one_way(
    settings: Settings, mail_catcher: MailCatcher
) -> None:
    settings = settings.model_copy(update={"smtp_url": mail_catcher.url})
    async with open_services(settings) as services:
        assert {service.name for service in services} == set(BUILDERS)
        check_services(settings, services)
        read = {subscription.topic.name for service in services for subscription in service.subscriptions}
        assert read <= {topic.name for topic in TOPICS}
