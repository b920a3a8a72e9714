"""The table of kinds and the names users type."""

import pytest

from declutter.errors import UsageError
from declutter.kinds import KINDS, LETTERS, NOTICES, SCORED, Kind, kinds_table, parse_kinds


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("appeal", {Kind.APPEAL}),
        ("appeal,paywall", {Kind.APPEAL, Kind.PAYWALL}),
        (" Content , HEADLINE ", {Kind.CONTENT, Kind.HEADLINE}),
        (["legal", Kind.LEGAL, Kind.ADVERT], {Kind.LEGAL, Kind.ADVERT}),
        ((kind.value for kind in Kind), set(Kind)),
        (Kind.CAPTION, {Kind.CAPTION}),
        ([], set()),
    ],
)
def test_kinds_are_parsed_from_one_string_or_from_names(names, expected):
    assert parse_kinds(names) == expected


@pytest.mark.parametrize("names", ["", "content,", "adverts", ["content", "ads"], [None], [3]])
def test_an_unknown_kind_is_refused_with_the_list_of_kinds(names):
    with pytest.raises(UsageError, match="unknown kind") as caught:
        parse_kinds(names)
    assert all(kind.value in str(caught.value) for kind in Kind)


def test_every_kind_has_one_row_and_a_letter_of_its_own():
    assert [row.kind for row in KINDS] == list(Kind)
    assert len(LETTERS) == len(KINDS)


def test_article_headline_caption_and_byline_are_no_notices():
    assert set(Kind) - NOTICES == {Kind.CONTENT, Kind.HEADLINE, Kind.CAPTION, Kind.BYLINE}


def test_the_classifier_scores_content_first_and_every_kind_but_the_headline():
    assert SCORED[0] is Kind.CONTENT
    assert set(Kind) - set(SCORED) == {Kind.HEADLINE}


def test_a_kind_is_written_as_its_name():
    assert f"{Kind.APPEAL}" == str(Kind.APPEAL) == Kind.APPEAL == "appeal"


def test_the_markdown_table_has_a_row_of_three_cells_for_every_kind():
    header, rule, *rows = kinds_table().splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in (header, rule, *rows)]
    assert {len(row) for row in cells} == {3}
    assert [row[0] for row in cells[2:]] == [f"`{kind}`" for kind in Kind]
    assert [row[0] for row in cells[2:] if row[2] == "kept"] == ["`content`", "`headline`"]


def test_a_kind_is_found_by_its_value_in_sets_and_tables():
    assert "paywall" in {Kind.PAYWALL}
    assert {"paywall": 1}[Kind.PAYWALL] == 1
