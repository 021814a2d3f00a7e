"""JSON Schemas of what crosses the wire."""

from __future__ import annotations

from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # the package carries no types

from server.editing import EDITABLE
from server.routes.table import all_operations
from server.wire import ASSET_NAMES
from server.wireschemas import ref, schemas

FOUND = schemas()


def test_each_is_a_schema_and_what_they_refer_to_is_there() -> None:
    for schema in FOUND.values():
        Draft202012Validator.check_schema(schema)

    def refs(value: object) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*map(refs, value.values()))
        return set().union(*map(refs, value)) if isinstance(value, list) else set()

    assert refs(FOUND) <= {ref(name)["$ref"] for name in FOUND}


def test_what_operations_take_and_give_has_a_schema() -> None:
    named = {name for operation in all_operations() for name in (operation.takes, operation.gives) if name}
    assert named <= FOUND.keys()
    assert all(operation.takes for operation in all_operations() if operation.media)


def test_an_asset_has_its_members_on_the_wire_and_no_hidden_ones_anywhere() -> None:
    assert set(ASSET_NAMES.values()) <= FOUND["Asset"]["properties"].keys()
    assert set(FOUND["AssetChange"]["properties"]) == set(EDITABLE)
    for secret in ("tokenHash", "passwordHash", "totp", "backupCodes"):
        assert secret not in str(FOUND)
