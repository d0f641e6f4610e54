"""Every figure that a process may show."""

from clarion.runtime import exposition
from clarion.runtime.readings import Family
from clarion.services.campaigns import seeing as campaigns
from clarion.services.notifications import seeing as notifications
from clarion.services.notifications.bounces import seeing as bounces
from clarion.services.registrations import seeing as registrations

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        *exposition.FAMILIES,
        *campaigns.FAMILIES,
        *notifications.FAMILIES,
        *bounces.FAMILIES,
        *registrations.FAMILIES,
    )
}
