"""Topics and schemas over HTTP and as commands."""

import json
from collections.abc import Iterator

import httpx
import jsonschema
import pytest
from typer.testing import CliRunner

from clarion.runtime import documents
from clarion.schemas.topics import TOPICS
from clarion.services.contracts.commands import contracts
from tests.contracts.conftest import Site


@pytest.fixture
def client(site: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.url) as made:
        yield made


def test_every_schema_is_found_at_its_id_and_its_example_is_valid(client: httpx.Client) -> None:
    listed = client.get("/schemas/index.json").json()
    assert [f"{one['topic']}/{one['type']}" for one in listed] == documents.schema_names()
    for one in listed:
        answer = client.get(one["address"])
        assert answer.headers["content-type"] == "application/schema+json"
        schema = answer.json()
        assert schema["$id"] == one["address"]
        for example in schema["examples"]:
            jsonschema.Draft202012Validator(schema).validate(example)


@pytest.mark.parametrize("path", ["/api/asyncapi.json", "/schemas/legislation.updates.v1/hearing.scheduled.json"])
def test_a_document_may_be_kept_and_is_asked_for_by_its_tag(client: httpx.Client, path: str) -> None:
    first = client.get(path)
    assert "max-age" in first.headers["cache-control"]
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}'):
        again = client.get(path, headers={"if-none-match": known})
        assert (again.status_code, again.content) == (304, b"")
    assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/schemas/none.v1",
        "/schemas/legislation.updates.v1/none.json",
        "/schemas/..%2Fgolden/v1.json",
        "/schemas/legislation.updates.v1%2F../asyncapi.json",
        "/schemas/commands/schemas.json",
    ],
)
def test_what_is_no_contract_is_not_there(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_the_pages_tell_each_topic_and_event_in_words(client: httpx.Client) -> None:
    index = client.get("/schemas").text
    for topic in TOPICS:
        assert f'href="/schemas/{topic.name}"' in index
        page = client.get(f"/schemas/{topic.name}").text
        for event_type in topic.types:
            assert f'href="/schemas/{topic.name}/{event_type}.json"' in index
            assert f'id="{event_type}"' in page
    for page in (index, client.get("/schemas/legislation.updates.v1").text):
        assert "<script" not in page
        assert "src=" not in page


def test_the_commands_print_the_same_documents(client: httpx.Client) -> None:
    def said(*arguments: str) -> str:
        done = CliRunner().invoke(contracts, arguments)
        assert done.exit_code == 0, done.output
        return done.stdout

    assert json.loads(said("asyncapi")) == client.get("/api/asyncapi.json").json()
    assert json.loads(said("openapi")) == client.get("/api/openapi.json").json()
    schema = client.get("/schemas/legislation.updates.v1/hearing.scheduled.json").json()
    for name in ("hearing.scheduled", "legislation.updates.v1/hearing.scheduled"):
        assert json.loads(said("schema", name)) == schema
    assert [one["name"] for one in json.loads(said("list", "--json"))] == documents.schema_names()


def test_a_name_of_several_schemas_or_of_none_is_said() -> None:
    several = CliRunner().invoke(contracts, ["schema", "messages.requested"])
    assert (several.exit_code, "campaigns.calls.v1/messages.requested" in several.stderr) == (1, True)
    assert CliRunner().invoke(contracts, ["schema", "no.such"]).exit_code == 1
