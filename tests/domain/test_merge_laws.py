"""The laws of merging, for random forms with random definitions and with none."""

from __future__ import annotations

import pytest
from hypothesis import given

from domain.form import Form, undefined
from domain.merge import merge
from domain.value import Data
from tests.domain.laws import check_laws
from tests.domain.strategies import (
    LAWS,
    MANY,
    THOUSANDS,
    Defined,
    defined_edits,
    definitions,
    edits,
    forms,
    gig_edits,
)


@given(edits(2))
@LAWS
def test_merging_keeps_its_laws_without_a_definition(three: tuple[Data, Data, Data]) -> None:
    check_laws(*three, undefined("any"))
    assert merge(*three) == merge(*three, undefined("any"))


@given(forms(8), forms(8), forms(8), definitions())
@LAWS
def test_merging_keeps_its_laws_for_any_forms(a: Data, b: Data, c: Data, form: Form) -> None:
    check_laws(a, b, c, form)


@given(defined_edits())
@LAWS
def test_merging_keeps_its_laws_with_a_definition_of_another_form(case: Defined) -> None:
    check_laws(case.data[0], case.data[1], case.data[2], case.form)


@given(gig_edits())
@LAWS
def test_merging_keeps_its_laws_with_a_definition_that_fits(case: Defined) -> None:
    check_laws(case.data[0], case.data[1], case.data[2], case.form)


@pytest.mark.long
@given(edits(2))
@THOUSANDS
def test_merging_keeps_its_laws_for_thousands_of_edits(three: tuple[Data, Data, Data]) -> None:
    check_laws(*three, undefined("any"))


@pytest.mark.long
@given(defined_edits())
@MANY
def test_merging_keeps_its_laws_for_thousands_of_definitions(case: Defined) -> None:
    check_laws(case.data[0], case.data[1], case.data[2], case.form)


@pytest.mark.long
@given(gig_edits())
@MANY
def test_merging_keeps_its_laws_for_thousands_of_gigs(case: Defined) -> None:
    check_laws(case.data[0], case.data[1], case.data[2], case.form)
