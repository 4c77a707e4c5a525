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

_INTERNAL = ("draft", "sort_key", "resume")


def summary(line: Mapping[str, Any], form: Form, names: Mapping[str, str]) -> dict[str, Any]:
    """A line of the drafts page, with names, and what the form's definition calls its step."""
    shown = {name: value for name, value in line.items() if name not in _INTERNAL}
    completed = orjson.loads(line["completed_steps"])
    unrested = line["resume"] or next(iter(unfinished(form, completed)), None)
    owner = names[line["owner"]]
    return {
        "id": line["draft"],
        **shown,
        "owner": owner,
        "saved_by": names[line["saved_by"]],
        **_step(form, line["step"]),
        "completed_steps": completed,
        "resume": resume(form, line["step"], () if unrested is None else (unrested,)),
        "forked_from": _lineage(line["forked_from"]),
        "from_template": _lineage(line["from_template"]),
        "shared_by": None if line["role"] == "owner" else owner,
    }


def _step(form: Form, step: str | None) -> dict[str, Any]:
    """What a step is called, and that it is number `n` of `steps`; nothing if it is not known."""
    ids = [one.id for one in form.steps]
    known = step in ids
    return {
        "step_label": form.steps[ids.index(step)].label if known and step else None,
        "step_number": ids.index(step) + 1 if known and step else None,
        "steps": len(ids) or None,
    }


def _lineage(source: str | None) -> Any:
    return orjson.loads(source) if source else None


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
