"""Failures that whoever runs a command can mend, said in a line that tells how."""

import asyncpg
from pydantic import ValidationError

from clarion.runtime.database import MigrationError
from clarion.runtime.embedded import EmbeddedError
from clarion.runtime.messaging.topics import TopicError
from clarion.runtime.settings import PREFIX, MissingSetting
from clarion.services.running import PortInUse

SAID_WELL = (MissingSetting, EmbeddedError, PortInUse, TopicError, MigrationError)


def explained(error: Exception) -> str | None:
    """What a known failure means and what to do about it; None for one that is ours to mend."""
    match error:
        case _ if isinstance(error, SAID_WELL) or (isinstance(error, ValueError) and str(error).startswith(PREFIX)):
            return str(error)
        case ValidationError():
            return "\n".join(f"CLARION_{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors())
        case asyncpg.UndefinedTableError() | asyncpg.InvalidSchemaNameError() | asyncpg.UndefinedObjectError():
            return f"the database is not at this version ({error}): run clarion migrate"
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            return f"the database refused the login of CLARION_DATABASE_URL: {error}"
        case OSError() | asyncpg.CannotConnectNowError():
            return f"a server cannot be reached: {error}. Is it running? clarion up starts everything here"
    return None
