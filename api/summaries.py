"""A draft in short: its line on the drafts page, and the report on what it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import orjson

from domain.draft import Draft
from domain.form import Form
from domain.steps import filled, resume, unfinished
from projections.completeness import Completeness

_NOWHERE = (None, None)


def summary(line: Mapping[str, Any], form: Form, names: Mapping[str, str]) -> dict[str, Any]:
    """A line of the drafts page, with names, and what the form's definition calls its step."""
    owner = names[line["owner"]]
    number, label = form.places.get(line["step"], _NOWHERE)
    shown = {
        "id": line["draft"],
        **line,
        "owner": owner,
        "saved_by": names[line["saved_by"]],
        "step_label": label,
        "step_number": number,
        "steps": len(form.steps) or None,
        "completed_steps": orjson.Fragment(line["completed_steps"]),
        "resume": line["step"] if number else _resume(line, form),
        "forked_from": _lineage(line["forked_from"]),
        "from_template": _lineage(line["from_template"]),
        "shared_by": None if line["role"] == "owner" else owner,
    }
    del shown["draft"], shown["sort_key"]
    return shown


def _resume(line: Mapping[str, Any], form: Form) -> str | None:
    """Where to go on if no step is recorded: as was found when the draft was quiet last."""
    completed = orjson.loads(line["completed_steps"])
    found = line["resume"] or next(iter(unfinished(form, completed)), None)
    return resume(form, line["step"], () if found is None else (found,))


def _lineage(source: str | None) -> orjson.Fragment | None:
    """JSON as it was stored, put into the answer as it is."""
    return orjson.Fragment(source) if source else None


def completeness_answer(
    report: Completeness, form: Form, draft: Draft, names: Mapping[str, str]
) -> dict[str, Any]:
    """The report, with what was marked as completed when and by whom, and where to go on."""
    lacking = [step.id for step in report.steps if step.complete is False]
    known = report.complete is not None
    incomplete = lacking if known else unfinished(form, draft.completed_steps)
    steps = [asdict(step) for step in report.steps]
    ids = {step.id for step in report.steps}
    steps += [{"id": s, "label": None, "complete": None} for s in draft.steps_done if s not in ids]
    return {
        **asdict(report),
        **asdict(filled(form, draft.data)),
        "steps": [{**step, **_done(draft, step["id"], names)} for step in steps],
        "step": draft.step,
        "resume": resume(form, draft.step, incomplete),
    }


def _done(draft: Draft, step: str, names: Mapping[str, str]) -> dict[str, Any]:
    """Whether, when, by whom and in which version a step was marked as completed."""
    done = draft.steps_done.get(step)
    if done is None:
        return {"completed": False, "done_at": None, "done_by": None, "done_in": None}
    by, at = names[done["by"]], done["at"]
    return {"completed": True, "done_at": at, "done_by": by, "done_in": done["version"]}
