"""Pages without an article (login walls, error pages, robot checks, consent walls, age gates, bare lists) and short articles.

Every page under cases/no-article and cases/short-article was written for this project. How many are judged right is a floor, not
a list, because it is the classifier that judges; what must hold of every page is tested of every page.
"""

from pathlib import Path

import pytest

import declutter

CASES = Path(__file__).parent / "cases"
NO_ARTICLE = sorted((CASES / "no-article").glob("*.html"))
SHORT_ARTICLE = sorted((CASES / "short-article").glob("*.html"))


def paragraphs(path):
    """Everything on a page, in order."""
    return declutter.clean(path, threshold=0).split("\n\n")


def test_pages_without_an_article_have_no_text(labeller):
    with_text = [path.stem for path in NO_ARTICLE if labeller.clean(path)]
    assert len(NO_ARTICLE) == 50
    assert len(with_text) <= 3, with_text


def test_short_articles_survive(labeller):
    lost = [path.stem for path in SHORT_ARTICLE if max(paragraphs(path), key=len) not in labeller.clean(path)]
    assert len(SHORT_ARTICLE) == 21
    assert len(lost) <= 2, lost


@pytest.mark.parametrize("path", NO_ARTICLE + SHORT_ARTICLE, ids=lambda path: path.stem)
def test_a_page_is_notices_throughout_or_has_text(labeller, path):
    document = labeller.label(path)
    assert [paragraph.text for paragraph in document] == paragraphs(path)
    if not document.text:
        assert document.mostly_notice
        assert document.removed == list(document)
        assert document.notes == ["the page holds no article: all of it is notices"]
    else:
        assert document.notes == []


def test_the_archive_preset_never_empties_a_page_that_reading_does_not():
    reading, archive = declutter.Declutter(), declutter.Declutter(preset="archive")
    for path in NO_ARTICLE + SHORT_ARTICLE:
        assert archive.clean(path) or not reading.clean(path)


def test_a_threshold_and_a_phrase_overrule_it():
    page = CASES / "no-article" / "not-found-en.html"
    assert declutter.clean(page) == ""
    assert declutter.clean(page, threshold=0.3)
    assert declutter.clean(page, keep_phrases="does not exist") == (
        "Sorry, the page you are looking for does not exist or has been moved."
    )
