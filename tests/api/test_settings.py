"""Settings: where they come from, what is refused, and what is never shown."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from api.secret_file import read_or_create
from api.settings import ConfigurationError, Settings, load_settings, variable

LONG = "a-secret-that-is-long-enough-for-hs256"
OTHER = "another-one-that-is-long-enough-for-it"


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VARIORUM_SECRETS_DIR", raising=False)
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)


def test_with_nothing_set_drafts_lie_in_a_sqlite_file_and_only_this_machine_is_served() -> None:
    settings = load_settings()

    assert settings.sqlite_path == Path("variorum.db")
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8000, 1)
    assert settings.expiry_days == 30
    assert settings.cors_origins == ()


def test_the_default_limits_are_those_of_the_contract() -> None:
    limits = load_settings().limits

    assert (limits.body, limits.depth, limits.members) == (1_048_576, 32, 10_000)
    assert (limits.changes, limits.page) == (1_000, 200)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().port = 1


def test_the_command_line_wins_over_the_environment_and_that_over_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    for name in ("port", "expiry_days", "max_depth", "max_page"):
        (folder / f"variorum_{name}").write_text("4\n")
    (tmp_path / ".env").write_text(
        "VARIORUM_PORT=3\nVARIORUM_EXPIRY_DAYS=3\nVARIORUM_MAX_DEPTH=3\n"
    )
    monkeypatch.setenv("VARIORUM_SECRETS_DIR", str(folder))
    monkeypatch.setenv("VARIORUM_PORT", "2")
    monkeypatch.setenv("VARIORUM_EXPIRY_DAYS", "2")

    settings = load_settings(port=1)

    assert settings.port == 1
    assert settings.expiry_days == 2
    assert settings.max_depth == 3
    assert settings.max_page == 4


def test_the_database_is_named_by_the_variable_that_everybody_knows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@db/variorum")

    settings = load_settings()

    assert settings.database_url == "postgresql://app@db/variorum"
    assert not settings.on_sqlite
    assert settings.sqlite_path is None


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///drafts/a.db", Path("drafts/a.db")),
        ("sqlite:////var/lib/a.db", Path("/var/lib/a.db")),
        ("sqlite:///a.db?mode=rw", Path("a.db")),
        ("sqlite://", None),
        ("sqlite:///:memory:", None),
    ],
)
def test_three_slashes_begin_a_relative_path_and_four_an_absolute_one(
    url: str, path: Path | None
) -> None:
    assert load_settings(database_url=url).sqlite_path == path


def test_origins_are_split_at_commas_and_lose_the_slash_at_their_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VARIORUM_CORS_ORIGINS", "https://a.example/, http://localhost:3000")

    assert load_settings().cors_origins == ("https://a.example", "http://localhost:3000")


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VARIORUM_PORT", "")
    monkeypatch.setenv("VARIORUM_JWT_SECRET", "")

    assert (load_settings().port, load_settings().jwt_secret) == (8000, None)


def test_every_wrong_setting_is_named_in_one_sentence_without_its_value() -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_settings(port=99_999, jwt_secret="tooshort", database_url="mysql://u:pw@h/d")

    sentence = str(refused.value)
    assert "VARIORUM_PORT" in sentence
    assert "VARIORUM_JWT_SECRET: must have at least 32 bytes" in sentence
    assert "DATABASE_URL: must begin with sqlite:// or postgresql://" in sentence
    assert "\n" not in sentence
    assert "tooshort" not in sentence
    assert "pw" not in sentence


def test_several_workers_on_sqlite_are_refused_with_what_to_set_instead() -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        load_settings(workers=2)


def test_a_secrets_folder_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VARIORUM_SECRETS_DIR", "/nowhere/at/all")

    with pytest.raises(ConfigurationError, match="/nowhere/at/all"):
        load_settings()


def test_on_sqlite_a_secret_file_beside_the_database_outlives_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/drafts.db"

    first, second = load_settings(database_url=url).keys, load_settings(database_url=url).keys

    file = tmp_path / "drafts.db.secret"
    assert first == second
    assert first.file == file
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["drafts.db.secret"]


def test_the_two_keys_made_of_one_secret_differ_from_each_other_and_from_it(
    tmp_path: Path,
) -> None:
    keys = load_settings(database_url=f"sqlite:///{tmp_path}/drafts.db").keys
    root = (tmp_path / "drafts.db.secret").read_bytes().strip()

    assert len({keys.jwt, keys.chain, root}) == 3
    assert min(len(keys.jwt), len(keys.chain)) >= 32


def test_a_configured_secret_wins_and_the_other_still_comes_from_the_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/drafts.db"

    keys = load_settings(database_url=url, jwt_secret=LONG).keys

    assert keys.jwt == LONG.encode()
    assert keys.chain == load_settings(database_url=url).keys.chain


def test_with_both_secrets_configured_no_file_is_made(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/drafts.db"

    keys = load_settings(database_url=url, jwt_secret=LONG, chain_key=OTHER).keys

    assert (keys.jwt, keys.chain, keys.file) == (LONG.encode(), OTHER.encode(), None)
    assert list(tmp_path.iterdir()) == []


def test_old_keys_of_the_chain_are_known_as_they_were_or_by_their_secret_file(
    tmp_path: Path,
) -> None:
    elsewhere = load_settings(database_url=f"sqlite:///{tmp_path}/elsewhere.db").keys
    assert elsewhere.file is not None
    old = f"{OTHER}\n\n {elsewhere.file.read_text()}"

    known = load_settings(database_url="postgresql://h/d", chain_key=LONG, old_chain_keys=old)

    assert known.known_chain_keys[0] == LONG.encode()
    assert {OTHER.encode(), elsewhere.chain} <= set(known.known_chain_keys)


def test_the_key_of_a_secret_file_stays_known_when_another_is_set(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/variorum.db"
    first = load_settings(database_url=url).keys.chain

    assert load_settings(database_url=url).known_chain_keys == (first,)
    assert load_settings(database_url=url, chain_key=LONG).known_chain_keys == (
        LONG.encode(),
        first,
    )


def test_asking_for_the_known_keys_of_the_chain_makes_none(tmp_path: Path) -> None:
    assert load_settings(database_url=f"sqlite:///{tmp_path}/new.db").known_chain_keys == ()
    assert list(tmp_path.iterdir()) == []


def test_an_old_key_that_is_too_short_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="VARIORUM_OLD_CHAIN_KEYS: must have at least"):
        load_settings(old_chain_keys=f"{LONG}\nshort")


def test_processes_that_start_together_agree_on_one_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(read_or_create, [tmp_path / "a.secret"] * 32))

    assert len(secrets) == 1


def test_a_damaged_secret_file_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "drafts.db.secret"
    file.write_text("short")

    with pytest.raises(ConfigurationError, match=r"drafts\.db\.secret .* damaged"):
        _ = load_settings(database_url=f"sqlite:///{tmp_path}/drafts.db").keys
    assert file.read_text() == "short"


def test_a_folder_that_is_not_there_for_the_secret_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file or directory"):
        _ = load_settings(database_url=f"sqlite:///{tmp_path}/nowhere/a.db").keys


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "VARIORUM_JWT_SECRET and VARIORUM_CHAIN_KEY"),
        ({"jwt_secret": LONG}, "set VARIORUM_CHAIN_KEY"),
        ({"chain_key": LONG}, "set VARIORUM_JWT_SECRET"),
    ],
)
def test_on_postgresql_a_missing_secret_is_named(given: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        _ = load_settings(database_url="postgresql://h/d", **given).keys


ISSUER = {"jwks_url": "https://x.example/jwks.json", "jwt_audience": "authenticated"}


@pytest.mark.parametrize(
    ("given", "algorithms"),
    [
        ({}, ("HS256",)),
        (ISSUER, ("RS256", "ES256")),
        ({**ISSUER, "jwt_algorithms": "HS256, ES256", "jwt_secret": LONG}, ("HS256", "ES256")),
        ({**ISSUER, "jwt_algorithms": "RS256"}, ("RS256",)),
    ],
)
def test_how_tokens_may_be_signed_follows_from_the_keys_or_is_said(
    given: dict[str, str], algorithms: tuple[str, ...]
) -> None:
    assert load_settings(database_url="sqlite://", **given).algorithms == algorithms


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"jwt_algorithms": "RS256"}, "VARIORUM_JWKS_URL: set both"),
        ({**ISSUER, "jwt_algorithms": "HS256"}, "VARIORUM_JWKS_URL: set both"),
        ({"jwks_url": "https://x.example/k"}, "VARIORUM_JWT_ISSUER and VARIORUM_JWT_AUDIENCE"),
        ({**ISSUER, "development_user": "true"}, "needs HS256"),
        ({"jwt_algorithms": "none"}, "VARIORUM_JWT_ALGORITHMS"),
        ({"jwt_algorithms": "HS512"}, "VARIORUM_JWT_ALGORITHMS"),
        ({"jwks_url": "file:///etc/passwd"}, "VARIORUM_JWKS_URL: must be an address"),
        ({"jwks_url": "https://"}, "VARIORUM_JWKS_URL: must be an address"),
        ({"jwt_roles": "roles"}, "VARIORUM_JWT_ROLES: must be a JSON Pointer"),
        ({"jwt_roles": "/a~2"}, "VARIORUM_JWT_ROLES: must be a JSON Pointer"),
        ({"jwt_roles": "/user_metadata/roles"}, "VARIORUM_JWT_ROLES: must not lie in"),
    ],
)
def test_what_would_let_in_whom_nobody_meant_is_refused(given: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        load_settings(database_url="sqlite://", **given)


def test_with_an_issuers_keys_postgresql_needs_no_secret_for_tokens() -> None:
    settings = load_settings(database_url="postgresql://h/d", chain_key=OTHER, **ISSUER)

    again = load_settings(database_url="postgresql://h/d", chain_key=OTHER, **ISSUER)
    assert settings.keys.chain == OTHER.encode()
    assert settings.keys.jwt != again.keys.jwt  # nobody knows it, and nothing is signed with it
    assert not settings.by_secret


@pytest.mark.parametrize(
    ("given", "on"),
    [
        ({"database_url": "sqlite://"}, True),
        ({"database_url": "sqlite://", "development_user": "false"}, False),
        ({"database_url": "sqlite://", "jwt_secret": LONG}, False),
        ({"database_url": "sqlite://", "jwt_secret": LONG, "development_user": "true"}, True),
        ({"database_url": "sqlite://", **ISSUER}, False),
        ({"database_url": "sqlite://", **ISSUER, "jwt_algorithms": "HS256 RS256"}, False),
        ({"database_url": "postgresql://h/d"}, False),
        ({"database_url": "postgresql://h/d", "jwt_secret": LONG}, False),
        ({"database_url": "postgresql://h/d", "development_user": "true"}, True),
    ],
)
def test_a_development_user_is_there_in_a_trial_or_if_told_so(
    given: dict[str, str], on: bool
) -> None:
    assert load_settings(**given).has_development_user is on


def test_no_secret_and_no_password_shows_in_the_description_or_a_log() -> None:
    settings = load_settings(
        database_url="postgresql://app:hunter2@db:5432/variorum?password=hunter2&sslmode=require",
        owner_url="postgresql://owner:hunter2@db/variorum",
        jwt_secret=LONG,
        chain_key=OTHER,
        old_chain_keys=f"{OTHER}{LONG}",
    )

    shown = settings.describe()

    assert shown["DATABASE_URL"] == (
        "postgresql://app:********@db:5432/variorum?password=********&sslmode=require"
    )
    assert shown["VARIORUM_OWNER_URL"] == "postgresql://owner:********@db/variorum"
    assert shown["VARIORUM_JWT_SECRET"] == "********"
    assert shown["VARIORUM_OLD_CHAIN_KEYS"] == "********"
    assert shown["VARIORUM_PORT"] == 8000
    for text in (str(shown), repr(settings), str(settings), repr(settings.keys)):
        assert "hunter2" not in text
        assert LONG not in text
        assert OTHER not in text
