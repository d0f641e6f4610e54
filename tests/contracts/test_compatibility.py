"""Within a version the contracts only grow: each is held against what was released."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from clarion.runtime import documents
from tests.contracts.compatibility import http_breaks, topic_breaks

UPDATES = "/api/v1/legislation/updates"


def released(name: str) -> Any:
    """A description as it was released; what is added since is no part of it."""
    return json.loads((documents.GOLDEN / f"{name}.json").read_bytes())


def test_nothing_of_the_http_api_that_was_released_is_taken_away() -> None:
    assert list(http_breaks(released("openapi"), documents.parsed("openapi"))) == []


def test_nothing_of_the_topics_that_was_released_is_taken_away() -> None:
    assert list(topic_breaks(released("asyncapi"), documents.parsed("asyncapi"))) == []


def schemas(document: Any) -> Any:
    return document["components"]["schemas"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda it: it["paths"].pop(UPDATES), "is gone"),
        (lambda it: schemas(it)["CampaignView"]["properties"].pop("held"), ".held is gone"),
        (lambda it: schemas(it)["CampaignView"]["required"].remove("held"), ".held may be missing now"),
        (lambda it: schemas(it)["HearingNotice"]["required"].append("sequence"), ".sequence is asked for now"),
        (lambda it: schemas(it)["AgendaItem"]["properties"]["bill"].update(maxLength=10), "maxLength was 1000"),
        (lambda it: it["paths"][UPDATES]["post"]["requestBody"]["content"].popitem(), "no longer as"),
        (lambda it: it["paths"]["/api/v1/webinars/{slug}"]["get"].update(security=[{}]), "wants a key now"),
    ],
    ids=["operation", "field", "promise", "demand", "bound", "media type", "key"],
)
def test_what_would_break_a_client_is_noticed(change: Callable[[Any], Any], said: str) -> None:
    old = documents.parsed("openapi")
    new = copy.deepcopy(old)
    change(new)
    found = list(http_breaks(old, new))
    assert any(said in one for one in found), found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda it: it["channels"].pop("legislation.alerts.v1"), "legislation.alerts.v1 is gone"),
        (lambda it: schemas(it)["HearingAlert"]["properties"]["revision"].update(type="string"), "type was 'integer'"),
        (lambda it: schemas(it)["HearingNotice"]["required"].append("sequence"), ".sequence is asked for now"),
        (lambda it: schemas(it)["RegistrationOutcome"]["required"].remove("status"), ".status may be missing now"),
        (
            lambda it: it["channels"]["campaigns.calls.v1"]["bindings"]["kafka"].update(partitions=48),
            "another partition count",
        ),
    ],
    ids=["topic", "type", "demand", "promise", "partitions"],
)
def test_what_would_break_a_reader_or_a_writer_is_noticed(change: Callable[[Any], Any], said: str) -> None:
    old = documents.parsed("asyncapi")
    new = copy.deepcopy(old)
    change(new)
    found = list(topic_breaks(old, new))
    assert any(said in one for one in found), found


def test_what_is_added_breaks_nobody() -> None:
    old = documents.parsed("openapi")
    new = copy.deepcopy(old)
    new["paths"]["/api/v1/more"] = new["paths"][UPDATES]
    schemas(new)["CampaignView"]["properties"]["more"] = {"type": "string"}
    schemas(new)["CampaignView"]["required"].append("more")
    schemas(new)["HearingNotice"]["properties"]["more"] = {"type": "string"}
    assert list(http_breaks(old, new)) == []
