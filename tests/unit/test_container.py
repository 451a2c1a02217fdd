"""Dockerfile and compose.yaml against what they name. There is no container engine in the tests: nothing is built."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

import app
from graph.settings import Settings
from web.routes.installation import ROUTES

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def instructions() -> list[tuple[str, str]]:
    """(name, rest) of each instruction, without comments, continued lines joined."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def given(name: str) -> list[str]:
    return [rest for found, rest in instructions() if found == name]


def environment_of_the_image() -> dict[str, str]:
    last = given("ENV")[-1]
    return dict(word.split("=", 1) for word in shlex.split(last))


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


def let_in() -> set[str]:
    """Names at the root that .dockerignore lets into the build, which starts from nothing."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    return {line[1:] for line in lines if line.startswith("!")}


def test_hadolint_finds_no_fault_in_the_dockerfile() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([linter, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_build_gets_all_that_ships_and_nothing_that_does_not() -> None:
    found = PROJECT["tool"]["setuptools"]
    ships = {name.rstrip("*") for name in found["packages"]["find"]["include"]}
    ships |= {f"{name}.py" for name in found["py-modules"]} | set(PROJECT["project"]["license-files"])
    ships |= {PROJECT["project"]["readme"], "pyproject.toml"}
    assert let_in() == ships | {"requirements.lock", "requirements-dev.lock"}
    assert [name for name in let_in() if not (ROOT / name).exists()] == []


def test_what_is_copied_from_the_build_exists_and_is_let_in() -> None:
    for copied in given("COPY"):
        *sources, _ = [word for word in copied.split() if not word.startswith("--")]
        if "--from=" not in copied:
            assert [name for name in sources if name != "." and name not in let_in()] == []


def test_the_image_is_installed_from_the_lock_with_hashes_on_a_python_that_we_support() -> None:
    installs = [step for step in given("RUN") if "pip install" in step and "requirements.lock" in step]
    assert len(installs) == 1
    assert "--require-hashes -r requirements.lock" in installs[0]
    assert {image.split()[0] for image in given("FROM")} == {"python:3.11-slim-bookworm"}
    (makefile,) = re.findall(r"^UV_VERSION := (\S+)", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert f"uv=={makefile}" in DOCKERFILE


def test_the_server_runs_without_root_with_its_state_in_the_volume() -> None:
    (user,) = given("USER")
    assert user.split(":")[0] not in ("root", "0")
    (volume,) = given("VOLUME")
    assert Path(environment_of_the_image()["JIT_HOME"]).is_relative_to(volume)
    assert given("WORKDIR")[-1] == volume


def test_the_command_exists_and_is_the_one_that_is_documented() -> None:
    (command,) = (json.loads(rest) for rest in given("CMD"))
    known = typer.main.get_command(app.cli)
    assert command[0] == known.name
    assert command[1] in getattr(known, "commands", {})
    assert f"`{' '.join(command)}`" in OPERATIONS
    assert "not run in a container" in OPERATIONS


def test_the_health_check_asks_a_route_that_needs_no_key_at_the_port_that_is_exposed() -> None:
    (check,) = given("HEALTHCHECK")
    (path,) = re.findall(r"(/api/\w+)'", check)
    assert path in {str(getattr(route, "path", "")) for route in ROUTES.routes}
    assert environment_of_the_image()["JIT_PORT"] == given("EXPOSE")[0]


def test_variables_of_image_and_compose_are_settings(compose: Any) -> None:
    known = {
        str(field.validation_alias or f"JIT_{name.upper()}"): field for name, field in Settings.model_fields.items()
    }
    ours = {name for name in environment_of_the_image() if name.startswith("JIT_")}
    assert ours | set(compose["services"]["server"]["environment"]) <= set(known)


def test_compose_holds_no_secret_and_waits_for_a_healthy_database(compose: Any) -> None:
    services = compose["services"]
    secret = re.compile(r"PASSWORD|SECRET|KEY")
    for service in services.values():
        for name, value in service["environment"].items():
            assert not secret.search(name) or str(value).startswith("${"), name
    assert services["server"]["depends_on"]["database"]["condition"] == "service_healthy"
    assert services["database"]["healthcheck"]["test"][1] == "pg_isready"
    assert services["server"]["environment"]["JIT_DATABASE_URL"].endswith("@database/jit")
    assert f"jit-sourcing:{PROJECT['project']['version']}" == services["server"]["image"]


def test_compose_keeps_state_in_named_volumes_and_listens_on_this_machine_only(compose: Any) -> None:
    mounted = [volume.split(":") for service in compose["services"].values() for volume in service["volumes"]]
    assert {name for name, _ in mounted} == set(compose["volumes"])
    assert given("VOLUME")[0] in {place for _, place in mounted}
    (port,) = compose["services"]["server"]["ports"]
    assert port == f"127.0.0.1:8080:{given('EXPOSE')[0]}"
    assert "ports" not in compose["services"]["database"]
