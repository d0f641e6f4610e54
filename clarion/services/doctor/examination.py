"""All that is looked at, at the same time, and nothing for long."""

import asyncio
from collections.abc import Mapping

from clarion.runtime.refusals import Refused, Unreachable
from clarion.runtime.settings import MissingSetting, WrongSetting
from clarion.schemas.commands import Finding
from clarion.services.doctor.broker import look_at_broker
from clarion.services.doctor.database import look_at_database
from clarion.services.doctor.deadlines import look_at_deadlines
from clarion.services.doctor.findings import Area, Check, Patient, bad, told
from clarion.services.doctor.machine import look_at_disk, look_at_settings
from clarion.services.doctor.mail import look_at_relays
from clarion.services.doctor.returns import look_at_returns
from clarion.services.doctor.senders import look_at_names
from clarion.services.doctor.sign_in import look_at_provider

CHECKS: Mapping[Check, Area] = {
    look_at_settings: "settings",
    look_at_provider: "settings",
    look_at_disk: "machine",
    look_at_database: "database",
    look_at_deadlines: "work",
    look_at_broker: "broker",
    look_at_relays: "mail",
    look_at_returns: "mail",
    look_at_names: "dns",
}


async def examine(patient: Patient) -> list[Finding]:
    """Every finding, area by area. Nothing is changed and no mail is sent; what is missing is a finding too."""
    found = await asyncio.gather(*(_bounded(check, area, patient) for check, area in CHECKS.items()))
    return [finding for findings in found for finding in findings]


async def _bounded(check: Check, area: Area, patient: Patient) -> list[Finding]:
    try:
        async with asyncio.timeout(patient.patience_seconds):
            return await check(patient)
    except MissingSetting:
        # Which one it is, the settings' own finding says.
        return []
    except (Refused, Unreachable, WrongSetting, ValueError) as error:
        return [told(area, error)]
    except TimeoutError:
        said = f"no answer within {patient.patience_seconds:.0f} seconds"
        return [
            bad(area, said, "something takes connections and does not answer: a firewall, or a server that is stuck")
        ]
    except Exception as error:  # noqa: BLE001 - a check that fails is a finding, and the others are still of use
        return [bad(area, f"it could not be looked at: {type(error).__name__}: {error}", "mend that and look again")]
