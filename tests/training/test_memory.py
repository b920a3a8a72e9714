"""What teaches a memory: sites that are made as they are said to be, and weights that come of them."""

import json
import lzma

import numpy as np
import pytest

from declutter import Declutter
from declutter.errors import CorpusError
from declutter.kinds import Kind
from declutter.memory.evidence import COLUMNS, WEIGHTS, columns
from declutter.model import default_model, default_model_folder
from declutter.training import memory
from declutter.training.corpus import FOLDS, PAGE_SETS, Text
from declutter.training.memory import Counted, Rows, fit, invented_sites, measure, real_sites, train_memory

WORDS = ["river", "bridge", "council", "ferry", "school", "harbour", "museum", "farmer", "winter", "market"]


def sentence(*numbers: int) -> str:
    return (
        "The "
        + " of the ".join(WORDS[number % 10] for number in numbers)
        + " was what they talked about on the island."
    )


def article(number: int) -> list[str]:
    return [sentence(number, number // 10, line, line * number) for line in range(6)]


ARTICLES = {"en": [article(number) for number in range(60)]}
NOTICES = [
    Text(f"n{i}", "en", f"n{i}", "written", "written", ("Dear readers,", f"Give {i + 3} euros to the {word}."), (Kind.APPEAL,) * 2, place)
    for i, (word, place) in enumerate(zip(WORDS, ["start", "middle", "end"] * 4, strict=False))
]  # fmt: skip


def test_counted_documents_are_a_memory():
    found, of = Counted([["One story", "Share", "Share"], ["Two stories", "SHARE"]]).look_up(
        ["Share", "One story", "3-1"], "any"
    )
    assert (found.tolist(), of) == ([2, 1, 0], 2)


def test_invented_sites_are_as_large_as_was_asked_and_the_same_for_the_same_seed():
    sites = [list(invented_sites(ARTICLES, NOTICES, 3, seed)) for seed in (0, 0, 1)]
    assert [sighting.lines for sighting in sites[0]] == [sighting.lines for sighting in sites[1]]
    assert [sighting.lines for sighting in sites[0]] != [sighting.lines for sighting in sites[2]]
    assert {sighting.size for sighting in sites[0]} == {2, 5, 20}  # for 200 there are too few articles
    assert all(sighting.memory.of == sighting.size for sighting in sites[0])
    assert list(invented_sites({"de": ARTICLES["en"]}, NOTICES, 3)) == []


def test_lines_of_an_invented_site_are_what_they_are_said_to_be():
    lines = {line for text in ARTICLES["en"] for line in text}
    for sighting in invented_sites(ARTICLES, NOTICES, 10, disguised=0):
        headlines = set(sighting.lines) & {text[0] for text in ARTICLES["en"]}
        for line, content in zip(sighting.lines, sighting.content, strict=True):
            assert (line in lines) == content or line in headlines
        assert sighting.known.all()


def test_what_is_quoted_or_held_twice_repeats_and_is_article():
    repeated = 0
    for sighting in invented_sites(ARTICLES, NOTICES, 20):
        documents, _ = sighting.memory.look_up(sighting.lines, "")
        repeated += (documents[sighting.content] > 1).sum()
        if sighting.size == 20:
            assert documents[sighting.content][1:].max() <= 20
    assert repeated > 50


def test_labelled_texts_of_a_site_with_several_pages_are_counted_on_them():
    from declutter.training.corpus import GoldPage

    pages = [
        GoldPage(f"p{i}", "en", site, "andy", "article", f"<p>{sentence(i)}<p>Share", "")
        for i, site in enumerate("aab")
    ]
    kinds = Kind.CONTENT, Kind.SOCIAL, Kind.BYLINE, Kind.INTERFACE
    texts = [
        Text("p0", "en", "a", "andy", "window", (sentence(0), "Share", "By Jane", "–"), kinds),
        Text("p2", "en", "b", "andy", "window", (sentence(2),), (Kind.CONTENT,)),
    ]  # fmt: skip
    (sighting,) = real_sites(texts, pages)
    assert sighting.content.tolist() == [True, False, False, False]
    assert sighting.known.tolist() == [True, True, False, False]
    assert sighting.memory.look_up(sighting.lines, "")[0].tolist() == [1, 2, 0, 0]


def test_weights_learn_that_what_stands_in_many_documents_is_no_article():
    random = np.random.default_rng(0)
    counts = np.where(random.random(4000) < 0.5, 2, random.integers(2, 200, 4000))
    odds = random.normal(1, 2, 4000)
    content = (counts < 4) & (odds > 0)
    found = np.concatenate([columns(odds[i : i + 1], np.array([99]), counts[i : i + 1], 200) for i in range(4000)])
    weights, sizes = fit([Rows(found[:3000], content[:3000]), Rows(found[3000:], content[3000:])])
    by_name = dict(zip((name for name, _ in COLUMNS), weights, strict=True))
    assert sizes == [3000, 1000]
    assert by_name["content"] > 0.5
    assert by_name["many"] < -0.5


def test_nothing_to_tell_apart_is_an_error():
    rows = Rows(np.ones((5, len(COLUMNS))), np.ones(5, bool))
    for parts in ([rows], [Rows(rows.columns[:0], rows.content[:0])]):
        with pytest.raises(CorpusError, match="too little repeats"):
            fit(parts)


def write(path, records):
    path.parent.mkdir(parents=True, exist_ok=True)
    content = "".join(json.dumps(record) + "\n" for record in records).encode()
    path.write_bytes(lzma.compress(content) if path.suffix == ".xz" else content)


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A tiny corpus, a tiny data folder of sites with two pages, and no time spent on a smaller classifier."""
    monkeypatch.setattr(memory, "_small_model", lambda texts, seed, jobs, say: default_model())
    monkeypatch.setattr(memory, "LEARNT_FROM", tuple(range(FOLDS)))
    corpus, data, out = tmp_path / "corpus", tmp_path / "data", tmp_path / "model"
    pages = [
        {"id": f"andy/{n}", "lang": "en", "site": f"site{n // 2}.example", "source": "andy", "split": split, "page_type": "article"}
        | {"gold": "\n".join(article(n)), "html": "".join(f"<p>{line}</p>" for line in [*article(n), "Sign up for our newsletter"])}
        for n, split in enumerate(["train"] * 20 + ["dev"] * 10)
    ]  # fmt: skip
    lines = [{"kind": "signup", "text": "Sign up for our newsletter"}]
    texts = [
        {name: page[name] for name in ("id", "lang", "site", "source", "split")}
        | {"rendering": "window", "lines": [*({"kind": "content", "text": line} for line in page["gold"].split("\n")), *lines]}
        for page in pages
    ]  # fmt: skip
    for name in PAGE_SETS:
        write(data / f"{name}.jsonl.xz", pages if name == "andy" else [])
    write(data / "labelled_texts.jsonl.xz", texts)
    write(data / "notices.jsonl.xz", [])
    written = [
        {"id": notice.id, "lang": "en", "template": f"template {i}", "publisher": f"p{i}", "place": notice.place}
        | {"lines": [{"kind": "appeal", "text": line} for line in notice.lines]}
        for i, notice in enumerate(NOTICES * 6)
    ]  # fmt: skip
    write(corpus / "notices" / "en.jsonl", written)
    out.mkdir()
    for path in default_model_folder().iterdir():
        if path.suffix in (".json", ".npz") and path.name != WEIGHTS:
            (out / path.name).write_bytes(path.read_bytes())
    return corpus, data, out


def test_training_puts_weights_beside_a_model_and_the_same_seed_gives_the_same_bytes(folders):
    corpus, data, out = folders
    trained = train_memory(corpus, data, out, say=lambda line: None)
    first = (out / WEIGHTS).read_bytes()
    assert Declutter(out).model.needs_memory().weights == trained.weights
    assert trained.about["paragraphs"]["invented"] > 100
    train_memory(corpus, data, out, say=lambda line: None)
    assert (out / WEIGHTS).read_bytes() == first
    train_memory(corpus, data, out, seed=1, say=lambda line: None)
    assert (out / WEIGHTS).read_bytes() != first


def test_what_a_memory_adds_is_measured_on_the_dev_split(folders):
    corpus, data, _ = folders
    rows = {row["set"]: row for row in measure(default_model(), corpus, data)}
    assert rows["real, text"]["documents"] == rows["real, pages"]["documents"] == 10
    assert {"notices, 2", "notices, 5"} <= set(rows)
    for row in rows.values():
        assert row["with gone"] >= row["without gone"]
        assert row["with lost"] >= row["without lost"]
