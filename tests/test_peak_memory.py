"""How much memory a page takes at most, counted as what Python and numpy allocate: the same on every machine."""

import tracemalloc

import pytest

TIMES = 8  # the page's size
WORK_SPACE = 2_000_000  # bytes; small pages take it too

PARAGRAPH = (
    '<div class="article-body__element article-body__element--paragraph" data-component="text-block" data-index="{0}">'
    '<p class="paragraph paragraph--standard" id="p-{0}">The harbour council met for the {0}th time and spoke about the crane, '
    'the <a href="https://example.org/harbour/topics/lock-gates?from=article&amp;position={0}" class="link link--inline" '
    'data-track="inline-link">lock gates</a> and the ferry to the island.</p></div>\n'
)
TEASER = (
    '<div class="teaser teaser--small" data-track-id="teaser-{0}"><a class="teaser__link" '
    'href="https://example.org/harbour/news/2026/a-longer-address-of-a-story-that-nobody-reads-{0}.html">'
    '<img class="teaser__image lazy" data-src="https://images.example.org/w_320,h_180,q_60/harbour-{0}.jpg" width="320" height="180" '
    'alt=""><span class="teaser__title">Third lock gate arrives by barge</span></a></div>\n'
)


def ordinary(size):
    """A page of some bytes with menus, teasers and an article, dense in markup as pages of newspapers are."""
    part = PARAGRAPH.format(7) + TEASER.format(7) * 2
    count = size // len(part) + 1
    body = "".join(PARAGRAPH.format(i) + TEASER.format(i) + TEASER.format(-i) for i in range(count))
    return f"<html><head><title>Harbour</title></head><body><h1>Harbour</h1>{body}</body></html>".encode()


def peak(labeller, page):
    """Bytes that cleaning a page allocates at most, beyond what there was before."""
    tracemalloc.start()
    try:
        labeller.clean(page, "html")
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module", autouse=True)
def warmed_up(labeller):
    """Tables that are made once and kept are no part of what a page takes."""
    labeller.clean(ordinary(200_000), "html")


@pytest.mark.parametrize("size", [1_000, 30_000, 100_000, 1_000_000])
def test_an_ordinary_page_takes_eight_times_its_size_at_most_and_some_work_space(labeller, size):
    page = ordinary(size)
    assert peak(labeller, page) <= TIMES * len(page) + WORK_SPACE


@pytest.mark.parametrize(
    "page",
    [
        b"<p>One short paragraph of a page.</p><script>" + b"let a = 1;\n" * 100_000 + b"</script>",
        b"<p>One short paragraph of a page.</p>" + b"<!-- a comment -->" * 60_000,
        b"<p>One short paragraph of a page.</p>" + b"<span class='empty'></span>" * 40_000,
    ],
    ids=["script", "comments", "empty tags"],
)
def test_what_holds_no_text_takes_next_to_nothing(labeller, page):
    assert peak(labeller, page) <= 3 * len(page) + WORK_SPACE


@pytest.mark.parametrize(
    "page",
    [
        lambda count: b"<p>a" * count,
        lambda count: b"a<br>" * count,
        lambda count: b"<div>" * count + b"A word or two.",
        lambda count: b"<div><p>A word or two." * count,
        lambda count: b"<p>" + b"word " * 10 * count,
        lambda count: b"<p>" + "海港".encode() * 10 * count,
    ],
    ids=["paragraphs of a letter", "line breaks", "deep", "deep with text", "one text", "one text without spaces"],
)
def test_memory_grows_no_faster_than_the_page(labeller, page):
    assert peak(labeller, page(20_000)) <= 2.3 * peak(labeller, page(10_000)) + WORK_SPACE
