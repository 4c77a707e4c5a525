"""The command `variorum`: serves, and does what an operator does to a database."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from api import moving, operations, proving, upkeep
from api.app import describe
from api.key_commands import Role, key
from api.printing import counted, judgement, progress, sink
from api.security import Tokens
from api.service import now
from api.serving import serve_forever
from api.settings import ConfigurationError, load_settings
from api.sweeping import Swept
from api.webhook_commands import webhooks
from domain.errors import VariorumError
from projections.store.migrations import SchemaTooNew, SchemaTooOld

cli = typer.Typer(
    help="Variorum keeps every autosave of a web form: versions, diffs, restores, undo, merge.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


cli.add_typer(key, name="key")
cli.add_typer(webhooks, name="webhooks")


Host = Annotated[str | None, typer.Option(help="Address to listen on [VARIORUM_HOST, 127.0.0.1].")]
Port = Annotated[int | None, typer.Option(help="Port to listen on [VARIORUM_PORT, 8000].")]
Workers = Annotated[
    int | None, typer.Option(help="Processes; PostgreSQL only [VARIORUM_WORKERS, 1].")
]


@cli.command()
def serve(host: Host = None, port: Port = None, workers: Workers = None) -> None:
    """Serve the API: on SQLite in this folder, or on the PostgreSQL that DATABASE_URL names.

    The tables are made or brought up to date first: always on SQLite, on PostgreSQL if
    VARIORUM_OWNER_URL names their owner.
    """
    given = {"host": host, "port": port, "workers": workers}
    serve_forever({name: value for name, value in given.items() if value is not None})


@cli.command()
def migrate() -> None:
    """Bring the tables up to date, as VARIORUM_OWNER_URL on PostgreSQL; safe to run at any time."""
    applied = operations.migrate(load_settings())
    for name in applied:
        typer.echo(f"applied {name}")
    typer.echo("The tables are up to date.")


@cli.command()
def rebuild() -> None:
    """Make every read model anew from the log, while the service runs."""
    with progress("drafts") as tell:
        done = asyncio.run(operations.rebuild(load_settings(), tell))
    typer.echo(f"Rebuilt the read models of {counted(done, 'draft')}.")


@cli.command()
def token(
    user: Annotated[str, typer.Argument(help="The user that the token is for (its `sub`).")],
    role: Annotated[
        list[Role] | None, typer.Option(help="A role to hold; may be repeated.")
    ] = None,
    days: Annotated[
        float, typer.Option(help="How long it holds, in days.", min=0.001, max=3650)
    ] = 30,
) -> None:
    """Print a token for the configured secret, for trying the API and for scripts."""
    settings = load_settings()
    if not settings.by_secret:
        raise ConfigurationError(
            "This service takes tokens of its issuer only; for a machine, `variorum key create`."
        )
    typer.echo(Tokens(settings, now).issue(user, role or [], timedelta(days=days)))


@cli.command()
def export(
    drafts: Annotated[
        list[str] | None, typer.Argument(help="Ids of drafts; all if none is named.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; standard output if none.")
    ] = None,
) -> None:
    """Write the whole history of drafts as JSON lines, one event a line, signed as a whole."""
    with progress("events") as tell, sink(output) as file:
        count = asyncio.run(proving.export(load_settings(), drafts or [], file.write, tell))
    typer.echo(f"Wrote {counted(count, 'event')}.", err=True)


@cli.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="An export, of a database of either kind.")],
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Take what chain and signature do not prove, too.")
    ] = False,
) -> None:
    """Take over the drafts of an export, with all versions as they are; safe to repeat.

    Drafts that are here already are continued if the file has more of the same history, and left
    alone if not. Exits with 1 if a draft is refused; the others are taken over.
    """
    with progress("bytes") as tell:
        done = asyncio.run(
            proving.import_drafts(load_settings(), file, typer.echo, tell, unverified=unverified)
        )
    typer.echo(
        f"Imported {counted(done.versions, 'version')}: {counted(done.new, 'new draft')},"
        f" {done.continued} continued, {done.known} already here, {done.refused} refused."
    )
    raise typer.Exit(1 if done.refused else 0)


@cli.command("import-rows")
def import_rows(
    source: Annotated[
        str,
        typer.Argument(
            help="A postgresql:// address, or a file: CSV if it ends so, else JSON lines."
        ),
    ],
    table: Annotated[
        str, typer.Option(help="The table's name, maybe with its schema.")
    ] = "gig_drafts",
    form: Annotated[str, typer.Option(help="The form that its drafts are of.")] = "gig",
) -> None:
    """Take over the rows of an older table of drafts, each once; safe to repeat.

    Its columns are id, user_id, gig_id, form_data, current_step, completed_steps, last_saved_at,
    expires_at and created_at. Each row becomes a draft of its user's that was imported when it was
    saved last. Exits with 1 if a row is refused; the others are taken over.
    """
    with progress("rows") as tell:
        done = asyncio.run(
            moving.import_rows(load_settings(), source, table, form, typer.echo, tell)
        )
    if done.left_out:
        typer.echo(f"Left out, since no draft has them: {', '.join(done.left_out)}.")
    typer.echo(
        f"Imported {counted(done.new, 'draft')}, {done.beside} of them beside an open one:"
        f" {done.known} already here, {done.refused} refused."
    )
    raise typer.Exit(1 if done.refused else 0)


@cli.command()
def verify(
    file: Annotated[
        Path | None, typer.Argument(help="An export, checked alone; the database if none.")
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="A file that `checkpoint` wrote, to compare with.")
    ] = None,
) -> None:
    """Check that nothing was altered since it was recorded; exits with 1 if anything was.

    A checkpoint also shows that the end of a draft, or a whole draft, is gone. For an export the
    key is needed (VARIORUM_CHAIN_KEY) and no database.
    """
    settings, unit = load_settings(), "bytes" if file else "events"
    with progress(unit) as tell:
        if file:
            tally = proving.verify_file(settings, file, checkpoint, typer.echo, tell)
        else:
            tally = asyncio.run(proving.verify_log(settings, checkpoint, typer.echo, tell))
    typer.echo(
        f"Checked {counted(tally.events, 'event')} of {counted(tally.drafts, 'draft')}: "
        f"{judgement(tally)}."
    )
    raise typer.Exit(0 if tally.intact else 1)


@cli.command()
def checkpoint(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; standard output if none.")
    ] = None,
) -> None:
    """Write how far every draft's chain goes now, signed; keep the file where nobody alters it."""
    with sink(output) as file:
        count = asyncio.run(proving.checkpoint(load_settings(), now(), file.write))
    typer.echo(f"Wrote the heads of {counted(count, 'draft')}.", err=True)


@cli.command()
def sweep(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how much is due; nothing is changed.")
    ] = False,
) -> None:
    """Let drafts expire whose time is over, and purge what lay in the trash long enough.

    A service that runs does so by itself; this is for cron, or to see what is due. Safe to repeat,
    to stop half-way, and to run beside the service.
    """
    if dry_run:
        typer.echo(f"Would have {_swept(asyncio.run(upkeep.due(load_settings())))}.")
        return
    with progress("drafts") as tell:
        swept = asyncio.run(upkeep.sweep(load_settings(), tell))
    done = "Another sweep is at work: nothing was done" if swept is None else _swept(swept)
    typer.echo(f"{done[0].upper()}{done[1:]}.")


@cli.command()
def forget(
    user: Annotated[str, typer.Argument(help="The user to forget (the `sub` of the tokens).")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
) -> None:
    """Purge every draft that a user owns, and take the name out of all others; for good."""
    if not yes:
        typer.confirm(f"Purge all drafts of {user} for good?", abort=True)
    count = asyncio.run(upkeep.forget(load_settings(), user))
    if count is None:
        typer.echo(f"Nobody called {user} is known here, or not any more; nothing was done.")
    else:
        typer.echo(f"Forgot {user}; purged {counted(count, 'draft')}.")


@cli.command()
def backup(
    output: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")],
) -> None:
    """Copy the whole database while the service runs: an SQLite file, or a dump made by pg_dump."""
    with progress("pages") as tell:
        operations.backup(load_settings(), output, tell)
    typer.echo(f"Wrote {output} ({output.stat().st_size} bytes).")


@cli.command()
def openapi() -> None:
    """Print the description of every request (OpenAPI), without a database."""
    typer.echo(json.dumps(describe(), indent=1, ensure_ascii=False))


@cli.command()
def doctor() -> None:
    """Print the settings in force, secrets masked, and check that everything is as it should be."""
    settings = load_settings()
    for name, value in settings.describe().items():
        typer.echo(f"{name} = {value}")
    typer.echo()
    findings = asyncio.run(operations.examine(settings))
    for finding in findings:
        typer.echo(f"{'ok  ' if finding.well else 'FAIL'} {finding.text}")
    raise typer.Exit(0 if all(finding.well for finding in findings) else 1)


def _swept(swept: Swept) -> str:
    expired, purged = (counted(n, "draft") for n in (swept.expired, swept.purged))
    return f"expired {expired}, purged {purged}"


def main() -> None:
    """Run a command; what goes wrong is one sentence, and exit code 2."""
    try:
        cli()
    except (
        ConfigurationError,
        SchemaTooOld,
        SchemaTooNew,
        VariorumError,
        operations.Failed,
    ) as error:
        _give_up(str(error))
    except FileExistsError as error:
        _give_up(f"{error.filename} exists already; name another file.")
    except OSError as error:
        _give_up(f"{error.filename or 'The command'} cannot be used: {error.strerror}.")


def _give_up(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise SystemExit(2)


if __name__ == "__main__":
    main()
