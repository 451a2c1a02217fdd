"""Fixtures of several files: an operations database in SQLite, and the same in PostgreSQL."""

from collections.abc import Iterator

import pytest
from postgres_cluster import postgres_cluster


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def operations_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an empty operations database; a test that takes it runs on both kinds."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('operations')}/operations.sqlite"
    else:
        with postgres_cluster() as address:
            yield address
