"""How to reach Kafka, and what names look like there."""

import ssl
from typing import Any

from clarion.runtime.settings import Settings, WrongSetting, variable_of
from clarion.runtime.tls import trusting
from clarion.schemas.topics import Topic


def kafka_options(settings: Settings) -> dict[str, Any]:
    """What every aiokafka client of this installation is built with: consumers, producers and admin.

    Raises:
        MissingSetting: no broker is named, or half of a login.
        WrongSetting: a certificate cannot be read, or what is set for TLS or the login would not be used.
    """
    settings.need("kafka_bootstrap")
    protocol = settings.kafka_security_protocol
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap,
        "security_protocol": protocol,
        "client_id": "clarion",
    }
    if protocol.endswith("SSL"):
        options["ssl_context"] = _trusted(settings)
    else:
        _refuse_unused(settings, "kafka_ca_file", "kafka_cert_file", "kafka_key_file")
    if protocol.startswith("SASL_"):
        settings.need("kafka_sasl_mechanism", "kafka_sasl_username", "kafka_sasl_password")
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = settings.kafka_sasl_username
        options["sasl_plain_password"] = settings.kafka_sasl_password
    else:
        _refuse_unused(settings, "kafka_sasl_mechanism", "kafka_sasl_username", "kafka_sasl_password")
    return options


def _refuse_unused(settings: Settings, *names: str) -> None:
    """Whoever names an authority or a password believes the connection to be safe."""
    unused = [variable_of(name) for name in names if getattr(settings, name)]
    if unused:
        wanted = "SSL or SASL_SSL" if names[0].endswith("_file") else "SASL_SSL"
        raise WrongSetting(
            f"{', '.join(unused)} would not be used, since {variable_of('kafka_security_protocol')} is"
            f" {settings.kafka_security_protocol}: set that to {wanted}"
        )


def _trusted(settings: Settings) -> ssl.SSLContext:
    """Whom we trust and as whom we come. Read anew for each client, so that renewed files are taken up."""
    authority, certificate = settings.kafka_ca_file, settings.kafka_cert_file
    try:
        context = trusting(authority, alone=True)
    except OSError as error:
        raise WrongSetting(f"{variable_of('kafka_ca_file')} {authority} cannot be read: {error}") from error
    if certificate is not None:
        try:
            # With a password Python does not ask for one on the terminal.
            context.load_cert_chain(certificate, settings.kafka_key_file, password="")
        except OSError as error:
            raise WrongSetting(
                f"{variable_of('kafka_cert_file')} {certificate} cannot be used with its key: {error}"
            ) from error
    return context


def topic_name(settings: Settings, topic: Topic) -> str:
    """The topic's name on the cluster."""
    return f"{settings.kafka_prefix}{topic.name}"


def group_name(settings: Settings, service: str, topic: Topic) -> str:
    """The consumer group of a service on one topic."""
    return f"{settings.kafka_prefix}clarion.{service}.{topic.name}"
