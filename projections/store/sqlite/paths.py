"""How a path is looked for among versions on SQLite."""

from __future__ import annotations

from typing import Any

import orjson

from projections.inside import Inside, steps

# What the thin row does not tell stands in the event; that is looked into where it may say something.
INSIDE = """
    CASE WHEN v.version = 1 OR EXISTS (
        SELECT 1 FROM json_each(:above) a WHERE instr(:newline || v.paths || :newline, :newline || a.value || :newline))
    THEN coalesce((SELECT altered_inside(e.state, :path, :inside) FROM stored_events e
                   WHERE e.originator_id = v.draft AND e.originator_version = v.version), 0)
    ELSE 0 END
"""
WITHIN = (
    "(instr(:newline || v.paths || :newline, :newline || :path || :newline) > 0 "
    f"OR instr(:newline || v.paths, :newline || :path || '/') > 0 OR {INSIDE} > 0)"
)


def sought(path: str | None, inside: Inside) -> dict[str, Any]:
    """The arguments of both besides the path; nothing for no path."""
    if path is None:
        return {}
    above = steps(path, inside.depth).above
    return {"inside": _json([inside.names, inside.depth]), "above": _json(above)}


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
