"""A version in one line: what somebody did, by its act; and the line of an editing session."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from domain.conflict import Conflict
from domain.form import Form
from projections.wording import phrases
from projections.wording.changes import Served, did, place_of
from projections.wording.conflicts import settled
from projections.wording.people import device, sentence, who
from projections.wording.places import Places, readable
from projections.wording.values import apart, clean, counted, cut, listed, named, several


@dataclass(frozen=True, slots=True)
class Version:
    """A version as wording sees it; people by name, not by key.

    `about` is what the act is about: of a sharing `user` and `role` (no user: a link), of a
    hand-over `user`, else the members of its event. `held` are the conflicts that were open before
    it, `conflicts` those that it opened or altered.
    """

    act: str
    by: str | None
    device: str | None = None
    changes: Sequence[Served] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    held: Sequence[Conflict] = ()
    conflicts: Sequence[Conflict] = ()


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody's saves on one device, without a long pause, and the paths that they changed."""

    by: str | None
    device: str | None
    saves: int
    paths: Sequence[str]
    acts: Sequence[str] = ()


_Saying: TypeAlias = Callable[[Version, Form, Places], str]
"""What somebody did, without who."""


def headline(version: Version, form: Form, places: Places) -> str:
    """The version in one line."""
    if version.act == "expired":
        return phrases.EXPIRED
    said = _SAID[version.act](version, form, places)
    held = {conflict["id"] for conflict in version.held}
    opened = [one for one in version.conflicts if one["id"] not in held]
    if opened:
        fields = _fields([path for one in opened for path in one["paths"]], places)
        said = phrases.CLASHED.format(did=said, fields=fields)
    return sentence(version.by, said)


def session_line(session: Session, places: Places) -> str:
    """Which fields somebody changed in a session, in how many saves, on which device."""
    if not session.paths and session.acts:
        done = listed([phrases.ACTS.get(act, act) for act in session.acts])
        return sentence(session.by, phrases.SESSION_OF_ACTS.format(done=done))
    template = phrases.SESSION if session.device is None else phrases.SESSION_ON
    said = template.format(
        fields=_fields(session.paths, places, most=2) or phrases.NO_FIELD,
        saves=counted(session.saves, phrases.SAVES),
        device=device(session.device),
    )
    return sentence(session.by, said)


def _fields(paths: Sequence[str], places: Places, most: int = 1) -> str:
    labels = [places.at(path).label for path in dict.fromkeys(paths)]
    return several(labels, most, phrases.OTHER_FIELDS)


def _changed(version: Version, places: Places) -> str:
    """What was changed: the one change, or the fields of several."""
    if len(version.changes) == 1:
        return did(version.changes[0], places)
    return phrases.CHANGED.format(field=_changed_fields(version, places))


def _changed_fields(version: Version, places: Places) -> str:
    labels = [place_of(change, places).label for change in version.changes]
    return several(labels, 1, phrases.OTHER_FIELDS)


def _begun(alone: str, with_fields: str) -> _Saying:
    def say(version: Version, _: Form, places: Places) -> str:
        fields = _changed_fields(version, places)
        return with_fields.format(fields=fields) if fields else alone

    return say


def _opened(version: Version, form: Form, places: Places) -> str:
    if version.about.get("from_template") is not None:
        return phrases.OPENED_FROM
    return _begun(phrases.OPENED, phrases.OPENED_WITH)(version, form, places)


def _forked(version: Version, _: Form, __: Places) -> str:
    return phrases.FORKED.format(version=version.about["forked_from"]["version"])


def _edited(version: Version, form: Form, places: Places) -> str:
    if version.changes:
        return _changed(version, places)
    step, completed = version.about.get("step"), version.about.get("completed_steps")
    if completed is None:
        return phrases.SAVED if step is None else phrases.WENT_TO.format(step=_step(form, step))
    done = _completed(version.about.get("steps_done", completed), version, form)
    if step is None:
        return done
    went = phrases.WENT_TO.format(step=_step(form, step))
    return phrases.AND.format(first=done, last=went)


def _completed(done: Sequence[str], version: Version, form: Form) -> str:
    """Which steps somebody marked as completed, or else as not completed any more."""
    undone = version.about.get("steps_undone", ())
    if not done and not undone:
        return phrases.COMPLETED_NONE
    steps = several([_step(form, step) for step in done or undone], 3, phrases.OTHERS)
    return (phrases.COMPLETED if done else phrases.REOPENED).format(steps=steps)


def _step(form: Form, wanted: str) -> str:
    label = next((step.label for step in form.steps if step.id == wanted), None)
    return cut(clean(label or ""), 40) or readable(wanted)


def _merged(version: Version, _: Form, places: Places) -> str:
    changed = _changed(version, places) if version.changes else phrases.NOTHING_NEW
    if version.about.get("imported") is not None:
        return phrases.TOOK_IN.format(did=changed)
    if version.about.get("fork") is not None:
        return phrases.MERGED_FORK.format(did=changed)
    if version.device is None:
        return phrases.MERGED.format(did=changed)
    return phrases.MERGED_FROM.format(device=device(version.device), did=changed)


def _restored(version: Version, _: Form, places: Places) -> str:
    number, paths = version.about["version"], version.about.get("paths")
    if paths is None:
        return phrases.RESTORED.format(version=number)
    fields = _fields(paths, places)
    if len(paths) == 1 and [change["op"] for change in version.changes] == ["replace"]:
        change, place = version.changes[0], place_of(version.changes[0], places)
        if not place.hidden:
            before, after = apart([change["before"], change["after"]], place.node)
            return phrases.RESTORED_VALUE.format(
                fields=place.label, version=number, before=before, after=after
            )
    return phrases.RESTORED_FIELDS.format(fields=fields, version=number)


def _undone(version: Version, _: Form, places: Places) -> str:
    first, last = version.about["version"], version.about["through"]
    template = phrases.UNDID if first == last else phrases.UNDID_RUN
    said = template.format(version=first, through=last)
    stayed = [
        reason.format(fields=_fields(paths, places))
        for outcome, reason in (
            ("superseded", phrases.SUPERSEDED),
            ("dependent", phrases.DEPENDENT),
        )
        if (paths := _with_outcome(version.about["outcomes"], outcome))
    ]
    return phrases.STAYED.format(did=said, reasons=phrases.REASONS.join(stayed)) if stayed else said


def _with_outcome(outcomes: Sequence[Mapping[str, str]], wanted: str) -> list[str]:
    return [one["path"] for one in outcomes if one["outcome"] == wanted]


def _resolved(version: Version, _: Form, places: Places) -> str:
    return settled(version.about["taken"], version.held, places)


def _labelled(version: Version, _: Form, __: Places) -> str:
    label = named(version.about["label"]) or phrases.EMPTY
    return phrases.LABELLED.format(version=version.about["version"], label=label)


def _unlabelled(version: Version, _: Form, __: Places) -> str:
    return phrases.UNLABELLED.format(version=version.about["version"])


def _shared(version: Version, _: Form, __: Places) -> str:
    user, role = version.about.get("user"), version.about["role"]
    if user is None:
        return phrases.SHARED_BY_LINK.format(role=role)
    return phrases.SHARED.format(whom=who(user), role=role)


def _unshared(version: Version, _: Form, __: Places) -> str:
    user = version.about.get("user")
    if user is None:
        return phrases.UNSHARED_LINK
    return phrases.LEFT if user == version.by else phrases.UNSHARED.format(whom=who(user))


def _handed_over(version: Version, _: Form, __: Places) -> str:
    return phrases.HANDED_OVER.format(whom=who(version.about["user"]))


def _just(said: str) -> _Saying:
    return lambda _, __, ___: said


_SAID: Final[dict[str, _Saying]] = {
    "opened": _opened,
    "imported": _begun(phrases.IMPORTED, phrases.IMPORTED_WITH),
    "edited": _edited,
    "merged": _merged,
    "restored": _restored,
    "undone": _undone,
    "resolved": _resolved,
    "labelled": _labelled,
    "unlabelled": _unlabelled,
    "forked": _forked,
    "shared": _shared,
    "unshared": _unshared,
    "handed_over": _handed_over,
    "made_template": _just(phrases.MADE_TEMPLATE),
    "unmade_template": _just(phrases.UNMADE_TEMPLATE),
    "extended": _just(phrases.EXTENDED),
    "submitted": _just(phrases.SUBMITTED),
    "discarded": _just(phrases.DISCARDED),
    "recovered": _just(phrases.RECOVERED),
}
