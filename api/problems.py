"""The kinds of problems: the only place that knows the status codes of errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from domain import errors

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem; `members` are the error's attributes that its document shows."""

    status: int
    slug: str
    title: str
    meaning: str
    members: tuple[str, ...] = ()


NOT_FOUND = Kind(
    404,
    "not-found",
    "Not found",
    "There is nothing at this address, or nothing that you may see.",
)
METHOD_NOT_ALLOWED = Kind(
    405,
    "method-not-allowed",
    "Method not allowed",
    "The address exists but does not take this method; the Allow header names those it takes.",
)
INTERNAL = Kind(
    500,
    "internal-error",
    "Internal error",
    "Something went wrong that nobody foresaw. Whether anything was saved is not known: read the"
    " draft, or repeat the request with the same device and seq. The request id finds the cause"
    " in the service's log.",
)

KINDS: dict[type[BaseException], Kind] = {
    errors.BadJson: Kind(
        400,
        "bad-json",
        "Not acceptable as JSON",
        "The body is not JSON in UTF-8, or two readers could take it differently: a member twice,"
        " a number that loses digits or overflows, NaN, U+0000, half a surrogate pair. Nothing was"
        " changed. Long numbers can be sent as text.",
        ("errors",),
    ),
    errors.Invalid: Kind(
        422,
        "invalid",
        "Some members are wrong",
        "The request is well-formed, but not all of it can be taken; nothing was changed. Each"
        " entry of errors has a pointer and a sentence. The pointer is a JSON Pointer into the"
        " body, or ?name for a query parameter, {name} for a part of the path, or a header's name.",
        ("errors",),
    ),
    errors.CannotApply: Kind(
        422,
        "cannot-apply",
        "A change does not fit",
        "A change does not fit the data that it is based on: it removes what is not there, or a"
        " test fails. Nothing was changed. index counts the changes from 0, path is the path of"
        " that change.",
        ("index", "path"),
    ),
    errors.NotItsFork: Kind(
        422,
        "not-its-fork",
        "Not a fork of this draft",
        "Only a draft that was forked from this one can be merged into it; nothing was changed.",
    ),
    errors.TooLarge: Kind(
        413,
        "too-large",
        "Body too large",
        "The body is over the limit in bytes that the member limit names; nothing was changed."
        " Send the changes only instead of the whole form, or several smaller edits.",
        ("limit",),
    ),
    errors.UnsupportedMediaType: Kind(
        415,
        "unsupported-media-type",
        "Media type not supported",
        "The body's Content-Type is not among those listed in accepted, or it names a charset other"
        " than UTF-8. Nothing was changed.",
        ("accepted",),
    ),
    errors.Unauthenticated: Kind(
        401,
        "unauthenticated",
        "Not signed in",
        "There was no token, or it does not hold: it has expired, is for somebody else, or was"
        " altered. Get a new one and repeat the request; nothing was changed, and nothing on the"
        " device needs to be given up.",
    ),
    errors.Forbidden: Kind(
        403,
        "forbidden",
        "Beyond your role",
        "You may see this, but your role does not reach that far: on a draft, ask its owner; the"
        " definition of a form is an admin's to send.",
    ),
    errors.NotFound: NOT_FOUND,
    errors.DraftNotFound: Kind(
        404,
        "draft-not-found",
        "No such draft",
        "There is no such draft, or it is not yours: the two look the same on purpose.",
    ),
    errors.VersionNotFound: Kind(
        404,
        "version-not-found",
        "No such version",
        "The draft has no such version, or had none yet at that moment. last_version is its"
        " newest.",
        ("last_version",),
    ),
    errors.FormNotFound: Kind(
        404,
        "form-not-found",
        "No such form definition",
        "Nobody has defined this form. Its drafts can be used all the same, and merge by the"
        " defaults; an admin can send a definition.",
    ),
    errors.ConflictNotFound: Kind(
        404,
        "conflict-not-found",
        "No such conflict",
        "The draft never had a conflict with this id; its open ones are in the draft.",
        ("conflict",),
    ),
    errors.DraftClosed: Kind(
        409,
        "draft-closed",
        "The draft is closed",
        "A submitted, discarded or expired draft takes no edits; draft_status says which it is."
        " Recover it if it lies in the trash, or fork it to go on from where it was.",
        ("draft_status",),
    ),
    errors.DraftOpen: Kind(
        409,
        "draft-open",
        "The draft is open",
        "Only what lies in the trash, or was submitted, can be purged, for a purge cannot be taken"
        " back. Discard the draft first; nothing was changed.",
    ),
    errors.Clash: Kind(
        409,
        "clash",
        "Both sides changed the same",
        "Somebody else changed the same since the version that your edit is based on. Every clash"
        " is listed in conflicts with both values; nothing was changed. Choose, and send your"
        " choice based on the newest version.",
        ("conflicts",),
    ),
    errors.ConflictClosed: Kind(
        409,
        "conflict-closed",
        "The conflict is closed",
        "Somebody settled this conflict before, or a later edit, restore or undo wrote to its path."
        " Nothing was changed. conflict is its id; the history shows how it was closed.",
        ("conflict",),
    ),
    errors.SeqReused: Kind(
        409,
        "seq-reused",
        "The seq was used for another request",
        "This device sent another request under this seq before, and that one was recorded."
        " Send this one again with a seq above last_seq.",
        ("last_seq",),
    ),
    errors.SeqSkipped: Kind(
        409,
        "seq-skipped",
        "The seq lies below the last",
        "This device's last seq is higher, and this one was never recorded."
        " Send the request again with a seq above last_seq.",
        ("last_seq",),
    ),
    errors.IdTaken: Kind(
        409,
        "id-taken",
        "The id is taken",
        "The id that you chose belongs to another draft. Choose a new random UUID.",
    ),
    errors.SlotTaken: Kind(
        409,
        "slot-taken",
        "Another open draft is there",
        "There is one open draft per owner, form and subject, and another one holds that place;"
        " the member draft is its id. Finish or discard that one first.",
        ("draft",),
    ),
    errors.DraftPurged: Kind(
        410,
        "draft-purged",
        "The draft was purged",
        "This draft was yours, and was ended for good; nothing of its content is left. tombstone"
        " says when and by whom, how many versions it had and the last link of its chain. Drop"
        " your local copy.",
        ("tombstone",),
    ),
    errors.VersionMismatch: Kind(
        412,
        "version-mismatch",
        "The draft has moved on",
        "If-Match named another version than the draft's, which is in the member version."
        " Nothing was changed. Fetch the draft, look at what is new, and save again.",
        ("version",),
    ),
    errors.Busy: Kind(
        503,
        "busy",
        "Too busy",
        "The draft, or the service, has too much waiting. Nothing is wrong with the request:"
        " repeat it after the seconds in Retry-After, with the same device and seq.",
    ),
    errors.RateExceeded: Kind(
        429,
        "rate-exceeded",
        "Too many requests",
        "There is a limit to how often one user, share link, API key or address may ask. Nothing is"
        " wrong with the request: repeat it after the seconds in Retry-After, with the same device"
        " and seq; many small edits fit into one request, or into one edit.",
    ),
    errors.TooManyStreams: Kind(
        429,
        "too-many-streams",
        "Too many streams",
        "There is a limit to how many event streams one caller may have open in one process. Close"
        " one that nobody looks at, or go on without: a draft can be fetched at any time.",
        ("limit",),
    ),
    errors.IssuerUnavailable: Kind(
        503,
        "issuer-unavailable",
        "Token not checkable",
        "The service that issued the token does not answer, and the key that signed the token is"
        " not known here. The token may well hold: keep it, and repeat the request after the"
        " seconds in Retry-After, with the same device and seq.",
    ),
    errors.StoreUnavailable: Kind(
        503,
        "store-unavailable",
        "Storage not reachable",
        "The database cannot be reached. Nothing is wrong with the request: repeat it after the"
        " seconds in Retry-After, with the same device and seq.",
    ),
}

PAGES: dict[str, Kind] = {
    kind.slug: kind for kind in (*KINDS.values(), METHOD_NOT_ALLOWED, INTERNAL)
}


def kind_of(error: BaseException) -> Kind:
    """What kind of problem an error is: that of its class or nearest base, else `INTERNAL`."""
    return next((KINDS[c] for c in type(error).__mro__ if c in KINDS), INTERNAL)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these statuses, for the OpenAPI."""
    return {status: _response(status) for status in statuses}


def _response(status: int) -> dict[str, Any]:
    kinds = [kind for kind in PAGES.values() if kind.status == status]
    return {
        "description": "; ".join(f"{kind.title} (`{kind.slug}`)" for kind in kinds),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
