"""The word lists."""

from __future__ import annotations

from pydantic import TypeAdapter

from metadata.schemas.enums import ImageProvider, ImageProviderName, Provider, ProviderName


def test_the_word_lists_are_the_original_s() -> None:
    assert " ".join(Provider) == "OPENAI ANTHROPIC OLLAMA OPENROUTER OPENAI_COMPATIBLE GROK GAB_AI GOOGLE"
    assert " ".join(ImageProvider) == "OPENAI GROK GOOGLE_IMAGEN GOOGLE"


def test_a_provider_of_later_data_is_read_and_the_known_ones_are_suggested() -> None:
    assert TypeAdapter(ProviderName).validate_python("SOMETHING_NEW") == "SOMETHING_NEW"
    assert TypeAdapter(ProviderName).json_schema()["examples"] == list(Provider)
    assert TypeAdapter(ImageProviderName).json_schema()["examples"] == list(ImageProvider)
