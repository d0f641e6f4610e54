"""Failures that whoever runs a command can mend, said in a line that tells how."""

import ssl

import asyncpg
from aiokafka.errors import KafkaConnectionError
from pydantic import ValidationError

from clarion.runtime.database import MigrationError, reaching
from clarion.runtime.embedded import EmbeddedError
from clarion.runtime.messaging.topics import TopicError
from clarion.runtime.refusals import Refused, Unreachable
from clarion.runtime.settings import PREFIX, MissingSetting, WrongSetting, variable_of
from clarion.services.running import PortInUse

SAID_WELL = (MissingSetting, WrongSetting, Refused, Unreachable, EmbeddedError, PortInUse, TopicError, MigrationError)


def explained(error: Exception) -> str | None:
    """What a known failure means and what to do about it; None for one that is ours to mend."""
    if isinstance(error, SAID_WELL) or (isinstance(error, ValueError) and str(error).startswith(PREFIX)):
        return str(error)
    if isinstance(error, ValidationError):
        return "\n".join(
            f"{variable_of(str(each['loc'][0]))}: {each['msg'].removeprefix('Value error, ')}"
            for each in error.errors()
        )
    return _about_servers(error)


def _about_servers(error: Exception) -> str | None:
    match error:
        case asyncpg.UndefinedTableError() | asyncpg.InvalidSchemaNameError() | asyncpg.UndefinedObjectError():
            return f"the database is not at this version ({error}): run clarion migrate"
        case asyncpg.InvalidAuthorizationSpecificationError() | asyncpg.ClientConfigurationError() | ssl.SSLError():
            return str(reaching.explained(error))
        case asyncpg.DeadlockDetectedError():
            return "somebody changed the same at the same moment, and nothing was changed here: give the command again"
        case TimeoutError():
            return "a server did not answer in time: it is busy, or its disk is full; look at its log, then try again"
        case OSError() | asyncpg.CannotConnectNowError() | KafkaConnectionError():
            return f"a server cannot be reached: {error}. Is it running? clarion up starts everything here"
    return None
