"""The OpenID Connect provider by which staff sign in, if there is one."""

from clarion.runtime.settings import variable_of
from clarion.schemas.commands import Finding
from clarion.services.doctor.findings import Patient, bad, warn, well


async def look_at_provider(patient: Patient) -> list[Finding]:
    """Whether it answers, with what it takes to believe its tokens."""
    settings = patient.settings
    if not (settings.oidc_issuer or settings.oidc_client_id or settings.oidc_client_secret):
        return []
    # It takes a quarter of a second to read what speaks to a provider.
    from clarion.services.directory.staff.oidc import ProviderAway  # noqa: PLC0415 - see above
    from clarion.services.directory.staff.oidc_pages import provider_of  # noqa: PLC0415 - see above

    provider = provider_of(settings, patient.clock)
    try:
        metadata = await provider.look()
    except ProviderAway as error:
        return [
            bad(
                "settings",
                f"staff cannot sign in at {provider.name}: {error}",
                f"look at {variable_of('oidc_issuer')}, and whether it is reached from here; by mail they still can",
            )
        ]
    if "email_verified" not in metadata.get("claims_supported", ["email_verified"]):
        return [
            warn(
                "settings",
                f"{provider.name} may not say that addresses are confirmed, and then nobody comes in by it",
                "have it send the claim email_verified",
            )
        ]
    return [
        well("settings", f"staff can sign in at {provider.name}, which sends them back to {provider.client.returns_to}")
    ]
