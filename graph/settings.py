"""Settings of an installation: from the environment (JIT_...) and an optional jit.toml, never from code."""

import os
import re
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)


class Settings(BaseSettings):
    """One installation. The environment wins over jit.toml, which wins over the defaults."""

    model_config = SettingsConfigDict(
        env_prefix="JIT_", toml_file="jit.toml", extra="ignore", frozen=True, populate_by_name=True
    )

    home: Path = Path(".jit")
    database_url: str = ""
    """Operations database; empty for SQLite under `home`."""
    erp: Literal["sandbox"] = "sandbox"
    sandbox_supplier_talks: bool = True
    """Whether the sandbox ERP's suppliers answer negotiation offers."""
    policy_file: Path | None = None
    """Rules to use instead of the built-in policies/rules/default.yaml."""
    seed: int = 7
    horizon_periods: int = Field(default=26, ge=4, le=104)
    shortage_weight: float = Field(default=1.0, gt=0)
    """How much a shortage counts against what the service targets imply; `jit eval` plays these two settings."""
    max_cover_days: float = Field(default=49.0, gt=0)
    """No order lifts an item above this many days of mean demand beyond its lead-time demand."""
    material_quantity_percent: float = Field(default=20.0, ge=0)
    """Change of quantity that brings a rejected or edited line back as it is computed."""
    material_price_percent: float = Field(default=5.0, ge=0)
    """Change of list price that does."""
    material_risk_points: float = Field(default=5.0, ge=0)
    """Rise of the risk of a stock-out that does, in percentage points."""
    llm_base_url: str = ""
    llm_model: str = ""
    llm_timeout_seconds: float = 20.0
    openai_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="OPENAI_API_KEY")
    webhook_secret: SecretStr = SecretStr("")
    """Standard Webhooks secret (whsec_...); empty for one generated under `home` on first use."""
    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str = Field(default="", pattern=r"^(https?://[^\s/?#]+/?)?$")
    """Where people reach the server through a proxy; sign-in links name it, and with https cookies are `Secure`."""
    trusted_proxy: str = ""
    """Address of the proxy before the server, several with commas: its X-Forwarded-For and -Proto are believed."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then jit.toml."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def operations_url(self) -> str:
        """URL of the operations database."""
        return self.database_url or f"sqlite:///{(self.home / 'operations.sqlite').absolute()}"

    @property
    def operations_file(self) -> Path | None:
        """The SQLite file of the operations database; None when a URL names another."""
        return None if self.database_url else self.home / "operations.sqlite"

    @property
    def warehouse_path(self) -> Path:
        """The DuckDB file."""
        return self.home / "warehouse.duckdb"

    @property
    def sandbox_path(self) -> Path:
        """The sandbox ERP's own SQLite file."""
        return self.home / "sandbox_erp.sqlite"

    @property
    def server_file(self) -> Path:
        """Written by a running server; tells the command line where it answers."""
        return self.home / "server.json"

    def sources(self) -> dict[str, tuple[str, str]]:
        """Setting to (value shown, where it comes from); secrets are hidden."""
        shown: dict[str, tuple[str, str]] = {}
        toml = Path("jit.toml").is_file()
        for name, field in type(self).model_fields.items():
            variable = str(field.validation_alias or f"JIT_{name.upper()}")
            value = getattr(self, name)
            if variable in os.environ:
                origin = f"environment {variable}"
            elif value != field.default:
                origin = "jit.toml" if toml else "argument"
            else:
                origin = "default"
            text = ("set" if value.get_secret_value() else "not set") if isinstance(value, SecretStr) else str(value)
            shown[name] = (_without_password(text), origin)
        return shown


def _without_password(text: str) -> str:
    """A URL without the password in it; any other text as it is."""
    return re.sub(r"(?<=://)([^/?#@]*?):[^/?#]*@", r"\1:***@", text)
