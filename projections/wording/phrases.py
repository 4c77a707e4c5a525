"""Every English word of the sentences; another language would be another such file."""

from __future__ import annotations

from typing import Final

# -- who

SOMEBODY: Final = "somebody"
SOMEBODY_BY_LINK: Final = "somebody with a link"
OWNED: Final = "{name}'s"

# -- values

NOTHING: Final = "nothing"
EMPTY: Final = "empty"
EMPTY_LIST: Final = "an empty list"
YES: Final = "yes"
NO: Final = "no"
HIDDEN: Final = "a hidden value"
QUOTED: Final = "'{text}'"
COUNTED_TEXT: Final = "'{text}' ({words})"
AND: Final = "{first} and {last}"
OR: Final = "{first} or {last}"
OR_ELSE: Final = "{first}, or {last}"
COMMA: Final = ", "
WORDS: Final = ("1 word", "{n} words")
MANY_WORDS: Final = "over {words}"
FIELDS: Final = ("1 field", "{n} fields")
ITEMS: Final = ("1 item", "{n} items")
OTHERS: Final = ("1 other", "{n} others")
OTHER_FIELDS: Final = ("1 other field", "{n} other fields")
SYMBOLS: Final = {"EUR": "€", "GBP": "£", "USD": "$"}
AMOUNT: Final = "{sign}{symbol}{amount}"
AMOUNT_BY_CODE: Final = "{sign}{amount} {code}"
MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
DAY: Final = "{day} {month} {year}"
MOMENT: Final = "{day}, {time}"
ZONED: Final = "{time} {zone}"
UTC: Final = "UTC"

# -- places

WHOLE_FORM: Final = "the form"
UNNAMED: Final = "a field without a name"
ITEM: Final = "item"
NUMBERED: Final = "{noun} {n}"
SOME_ITEM: Final = "an item"
NAMED: Final = "{noun} {name}"
OF: Final = "{part} of {whole}"
IN: Final = "{item} in {items}"

# -- changes: what somebody did; who did it goes before

SENTENCE: Final = "{by} {did}"
CHANGED: Final = "changed {field}"
CHANGED_FROM: Final = "changed {field} from {before} to {after}"
CHANGED_IN: Final = "changed {before} to {after} in {field}"
CHANGED_PLACES: Final = "changed {field} in {n} places"
CHANGED_PLACES_COUNTED: Final = "changed {field} in {n} places: {counts}"
EMPTIED: Final = "emptied {field} (was {before})"
RESPACED: Final = "changed the spacing of {field}"
SET: Final = "set {field} to {after}"
ADDED: Final = "added {field}: {after}"
REMOVED: Final = "removed {field} (was {before})"
ADDED_TO: Final = "added {what} to {field}"
REMOVED_FROM: Final = "removed {what} from {field}"
MOVED: Final = "moved {item} within {items}"
MOVED_UP: Final = "moved {item} up in {items}, before {other}"
MOVED_DOWN: Final = "moved {item} down in {items}, after {other}"
ADDED_COUNT: Final = "{words} added"
REMOVED_COUNT: Final = "{words} removed"

# -- versions

OPENED: Final = "opened the draft"
OPENED_WITH: Final = "opened the draft with {fields}"
IMPORTED: Final = "imported the draft"
IMPORTED_WITH: Final = "imported the draft with {fields}"
OPENED_FROM: Final = "started the draft from a template"
MADE_TEMPLATE: Final = "made the draft a template"
UNMADE_TEMPLATE: Final = "made the template a draft again"
FORKED: Final = "started this draft from version {version} of another"
WENT_TO: Final = "went to the step {step}"
COMPLETED: Final = "marked as completed: {steps}"
REOPENED: Final = "marked as not completed any more: {steps}"
COMPLETED_NONE: Final = "marked no step as completed"
SAVED: Final = "saved, and nothing changed"
MERGED: Final = "merged edits: {did}"
MERGED_FROM: Final = "merged edits from {device}: {did}"
TOOK_IN: Final = "imported what lay in a browser: {did}"
MERGED_FORK: Final = "merged a fork: {did}"
NOTHING_NEW: Final = "nothing was new"
CLASHED: Final = "{did}; waiting for a decision: {fields}"
RESTORED: Final = "restored version {version}"
RESTORED_FIELDS: Final = "restored {fields} from version {version}"
RESTORED_VALUE: Final = "restored {fields} from version {version}: {before} to {after}"
UNDID: Final = "undid version {version}"
UNDID_RUN: Final = "undid versions {version} to {through}"
STAYED: Final = "{did} ({reasons})"
SUPERSEDED: Final = "{fields} stayed, changed again since"
DEPENDENT: Final = "{fields} stayed, its place is gone"
REASONS: Final = "; "
RESOLVED: Final = "settled the conflict on {field}"
RESOLVED_TOOK: Final = "settled the conflict on {field}: took {value} ({whose})"
RESOLVED_SEVERAL: Final = "settled {conflicts}: {fields}"
RESOLVED_SOME: Final = "settled {conflicts}"
CONFLICTS: Final = ("a conflict", "{n} conflicts")
AS_BEFORE: Final = "as before"
NEW_VALUE: Final = "a new value"
LABELLED: Final = "named version {version} {label}"
UNLABELLED: Final = "took the name off version {version}"
SHARED: Final = "shared the draft with {whom} as {role}"
SHARED_BY_LINK: Final = "shared the draft by a link as {role}"
UNSHARED: Final = "stopped sharing the draft with {whom}"
LEFT: Final = "left the draft"
UNSHARED_LINK: Final = "took a link to the draft back"
HANDED_OVER: Final = "handed the draft over to {whom}"
EXTENDED: Final = "put off the expiry of the draft"
SUBMITTED: Final = "submitted the draft"
DISCARDED: Final = "moved the draft to the trash"
EXPIRED: Final = "The service moved the draft to the trash: it had expired"
RECOVERED: Final = "took the draft out of the trash"

# -- lines of an audit, and who wrote a value

BY_ACT: Final = "{did} ({how})"
BY_MERGE: Final = "merged"
BY_MERGE_FROM: Final = "merged from {device}"
BY_MERGE_OF_FORK: Final = "merged from a fork"
BY_DECISION: Final = "settled a conflict"
BLAMED: Final = "{by} set {field} in version {version}"
ENDED: Final = "{said} until {by} changed it in version {version}"
FIRST: Final = "{said}; first written by {by} in version {version}"
FIRST_ELSEWHERE: Final = "{said}; first written by {by} in version {version} of another draft"

# -- sessions

SESSION: Final = "changed {fields} in {saves}"
SESSION_OF_ACTS: Final = "{done} the draft"
ACTS: Final = {
    "made_template": "made a template of",
    "unmade_template": "took the template back to",
    "handed_over": "handed over",
}
SESSION_ON: Final = "changed {fields} in {saves} on {device}"
NO_FIELD: Final = "nothing"
SAVES: Final = ("1 save", "{n} saves")

# -- conflicts

CLASH: Final = "{theirs} edit of {field} clashed with {ours}"
CLASH_OF_ONE: Final = "{theirs} edit of {field} on {device} clashed with the one on {other}"
CLASH_OF_MANY: Final = "{theirs} edits of {field} clashed with {ours}"
CLASH_VALUES: Final = "{clash}: {values}"
A_DEVICE: Final = "another device"

# -- what a form asks for

MISSING: Final = "{field} is missing"
UNFIT: Final = "{field} is not as the form asks"
ASKED: Final = "{field} {asked}"
MUST_BE: Final = "must be {what}"
KINDS: Final = {
    "array": "a list",
    "boolean": "yes or no",
    "integer": "a whole number",
    "null": "nothing",
    "number": "a number",
    "object": "a group of fields",
    "string": "a text",
}
WRITTEN_AS: Final = "must be written like {example}"
WRITTEN_OTHERWISE: Final = "is not written as the form asks"
EXAMPLES: Final = {"date": "2026-11-22", "time": "20:30", "datetime": "2026-11-22T20:30:00Z"}
NOT_BELOW: Final = "must be {what} or more"
NOT_ABOVE: Final = "must be {what} or less"
ABOVE: Final = "must be more than {what}"
BELOW: Final = "must be less than {what}"
MULTIPLE: Final = "must be a multiple of {what}"
CHARACTERS: Final = ("1 character", "{n} characters")
NOT_EMPTY: Final = "is empty"
AT_LEAST: Final = "must have at least {what}"
AT_MOST: Final = "must have at most {what}"
NOT_TWICE: Final = "must not have the same item twice"
