"""Settings find the embedded servers, and the environment always wins."""

import json
from pathlib import Path

import pytest

from reviewqueue.embedded import discover, secrets

VARIABLES = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "RUN_DIR", *secrets.MAKERS)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose servers were started once, and an environment in which nothing is set."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    run_dir = tmp_path / ".run"
    secrets.ensure(run_dir)
    known = {"database_url": "postgres://a/d", "database_owner_url": "postgres://o/d", "redis_url": "redis://r/0"}
    (run_dir / "servers.json").write_text(json.dumps(known))
    return tmp_path


def test_addresses_and_secrets_are_found(checkout: Path) -> None:
    found = discover.environment(checkout)
    assert set(found) == set(VARIABLES) - {"RUN_DIR"}
    assert (found["DATABASE_URL"], found["REDIS_URL"]) == ("postgres://a/d", "redis://r/0")


def test_nothing_is_found_where_nothing_ran(checkout: Path) -> None:
    assert discover.environment(checkout / "elsewhere") == {}


@pytest.mark.parametrize("name", ["DATABASE_URL", "DATABASE_URL_FILE"])
def test_nothing_is_added_beside_a_given_database(checkout: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "given")
    assert discover.environment(checkout) == {}


def test_a_given_value_is_never_replaced(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://given/0")
    monkeypatch.setenv("SECRET_KEY_FILE", "/a/file")
    found = discover.environment(checkout)
    assert not {"REDIS_URL", "SECRET_KEY"} & set(found)


def test_the_run_folder_can_be_moved(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (checkout / ".run").rename(checkout / "moved")
    monkeypatch.setenv("RUN_DIR", str(checkout / "moved"))
    assert discover.environment(checkout)["REDIS_URL"] == "redis://r/0"
