"""The OpenAPI description: valid, whole, as it was committed."""

from typing import Any

import httpx
import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from clarion.runtime import documents
from tests.contracts.conftest import Site
from tests.contracts.test_asyncapi import in_document

METHODS = {"get", "put", "post", "delete", "patch"}
OPEN_TO_ALL = {"/healthz", "/readyz", "/metrics"}


@pytest.fixture(scope="module")
def description(site: Site) -> Any:
    return httpx.get(f"{site.url}/api/openapi.json").json()


def operations(description: Any) -> list[tuple[str, str, Any]]:
    return [
        (path, method, operation)
        for path, item in description["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def test_the_committed_description_is_that_of_the_site(description: Any) -> None:
    assert description == documents.parsed("openapi"), "run `make schemas` and commit what changed"


def test_it_is_valid_openapi(description: Any) -> None:
    assert not [str(error) for error in OpenAPIV31SpecValidator(description).iter_errors()]


def test_every_operation_says_what_it_is_for_and_what_it_answers(description: Any) -> None:
    tags = {tag["name"] for tag in description["tags"]}
    names = [operation["operationId"] for _, _, operation in operations(description)]
    assert len(set(names)) == len(names)
    for path, method, operation in operations(description):
        assert operation["summary"], (method, path)
        assert set(operation["tags"]) <= tags, (method, path)
        [success] = [one for status, one in operation["responses"].items() if status.startswith("2")]
        for content in success["content"].values():
            assert content["schema"], (method, path)


def test_every_error_of_the_api_is_a_problem_with_an_example(description: Any) -> None:
    for path, method, operation in operations(description):
        for status, response in operation["responses"].items():
            if status >= "400" and path not in OPEN_TO_ALL:
                content = response["content"]["application/problem+json"]
                in_openapi(description, content["schema"]).validate(content["example"])
                assert content["example"]["status"] == int(status), (method, path)


def test_what_needs_a_key_says_so_and_how_it_is_refused(description: Any) -> None:
    for path, method, operation in operations(description):
        if "security" in operation:
            assert {"401", "403"} <= set(operation["responses"]), (method, path)
    needing = {path for path, _, operation in operations(description) if "security" in operation}
    assert needing >= {"/api/v1/legislation/updates", "/api/v1/campaigns"}


def test_whatever_asks_the_database_says_what_happens_when_it_is_away(description: Any) -> None:
    for path, method, operation in operations(description):
        if path.startswith("/api/v1/"):
            assert "Retry-After" in operation["responses"]["503"]["headers"], (method, path)


def in_openapi(description: Any, schema: Any) -> Any:
    return in_document(description, schema)


def test_the_examples_of_bodies_and_answers_hold(description: Any) -> None:
    checked = 0
    for _, _, operation in operations(description):
        body = operation.get("requestBody", {}).get("content", {})
        for content in body.values():
            given = [one["value"] for one in content.get("examples", {}).values()]
            for example in [*given, *([content["example"]] if "example" in content else [])]:
                in_openapi(description, content["schema"]).validate(example)
                checked += 1
    assert checked >= 6


@pytest.mark.parametrize("path", ["/api/v1/campaigns", "/api/v1/legislation/updates/x"])
def test_who_does_not_say_who_asks_is_told_how(site: Site, path: str) -> None:
    answer = httpx.get(site.url + path)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_nothing_on_the_site_shows_the_description_with_foreign_scripts(site: Site) -> None:
    for path in ("/docs", "/redoc", "/api/docs"):
        assert httpx.get(site.url + path).status_code == 404


def test_the_json_schema_of_a_problem_is_that_of_a_real_one(site: Site, description: Any) -> None:
    answer = httpx.post(f"{site.url}/api/v1/legislation/updates", json=[{"type": "x"}], headers=site.headers)
    assert answer.status_code == 422
    in_openapi(description, {"$ref": "#/components/schemas/ProblemDetails"}).validate(answer.json())
    with pytest.raises(jsonschema.ValidationError):
        in_openapi(description, {"$ref": "#/components/schemas/ProblemDetails"}).validate({"status": "422"})
