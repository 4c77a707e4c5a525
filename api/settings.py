"""The settings in force: environment, `.env` and a secrets folder, checked once at the start."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings.exceptions import SettingsError

from api import secret_file
from api.masks import MASK, mask_password
from api.secret_file import KEY_BYTES
from api.setting_kinds import (
    BY_JWKS,
    BY_SECRET,
    Algorithm,
    Claim,
    Count,
    DatabaseUrl,
    ImportKey,
    Rate,
    Secret,
    Secrets,
    SigningSecret,
    WebAddress,
    lines_of,
)

PREFIX = "VARIORUM_"


class ConfigurationError(Exception):
    """The settings do not allow a start; `str()` is one sentence that names what to set."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a single request may ask for; `contract.md` says the answers beyond."""

    body: int = 1_048_576
    depth: int = 32
    members: int = 10_000
    changes: int = 1_000
    page: int = 200


@dataclass(frozen=True, slots=True)
class Keys:
    """The two secrets that the service works with; `file` holds them where none was configured."""

    jwt: bytes
    chain: bytes
    file: Path | None = None

    def __repr__(self) -> str:
        return f"Keys(file={self.file})"


class Settings(BaseSettings):
    """All settings; each is read from `VARIORUM_<NAME>`, the database's from `DATABASE_URL`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        validate_by_name=True,
        validate_by_alias=True,
    )

    database_url: DatabaseUrl = Field(
        "sqlite:///variorum.db", validation_alias="DATABASE_URL", repr=False
    )
    owner_url: DatabaseUrl | None = Field(None, repr=False)

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65_535)
    workers: Count = 1
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()

    jwt_secret: Secret | None = None
    jwks_url: WebAddress | None = None
    jwt_algorithms: Annotated[tuple[Algorithm, ...], NoDecode] = ()
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    jwt_leeway: int = Field(10, ge=0, le=300, description="seconds")
    jwt_roles: Claim = "/roles"
    development_user: bool | None = None
    chain_key: Secret | None = None
    old_chain_keys: Secrets | None = None

    forms: Path | None = Field(None, description="a folder of form definitions")
    expiry_days: Count = 30
    trash_days: Count = 30
    warning_days: Count = 7

    webhook_url: WebAddress | None = None
    webhook_secret: SigningSecret | None = None
    webhook_private: bool = False
    import_keys: Annotated[tuple[ImportKey, ...], NoDecode] = (
        "gig=gig-create-draft",
        "gig=gig-edit-{subject}",
    )

    max_body: int = Field(1_048_576, ge=1_024, description="bytes")
    max_depth: int = Field(32, ge=1, le=128)
    max_members: Count = 10_000
    max_changes: Count = 1_000
    max_page: Count = 200

    rate_user: Rate = "12000/minute"
    rate_link: Rate = "12000/minute"
    rate_key: Rate = "60000/minute"
    rate_address: Rate = "12000/minute"
    trusted_proxies: str = "127.0.0.1,::1"
    max_connections: Count = 800
    request_timeout: Count = 30

    max_streams: Count = 500
    max_streams_caller: Count = 50

    queue_length: Count = 1_000
    cache_bytes: int = Field(64 * 1_048_576, ge=0)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (fixed at import)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The first that has a value wins; the secrets folder is looked up when it is needed."""
        files = SecretsSettingsSource(settings_cls, secrets_dir=_secrets_folder())
        return init_settings, env_settings, dotenv_settings, files

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        """`https://a.example, https://b.example`; a slash at the end is no part of an origin."""
        if isinstance(value, str):
            return tuple(o.strip().rstrip("/") for o in value.split(",") if o.strip())
        return value

    @field_validator("import_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        """`gig=gig-create-draft, gig=gig-edit-{subject}`."""
        if isinstance(value, str):
            return tuple(key.strip() for key in value.split(",") if key.strip())
        return value

    @field_validator("jwt_algorithms", mode="before")
    @classmethod
    def _split_algorithms(cls, value: object) -> object:
        """`HS256, ES256`."""
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @property
    def limits(self) -> Limits:
        """The limits of a single request."""
        return Limits(
            body=self.max_body,
            depth=self.max_depth,
            members=self.max_members,
            changes=self.max_changes,
            page=self.max_page,
        )

    @property
    def on_sqlite(self) -> bool:
        """Whether drafts lie in one file, to start with."""
        return self.database_url.startswith("sqlite://")

    @property
    def sqlite_path(self) -> Path | None:
        """The SQLite file; None in memory and on PostgreSQL.

        Three slashes begin a relative path, four an absolute one.
        """
        path = self.database_url.removeprefix("sqlite://").removeprefix("/").partition("?")[0]
        return Path(path) if self.on_sqlite and path not in ("", ":memory:") else None

    @property
    def algorithms(self) -> tuple[str, ...]:
        """How tokens may be signed: as configured, else as the key that is configured asks."""
        return self.jwt_algorithms or (BY_JWKS if self.jwks_url else BY_SECRET)

    @property
    def by_secret(self) -> bool:
        """Whether tokens signed with the secret are taken, and so can be made here."""
        return not set(BY_SECRET).isdisjoint(self.algorithms)

    @property
    def has_development_user(self) -> bool:
        """Whether a token is printed at the start: for a trial by itself, else only if told so."""
        if self.development_user is not None:
            return self.development_user
        return self.on_sqlite and self.jwt_secret is None and self.jwks_url is None

    @cached_property
    def keys(self) -> Keys:
        """The secrets in force; on SQLite those not set come from a file beside the database.

        Raises:
            ConfigurationError: A secret is missing on PostgreSQL, or the file cannot be used.
        """
        needed = ("jwt_secret", "chain_key") if self.by_secret else ("chain_key",)
        if missing := [variable(name) for name in needed if getattr(self, name) is None]:
            if not self.on_sqlite:
                raise ConfigurationError(_to_be_set(missing))
            return _development_keys(self)
        # What no token may be signed with needs no secret; one that nobody knows does no harm.
        jwt = _bytes(self.jwt_secret) if self.jwt_secret else secrets.token_bytes(KEY_BYTES)
        return Keys(jwt, _bytes(cast("SecretStr", self.chain_key)))

    @property
    def known_chain_keys(self) -> tuple[bytes, ...]:
        """The chain's keys that are configured, and that of a secret file; none is made for this.

        The key in force is the first, if it is among them. An old key may be given as it was, or
        as the content of the secret file that it was made of.
        """
        configured = (_bytes(self.chain_key),) if self.chain_key else ()
        file = _secret_file(self.sqlite_path)
        beside = (_derived(_root_secret(file), b"chain"),) if file and file.exists() else ()
        old = lines_of(self.old_chain_keys) if self.old_chain_keys else []
        return (*configured, *beside, *old, *(_derived(key, b"chain") for key in old))

    def describe(self) -> dict[str, Any]:
        """The settings in force by the names of their variables, secrets masked."""
        return {variable(name): _masked(getattr(self, name)) for name in type(self).model_fields}


def load_settings(**values: Any) -> Settings:
    """The settings of this process; `values` (those of a command line) win over all else.

    Raises:
        ConfigurationError: A value does not fit; the sentence names every one.
    """
    try:
        return _consistent(Settings(**values))
    except ValidationError as error:
        raise ConfigurationError(_what_to_set(error)) from None
    except SettingsError as error:
        raise ConfigurationError(f"The settings cannot be read: {error}.") from None


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return "DATABASE_URL" if name == "database_url" else PREFIX + name.upper()


def _secrets_folder() -> Path | None:
    folder = os.environ.get(f"{PREFIX}SECRETS_DIR")
    if folder and not Path(folder).is_dir():
        raise ConfigurationError(f"{PREFIX}SECRETS_DIR names {folder}, which is not a folder.")
    return Path(folder) if folder else None


def _what_to_set(error: ValidationError) -> str:
    """Every wrong setting with the reason, and none of the values."""
    wrong = (f"{variable(_setting(e['loc']))}: {_reason(e['msg'])}" for e in error.errors())
    return f"Some settings cannot be used: {'; '.join(wrong)}."


def _setting(loc: tuple[int | str, ...]) -> str:
    name = str(loc[0])
    return "database_url" if name == "DATABASE_URL" else name


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ").removeprefix("Input ").rstrip(".")


def _consistent(settings: Settings) -> Settings:
    if contradiction := _contradiction(settings):
        raise ConfigurationError(contradiction)
    return settings


def _contradiction(settings: Settings) -> str | None:
    """What two settings say against each other, and what to do about it."""
    if settings.on_sqlite and settings.workers > 1:
        return (
            "SQLite has one process: leave VARIORUM_WORKERS at 1,"
            " or set DATABASE_URL to a postgresql:// address."
        )
    if set(BY_JWKS).isdisjoint(settings.algorithms) != (settings.jwks_url is None):
        return "RS256 and ES256 among VARIORUM_JWT_ALGORITHMS, and VARIORUM_JWKS_URL: set both."
    if settings.jwks_url and not (settings.jwt_issuer or settings.jwt_audience):
        return (
            "With VARIORUM_JWKS_URL, set VARIORUM_JWT_ISSUER and VARIORUM_JWT_AUDIENCE, or at"
            " least one of them: the same keys may sign what is not for this service."
        )
    if (settings.webhook_url is None) != (settings.webhook_secret is None):
        return "VARIORUM_WEBHOOK_URL and VARIORUM_WEBHOOK_SECRET: set both, or neither."
    if settings.development_user and not settings.by_secret:
        return "VARIORUM_DEVELOPMENT_USER needs HS256 among VARIORUM_JWT_ALGORITHMS."
    return None


def _bytes(secret: SecretStr) -> bytes:
    return secret.get_secret_value().encode()


def _to_be_set(missing: Sequence[str]) -> str:
    return (
        f"With PostgreSQL, set {' and '.join(missing)}"
        f" (at least {KEY_BYTES} bytes each, kept for good), as variables or as files in"
        f" the folder that {PREFIX}SECRETS_DIR names."
    )


def _development_keys(settings: Settings) -> Keys:
    file = _secret_file(settings.sqlite_path)
    root = _root_secret(file) if file else secrets.token_bytes(KEY_BYTES)
    return Keys(
        jwt=_bytes(settings.jwt_secret) if settings.jwt_secret else _derived(root, b"jwt"),
        chain=_bytes(settings.chain_key) if settings.chain_key else _derived(root, b"chain"),
        file=file,
    )


def _secret_file(database: Path | None) -> Path | None:
    return database.with_name(f"{database.name}.secret") if database else None


def _derived(root: bytes, label: bytes) -> bytes:
    """A key of its own for each use, so that knowing one tells nothing of the other."""
    return hmac.digest(root, b"variorum " + label, hashlib.sha256).hex().encode()


def _root_secret(file: Path) -> bytes:
    try:
        return secret_file.read_or_create(file)
    except OSError as error:
        why = error.strerror or error
        raise ConfigurationError(f"The secret file {file} cannot be used: {why}.") from error


def _masked(value: object) -> object:
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, str) and "://" in value:
        return mask_password(value)
    return list(value) if isinstance(value, tuple) else value
