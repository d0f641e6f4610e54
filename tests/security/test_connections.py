"""How Clarion speaks to others: no TLS of old, certificates looked at."""

import ssl

from clarion.runtime.messaging.connection import kafka_options
from clarion.runtime.settings import Settings
from clarion.runtime.tls import trusting
from clarion.services.notifications.channels.relays import trusted


def test_no_tls_older_than_1_2_is_spoken() -> None:
    broker = kafka_options(Settings(_env_file=None, kafka_bootstrap="b:9093", kafka_security_protocol="SSL"))
    for context in (trusted(), broker["ssl_context"], trusting()):
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
