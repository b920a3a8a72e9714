"""The page about a document shows all of it, and why each paragraph stays or goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

import declutter
from declutter.writers.explain_page import write_explain_page
from tests.test_document import made_text

HOSTILE = "</span></summary><script>alert(1)</script><img src=x onerror=alert(2)>\n<b>One</b> & two.\n"


def page_of(document) -> html.HtmlElement:
    return html.fromstring("".join(write_explain_page(document)))


def shown(page) -> str:
    return "".join(element.text_content() for element in page.cssselect("main .gap, main .text"))


@given(st.text(st.sampled_from("ab<>&\"' \t\n\r\u2028市🙂"), max_size=60), st.text("CAS", min_size=60, max_size=60))
def test_nothing_of_a_text_is_lost(text, letters):
    document = made_text(text, letters[: len(made_text(text, "").source.texts)])
    assert shown(page_of(document)) == text


@pytest.fixture(scope="module")
def page(root):
    return page_of(declutter.label(root / "tests/cases/harbour-lantern.txt"))


def test_what_is_stripped_is_struck_out_and_explained(page, root):
    lines = (root / "tests/cases/harbour-lantern.txt").read_text(encoding="utf-8").splitlines()
    paragraphs = page.cssselect("main details")
    assert [paragraph.cssselect(".text")[0].text for paragraph in paragraphs] == lines
    assert [paragraph.get("class").split()[:2] for paragraph in paragraphs] == [["p", "content"]] * 4 + [
        ["p", "appeal"]
    ] * 6
    assert ["gone" in paragraph.get("class") for paragraph in paragraphs] == [False] * 4 + [True] * 6
    facts = {term.text: term.getnext().text_content() for term in paragraphs[-1].cssselect("dt")}
    assert facts["is"].startswith("appeal, with a probability of 0.")
    assert facts["goes"] == "by its kind"
    text = (root / "tests/cases/harbour-lantern.txt").read_text(encoding="utf-8")
    assert facts["stands at"] == f"characters {text.index('Not now')} to {text.index('Not now') + 7}"
    assert 1 <= len(paragraphs[-1].cssselect("dd li")) <= 6
    assert paragraphs[-1].cssselect("summary")[0].get("title")


def test_it_sums_up_and_offers_a_choice_of_every_kind(page):
    assert page.cssselect("header p")[0].text.startswith("10 paragraphs, 4 kept, ")
    boxes = [box.get("id") for box in page.cssselect("input[type=checkbox]")]
    assert boxes == ["show-content", "show-appeal"]
    assert [box.get("id") for box in page.cssselect("input[type=radio]")] == ["all", "kept", "stripped", "doubt"]
    assert not page.cssselect("script")


def test_a_page_is_shown_with_where_its_paragraphs_stand(root):
    document = declutter.label(root / "tests/cases/ferry.html", drop="headline", keep_phrases=["retires"])
    page = page_of(document)
    assert page.cssselect("h1")[0].text == document.title
    assert page.cssselect("dl dt")[-1].text == "stands in"
    assert [code.text for code in page.cssselect("dd code")] == [paragraph.path for paragraph in document]
    kept = [paragraph.forced for paragraph in document if paragraph.forced]
    assert kept
    assert all(f"stays{reason}" in page.text_content() for reason in kept)


def test_hostile_text_is_shown_and_not_run(labeller):
    page = page_of(labeller.label(HOSTILE, "text"))
    assert shown(page) == HOSTILE
    assert not page.cssselect("script, img, b")


def test_notes_and_hints_are_said(labeller):
    noted = declutter.label("Subscribe to our newsletter\n" * 8, "text", keep="content", budget=0.5)
    listed = [item.text for item in page_of(noted).cssselect(".notes li")]
    assert listed[: len(noted.notes)] == noted.notes
    assert "Less than a tenth of the characters is article." in listed


@pytest.mark.parametrize("text", ["", " \n\n"])
def test_a_text_without_paragraphs_has_a_page(labeller, text):
    page = page_of(labeller.label(text, "text"))
    assert shown(page) == text
    assert page.cssselect("header p")[0].text.startswith("0 paragraphs")
