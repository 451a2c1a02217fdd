"""What `jit doctor` shows of the settings."""

import pytest

from graph.settings import Settings


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://jit:s3cr:e@t@db.example:5432/jit", "postgresql://jit:***@db.example:5432/jit"),
        ("postgresql://:s3cret@db.example/jit", "postgresql://:***@db.example/jit"),
        ("postgresql://jit@/jit?host=/run:x@y", "postgresql://jit@/jit?host=/run:x@y"),
        ("sqlite:////srv/jit.sqlite", "sqlite:////srv/jit.sqlite"),
        ("", ""),
    ],
)
def test_the_database_is_shown_without_its_password(url: str, shown: str) -> None:
    assert Settings(database_url=url).sources()["database_url"][0] == shown


def test_keys_are_only_said_to_be_set() -> None:
    shown = Settings.model_validate({"webhook_secret": "whsec_abc", "openai_api_key": ""}).sources()
    assert (shown["webhook_secret"][0], shown["openai_api_key"][0]) == ("set", "not set")
