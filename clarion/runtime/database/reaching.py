"""Whether the database can be reached and takes us, with what to do if not."""

import asyncpg

from clarion.runtime.database.failures import is_transient
from clarion.runtime.database.pool import connect_login
from clarion.runtime.refusals import Place, Refused, Unreachable, tls_refusal
from clarion.runtime.settings import Settings, variable_of

ADDRESS = variable_of("database_url")
PLACE = Place("the database", ADDRESS, f"sslrootcert= in {ADDRESS}", f"sslcert= and sslkey= in {ADDRESS}")


async def reach_database(settings: Settings) -> None:
    """Sign in once.

    Raises:
        MissingSetting: no database is named.
        Refused: it is there, and certificate, login or name do not fit.
        Unreachable: it is not there.
    """
    settings.need("database_url")
    try:
        connection = await connect_login(str(settings.database_url))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise explained(error) from error
    await connection.close()


def explained(error: Exception) -> Refused | Unreachable:
    """What it means that a connection to the database failed so."""
    if refusal := tls_refusal(PLACE, error) or _refusal(error):
        return refusal
    if not is_transient(error):
        return Refused(f"{ADDRESS}: {error}")
    reason = str(error) or type(error).__name__
    return Unreachable(f"the database cannot be reached ({reason}): it is not running, or {ADDRESS} is wrong")


def _refusal(error: Exception) -> Refused | None:
    match error:
        case asyncpg.InvalidPasswordError():
            return Refused(f"the database refuses the login: look at user and password in {ADDRESS}")
        case asyncpg.InvalidAuthorizationSpecificationError() | asyncpg.InvalidCatalogNameError():
            return Refused(f"the database does not let us in ({error}): look at {ADDRESS}")
        case ConnectionError() if "SSL upgrade" in str(error):
            return Refused(f"the database speaks no TLS: switch it on there (ssl = on), or change sslmode in {ADDRESS}")
        case FileNotFoundError() | PermissionError():
            return Refused(f"a file or socket that {ADDRESS} names cannot be opened: {error.strerror}")
    return None
