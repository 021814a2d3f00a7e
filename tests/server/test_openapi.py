"""The OpenAPI document describes what there is, and what is answered is as it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # the package carries no types
from openapi_spec_validator import validate

from server.openapi import document
from server.routes.table import all_operations

if TYPE_CHECKING:
    from tests.server.conftest import Api


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """The document."""
    return document(all_operations(), base="https://x.example/p")


def fits(described: dict[str, Any], name: str, value: object) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": described["components"]}
    Draft202012Validator(schema).validate(value)


def test_the_document_is_sound(described: dict[str, Any]) -> None:
    validate(described)
    assert described["openapi"].startswith("3.1")
    assert described["servers"] == [{"url": "https://x.example/p"}]


def test_every_operation_is_in_it_and_has_a_name_of_its_own(described: dict[str, Any]) -> None:
    names = [operation["operationId"] for path in described["paths"].values() for operation in path.values()]
    assert len(set(names)) == len(names)
    for operation in all_operations():
        entry = described["paths"][operation.path][operation.method.lower()]
        assert {item["name"] for item in entry["parameters"] if item["in"] == "query"} == {
            parameter.name for parameter in operation.parameters
        }
        assert set(entry["responses"]) >= {str(status) for status, _ in operation.answers}
        assert ("head" in described["paths"][operation.path]) >= (operation.method == "GET")


def test_every_operation_is_in_one_group_and_every_group_has_some(described: dict[str, Any]) -> None:
    tags = [operation["tags"] for path in described["paths"].values() for operation in path.values()]
    assert {len(names) for names in tags} == {1}
    assert {names[0] for names in tags} == {group["name"] for group in described["tags"]}
    assert all(group["description"] for group in described["tags"])


def test_it_is_served_to_anybody(api: Api) -> None:
    answer = api.ask("GET", "/openapi.json", token=None)
    assert (answer.status_code, answer.json()["info"]["title"]) == (200, "Calotype")


def test_answers_fit_their_schemas(api: Api, described: dict[str, Any]) -> None:
    asset = api.upload(tags="x")
    made = api.ask("POST", "/api/tokens", json={"scope": "read", "name": "n"})
    fits(described, "TokenMade", made.json())
    form = api.ask("POST", "/api/assets", files=[("file", ("a", b"1")), ("file", ("b", b""))])
    asked: list[tuple[str, object]] = [
        ("Asset", asset),
        ("Upload", asset),
        ("Upload", form.json()),
        ("Problem", api.ask("GET", "/api/assets?nonsense=1").json()),
        ("Missing", api.ask("POST", "/api/assets/have", json={"sha256": ["0" * 64]}).json()),
        ("Compaction", api.ask("POST", "/api/admin/compact", json={"dryRun": True}, token=api.admin).json()),
    ]
    for name, value in asked:
        fits(described, name, value)
    for operation in all_operations():
        if operation.method == "GET" and operation.gives not in {"", "Document"} and "{" not in operation.path:
            fits(described, operation.gives, api.ask("GET", operation.path, token=api.admin).json())


def test_what_fits_the_schema_of_a_change_is_taken(api: Api, described: dict[str, Any]) -> None:
    asset = api.upload()
    for body in ({"filename": "b"}, {"meta": {"a": 1}, "tags": ["x"]}, {**asset, "generationPrompt": None}):
        fits(described, "AssetChange", body)
        assert api.ask("PATCH", f"/api/assets/{asset['id']}", json=body).status_code == 200
