"""The pages in a real browser: they ask for nothing, complain of nothing, run nothing of what they show, and their choices work."""

import json

import pytest

import declutter
from declutter.archive import report_page
from declutter.writers import WRITERS

ATTACKS = (
    "<script>alert('text')</script>",
    "<img src=x onerror=alert('image')>",
    "</span></summary></details></main><script src='https://example.org/x.js'></script>",
    "\"><svg onload=alert('svg')>",
    "<style>@import 'https://example.org/x.css'; body { display: none }</style>",
)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The page about a run over hostile texts of hostile sites."""
    from declutter.archive import clean_archive
    from declutter.archive.engines import ENGINES

    folder = tmp_path_factory.mktemp("run")
    records = [
        {"url": f"https://{'abc'[n % 3]}.org/{attack}", "text": f"The council met on Monday.\nShare this {attack}\n{n}"}
        for n, attack in enumerate(ATTACKS * 3)
    ]
    records += [{"url": f"https://{attack}/", "text": f"Share this {attack}"} for attack in ATTACKS]
    records += [{"url": "https://zzz.org", "text": "Share this"}] * 20
    broken = [f'{{"text": [], "url": {json.dumps(attack)}}}' for attack in ATTACKS]
    (folder / "<script>alert('file')<").mkdir()
    (folder / "<script>alert('file')</in.jsonl").write_text("\n".join([*map(json.dumps, records), *broken]))
    local = ENGINES["local"]
    ENGINES["local"] = lambda work, shards, workers: ((shard, work(shard)) for shard in shards)
    try:
        clean_archive(folder / "<script>alert('file')<", folder / "<b>out", threshold=0.0, drop_phrases=["share this"])
    finally:
        ENGINES["local"] = local
    return report_page(folder / "<b>out")


@pytest.fixture(scope="module")
def explained():
    """The page about a hostile text."""
    text = "\n".join(["The council met on Monday.", *ATTACKS, *(f"Share this {attack}" for attack in ATTACKS)])
    document = declutter.label(text, "text", threshold=0.0, drop_phrases=["share this"], keep_phrases=["council"])
    document.notes.append(ATTACKS[0])
    return "".join(WRITERS["explain"](document))


@pytest.mark.parametrize("name", ["report", "explained"])
@pytest.mark.parametrize("options", [{}, {"dark": True}, {"width": 390}], ids=repr)
def test_a_page_loads_nothing_complains_of_nothing_and_runs_no_text(show, request, name, options):
    tab = show(request.getfixturevalue(name), **options)
    assert [request.partition(":")[0] for request in tab.requests] == ["file"]
    assert tab.complaints == []
    assert tab.dialogs == []
    assert tab.evaluate("document.querySelectorAll('main img, main svg, main style, main script').length") == 0
    for attack in ATTACKS:
        assert tab.evaluate(f"document.body.textContent.includes({json.dumps(attack)})")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("name", ["report", "explained"])
def test_the_browser_itself_would_refuse_a_script_that_got_in(show, request, name):
    """The page's policy stands behind the escaping: a page into which a script did get does not run it, nor load anything."""
    bad = "<script>alert('in')</script><img src='https://example.org/x.png' onerror=\"alert('in')\">"
    tab = show(request.getfixturevalue(name).replace("</main>", f"{bad}</main>"))
    assert tab.dialogs == []
    assert len([complaint for complaint in tab.complaints if "Content Security Policy" in complaint]) >= 2


@pytest.mark.parametrize("dark", [False, True])
def test_a_page_is_light_or_dark_as_the_reader_wants(show, report, dark):
    tab = show(report, dark=dark)
    colours = tab.evaluate("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")
    lightness = [sum(map(int, colour[4:-1].split(","))) / 3 for colour in colours]
    assert (lightness[0] < 60 < 180 < lightness[1]) if dark else (lightness[1] < 60 < 180 < lightness[0])


def test_a_table_is_sorted_by_the_column_that_is_clicked(show, report):
    tab = show(report)
    column = "[...document.querySelectorAll('#sites ~ div tbody tr')].map(row => row.cells[{}].textContent)"
    head = "#sites ~ div th:nth-child({}) button"
    assert tab.evaluate(column.format(0))[0] == "zzz.org"
    tab.click(head.format(1))
    names = tab.evaluate(column.format(0))
    assert names == tab.evaluate(f"{column.format(0)}.sort((a, b) => a.localeCompare(b))")
    assert names[-1] == "zzz.org"
    for descending in (True, False):
        tab.click(head.format(2))
        numbers = [int(number) for number in tab.evaluate(column.format(1))]
        assert numbers == sorted(numbers, reverse=descending)
        assert len(set(numbers)) > 2
    assert tab.evaluate("document.querySelector('th[aria-sort]').textContent") == "Documents"


def visible(tab, selector: str) -> int:
    return tab.evaluate(
        f"[...document.querySelectorAll({json.dumps(selector)})].filter(e => e.checkVisibility()).length"
    )


def test_what_is_shown_of_a_document_can_be_chosen(show, explained):
    tab = show(explained)
    everything = visible(tab, ".p")
    gone = visible(tab, ".p.gone")
    assert (everything, gone) == (11, 5)
    tab.click("#stripped")
    assert (visible(tab, ".p"), visible(tab, ".p.gone")) == (gone, gone)
    tab.click("#kept")
    assert (visible(tab, ".p"), visible(tab, ".p.gone")) == (everything - gone, 0)
    tab.click("#all")
    assert visible(tab, ".p") == everything
    tab.click("#show-content")
    assert visible(tab, ".p") == 0


def test_a_paragraph_opens_for_its_reasons(show, explained):
    tab = show(explained)
    assert visible(tab, ".why") == 0
    tab.click(".p.gone summary")
    assert visible(tab, ".why") == 1
    assert "which is to be stripped" in tab.evaluate("document.querySelector('details[open] .why').textContent")
