"""The 23 models."""

from __future__ import annotations

from metadata.schemas.models import MODELS

NAMES = """User ChatSettings Account Session VerificationToken ApiKey ConnectionProfile ConnectionProfileTag Character
CharacterTag CharacterPersona ChatAvatarOverride Persona PersonaTag Chat ChatTag Message Image ImageTag ChatFile Tag
ImageProfile ImageProfileTag"""


def test_all_of_the_original_s_models_are_here() -> None:
    assert sorted(MODELS) == sorted(NAMES.split())
    assert len(MODELS) == 23


def test_every_model_has_a_json_schema_for_the_interface() -> None:
    for model in MODELS.values():
        assert model.model_json_schema(by_alias=True)["type"] == "object"
