"""A form's values without those that its definition marks as sensitive."""

from __future__ import annotations

from domain.form import Form, Node
from domain.value import Data, Json


def without_sensitive(data: Data, form: Form) -> Data:
    """The data as somebody may take it along who is not its owner; the same if nothing is hidden.

    >>> form = Form(form="gig", fields={"/contact/phone": {"sensitive": True}})
    >>> without_sensitive({"fee": 1, "contact": {"name": "Zoë", "phone": "12"}}, form)
    {'fee': 1, 'contact': {'name': 'Zoë'}}
    """
    if next(form.sensitive, None) is None:
        return data
    return {name: _shown(value, below) for name, value, below in _members(data, form.root)}


def _shown(value: Json, node: Node) -> Json:
    if isinstance(value, dict):
        return {name: _shown(inner, below) for name, inner, below in _members(value, node)}
    if isinstance(value, list):
        places = ((item, node.below(str(place))) for place, item in enumerate(value))
        return [_shown(item, below) for item, below in places if not below.rule.sensitive]
    return value


def _members(value: Data, node: Node) -> list[tuple[str, Json, Node]]:
    members = [(name, inner, node.below(name)) for name, inner in value.items()]
    return [member for member in members if not member[2].rule.sensitive]
