"""All that stands before the routes of a site, in its order."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from fastapi import FastAPI

from clarion.runtime.settings import Settings
from clarion.runtime.web import pages, problems
from clarion.runtime.web.clients import TrueClient, read_networks
from clarion.runtime.web.fences import AtOnce, HeadLimit
from clarion.runtime.web.hosts import KnownHosts, OwnForms
from clarion.runtime.web.rates import Rates, read_rates
from clarion.runtime.web.traced import TracedRequests

FILES: Mapping[str, int] = {"/directory/imports": 64_000_000}
"""Where files are handed in, and how large they may be, in bytes."""


def install(site: FastAPI, settings: Settings) -> None:
    """Stand before the routes: what is added last is passed first.

    Raises:
        ValueError: trusted proxies or request limits cannot be read.
    """
    problems.install(site, larger=FILES)
    site.add_middleware(OwnForms)
    site.add_middleware(AtOnce)
    site.add_middleware(Rates, rates=read_rates(settings.request_limits))
    site.add_middleware(HeadLimit)
    site.add_middleware(KnownHosts, hosts=known_hosts(settings))
    site.add_middleware(TrueClient, trusted=read_networks(settings.trusted_proxies))
    pages.install(site, https=urlsplit(settings.public_url or "").scheme == "https")
    site.add_middleware(TracedRequests)


def known_hosts(settings: Settings) -> list[str]:
    """The names by which the site may be asked, beside those of this machine."""
    own = urlsplit(settings.public_url or "").hostname
    further = [name.strip() for name in settings.further_hosts.split(",") if name.strip()]
    return [*([own] if own else []), *further]
