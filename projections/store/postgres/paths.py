"""How a path is looked for among versions on PostgreSQL."""

from __future__ import annotations

from typing import Any, LiteralString

from projections.inside import Inside, steps

# What the thin row does not tell stands in the event; that is looked into where it may say something.
INSIDE: LiteralString = """
    CASE WHEN v.version = 1 OR string_to_array(v.paths, E'\\n') && %(above)s::text[]
    THEN coalesce((SELECT altered_inside(e.state, %(above)s::text[], %(tokens)s::text[], %(names)s::text[])
                   FROM stored_events e
                   WHERE e.originator_id = v.draft AND e.originator_version = v.version), 0)
    ELSE 0 END
"""
WITHIN: LiteralString = f"(E'\\n' || v.paths || E'\\n' ~ %(path)s OR {INSIDE} > 0)"


def sought(path: str | None, inside: Inside) -> dict[str, Any]:
    """The arguments of both; nothing for no path."""
    if path is None:
        return {}
    way = steps(path, inside.depth)
    lists = {"above": way.above, "tokens": way.tokens, "names": inside.names}
    literal = "".join(c if c.isalnum() else f"\\{c}" for c in path)
    return {"path": f"\n{literal}[/\n]"} | {name: list(values) for name, values in lists.items()}
