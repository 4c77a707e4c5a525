"""Forms: every form definition in force, in memory; one that an admin sends is there in a second.

Of one name, a definition that an admin has sent goes before one in the operator's folder, and that
before one that came with the service.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal

import jiter
import orjson

from domain.errors import FormNotFound, Invalid, Unavailable
from domain.form import Form, read_form, undefined
from projections.ending import ended
from projections.store.base import Store
from projections.store.forms import FormRow

log = logging.getLogger("variorum.forms")

TICK = 0.5  # seconds after which to look for what other processes were sent


class BrokenForm(Exception):
    """A file of definitions cannot be used; `str()` is a sentence that names it and the place."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition in force, and where it comes from."""

    form: Form
    source: Literal["shipped", "folder", "stored"]


class Forms:
    """The definitions in force; asking for one costs a look into a dictionary."""

    def __init__(
        self,
        store: Store,
        folder: Path | None = None,
        *,
        on_news: Callable[[], None] = lambda: None,
    ) -> None:
        """Read the files; `on_news` is called when a definition has changed since the start.

        Raises:
            BrokenForm: One of them cannot be used.
        """
        self._store, self._on_news = store, on_news
        self._known = given(folder)
        self._stored: dict[str, str] = {}
        self._number = 0
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read what is stored, and go on looking for more."""
        await self.read()
        self._task = asyncio.create_task(self._follow(), name="variorum forms")

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            await ended(self._task)

    def of(self, form: str) -> Form:
        """The definition of a form; of one that has none, that every rule is the default."""
        known = self._known.get(form)
        return undefined(form) if known is None else known.form

    def named(self, form: str) -> Form:
        """The definition of a form that has one.

        Raises:
            FormNotFound: It has none.
        """
        if (known := self._known.get(form)) is None:
            raise FormNotFound(form)
        return known.form

    def every(self) -> Sequence[Form]:
        """All definitions."""
        return [known.form for known in self._known.values()]

    def listed(self, after: str, limit: int) -> Sequence[Definition]:
        """The first definitions, in the order of their names, of those after a name."""
        names = sorted(name for name in self._known if name > after)
        return [self._known[name] for name in names[:limit]]

    async def put(self, form: Form, by: str, at: datetime) -> None:
        """Let a definition be in force from now on; one that is so already is not kept again."""
        await self.refresh()
        definition = written(form)
        if self._stored.get(form.form) != definition:
            before = self.of(form.form)
            await self._store.forms.keep(form.form, definition, by, at)
            await self.refresh()
            if set(form.sensitive) - set(before.sensitive):
                await self._store.forms.hide(form.form)
                self._on_news()

    async def refresh(self) -> None:
        """Take in what was kept since, by whichever process.

        A process that did not know yet may just have put drafts to rest by an older definition.
        """
        for form in await self.read():
            await self._store.forms.unrest(form)
            self._on_news()

    async def read(self) -> list[str]:
        """Read what was kept since; answers of which forms that was."""
        news = []
        for row in await self._store.forms.newest(self._number):
            if row.number > self._number:  # else another one that was waiting has taken it in
                self._number = row.number
                self._take(row)
                news.append(row.form)
        return news

    def _take(self, row: FormRow) -> None:
        try:
            form = read_form(orjson.loads(row.definition))
        except Invalid as problem:
            log.error("the stored definition of a form cannot be used: %s", problem)
        else:
            self._known[row.form] = Definition(form, "stored")
            self._stored[row.form] = row.definition

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            try:
                await self.refresh()
            except Unavailable:
                continue
            except Exception:
                log.exception("reading form definitions failed; trying again")


def written(form: Form) -> str:
    """A definition as it was sent, as JSON."""
    return orjson.dumps(document(form)).decode()


def document(form: Form) -> dict[str, Any]:
    """A definition as it was sent."""
    return form.model_dump(mode="json", by_alias=True, exclude_unset=True)


# -- files


def given(folder: Path | None) -> dict[str, Definition]:
    """The definitions that come with the service, and over them those of a folder.

    Raises:
        BrokenForm: A file cannot be used, or two are of one form.
    """
    shipped = ((name, Definition(form, "shipped")) for name, form in _read(_shipped()).items())
    if folder is None:
        return dict(shipped)
    own = ((name, Definition(form, "folder")) for name, form in _read(_in(folder)).items())
    return {**dict(shipped), **dict(own)}


def _shipped() -> Iterable[Traversable]:
    return (files("domain") / "forms").iterdir()


def _in(folder: Path) -> Iterable[Traversable]:
    if not folder.is_dir():
        raise BrokenForm(f"{folder} is no folder, so there are no form definitions in it.")
    return folder.iterdir()


def _read(found: Iterable[Traversable]) -> Mapping[str, Form]:
    forms: dict[str, Form] = {}
    for file in _definitions(found):
        form = _of_file(file)
        if form.form in forms:
            raise BrokenForm(f"{file} defines the form {form.form}, as another file does.")
        forms[form.form] = form
    return forms


def _definitions(found: Iterable[Traversable]) -> Iterator[Traversable]:
    named = (file for file in found if file.name.endswith(".json"))
    return iter(sorted(named, key=lambda file: file.name))


def _of_file(file: Traversable) -> Form:
    try:
        return read_form(
            jiter.from_json(file.read_bytes(), catch_duplicate_keys=True, allow_inf_nan=False)
        )
    except OSError as error:
        raise BrokenForm(f"{file} cannot be read: {error.strerror}.") from None
    except Invalid as problem:
        wrong = "; ".join(f"at {e.pointer or '/'}: {e.detail.rstrip('.')}" for e in problem.errors)
        raise BrokenForm(f"{file} is no form definition: {wrong}.") from None
    except ValueError as error:
        raise BrokenForm(f"{file} is not JSON: {error}.") from None
