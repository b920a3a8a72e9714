"""Trains the evidence of a memory: what it says of a paragraph that many documents of its site hold it.

Two kinds of sites teach it. Real ones are labelled texts of sites with several pages. Invented ones are articles with the
same notices in many of them, in other amounts and with lines missing; and what is as often there but no notice: quotations in
two or three articles, and articles that stand in a crawl more than once.

The classifier that ships has seen these pages, and would be too sure of them. Its place takes a smaller one that is trained on
some folds of sites; the regression learns on the other folds.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

import declutter
from declutter.document import Source
from declutter.errors import CorpusError, DeclutterError
from declutter.features import extract
from declutter.features.markup import NAME_BUCKETS
from declutter.kinds import SCORED, Kind
from declutter.labeller import Declutter
from declutter.memory.evidence import COLUMNS, FORMAT, REPEATED, WEIGHTS, MemoryWeights, columns, odds_of
from declutter.memory.paragraphs import WHOLE, fingerprints
from declutter.model import Model
from declutter.readers.html import read_page
from declutter.training import align
from declutter.training.corpus import (
    PLACES,
    GoldPage,
    Text,
    fingerprint,
    held_out,
    read_labelled,
    read_pages,
    read_references,
    read_written,
)
from declutter.training.estimators import quantised
from declutter.training.evaluate import NEUTRAL
from declutter.training.render import page_lines
from declutter.training.train import Pool, Settings, _chain, _text_examples, _texts

LEARNT_FROM = (3, 4)  # folds of sites whose repetitions are learnt; the small classifier is trained on the others
SIZES = (2, 5, 20, 200)  # documents of an invented site
_STRIPPED = -2  # log-odds of content below which a line goes anyway, and teaches nothing
_DISGUISED = 20  # documents of a site from which a passage that all of them hold is no article, whatever it reads like
_ALONE = 0.25  # share of the notices of which one line is left
_SCORED = 8  # documents of an invented site that are looked at
_HEADLINE = 120  # characters a headline has at most
_QUOTED = 60  # characters a quotation has at least
_CREDIT = 0.6  # probability of caption or byline from which a line teaches nothing: every source treats those otherwise
SMALL = {
    "word_networks": 1,
    "word_epochs": 4,
    "networks": (1, 1),
    "epochs": 6,
    "splices": 1,
}  # `Settings` of the small classifier


class Counted:
    """A memory of documents at hand, for `declutter.Declutter`: all of one site."""

    def __init__(self, documents: Iterable[Sequence[str]]):
        self.of = 0
        self.counts: Counter[int] = Counter()
        for lines in documents:
            self.of += 1
            self.counts.update(set(fingerprints(lines).tolist()) - {WHOLE})

    def look_up(self, texts: Iterable[str], site: str) -> tuple[np.ndarray, int]:
        """As `declutter.memory.Memory.look_up`."""
        return np.array([self.counts[found] for found in fingerprints(texts).tolist()], np.int64), self.of


class Sighting(NamedTuple):
    """A document whose lines were counted on its site.

    Attributes:
        lines: its text.
        content: whether each line is article.
        known: whether that is known, and counts; captions and bylines do not.
        memory: of its site.
        size: how many documents the site has, of invented ones; 0 for real ones.
        markup: the page, where it is one.
    """

    lines: Sequence[str]
    content: np.ndarray
    known: np.ndarray
    memory: Counted
    size: int
    markup: str = ""


def real_sites(texts: Iterable[Text], pages: Iterable[GoldPage]) -> Iterator[Sighting]:
    """The labelled texts of sites with several pages."""
    sites: dict[str, list[list[str]]] = defaultdict(list)
    for page in pages:
        sites[page.site].append(page_lines(page.markup))
    memories = {site: Counted(found) for site, found in sites.items() if len(found) >= REPEATED}
    for text in texts:
        if text.site in memories:
            yield _sighting(text.lines, text.kinds, memories[text.site], 0)


def real_pages(pages: Iterable[GoldPage]) -> Iterator[Sighting]:
    """The pages of sites with several; what is article says their gold text, and of what is only partly in it nothing is known."""
    sites: dict[str, list[tuple[GoldPage, list[str]]]] = defaultdict(list)
    for page in pages:
        try:
            sites[page.site].append((page, read_page(page.markup).texts))
        except DeclutterError:
            continue
    for found in sites.values():
        memory = Counted(blocks for _, blocks in found)
        for page, blocks in found if memory.of >= REPEATED else ():
            inside = align.in_gold(blocks, page.gold)
            yield Sighting(blocks, inside == align.INSIDE, inside != align.UNKNOWN, memory, 0, page.markup)


def _sighting(lines: Sequence[str], kinds: Sequence[Kind], memory: Counted, size: int) -> Sighting:
    known = [kind not in NEUTRAL and any(map(str.isalnum, line)) for line, kind in zip(lines, kinds, strict=True)]
    return Sighting(lines, np.array([kind is Kind.CONTENT for kind in kinds]), np.array(known), memory, size)


def articles_of(texts: Iterable[Text], pages: Iterable[GoldPage]) -> dict[str, list[list[str]]]:
    """Lines of articles, by language: those of labelled texts, then the gold text of pages."""
    found: dict[str, list[list[str]]] = defaultdict(list)
    taken = set()
    for text in texts:
        taken.add(text.id)
        found[text.lang].append(
            [line for line, kind in zip(text.lines, text.kinds, strict=True) if kind is Kind.CONTENT]
        )
    for page in pages:
        if page.id not in taken and page.page_type == "article":
            found[page.lang].append([" ".join(line.split()) for line in page.gold.split("\n") if line.strip()])
    return {lang: [lines for lines in articles if 4 <= len(lines) <= 100] for lang, articles in found.items()}


def invented_sites(
    articles: Mapping[str, Sequence[list[str]]],
    notices: Sequence[Text],
    each: int,
    seed: int = 0,
    disguised: float = 0.25,
) -> Iterator[Sighting]:
    """Some documents of invented sites of every size for which a language has articles enough.

    Args:
        articles: lines of articles, by language.
        notices: what the sites put into them.
        each: sites of every size.
        seed: of the random choices.
        disguised: share of the notices whose place takes a passage of some other article, on sites of many documents.
    """
    random = np.random.default_rng(seed)
    by_language: dict[str, list[Text]] = defaultdict(list)
    for notice in notices:
        by_language[notice.lang].append(notice)
    for size in SIZES:
        languages = sorted(lang for lang in by_language if len(articles.get(lang, ())) >= size)
        # often the languages with many notices, now and then each of the others
        chances = np.sqrt([len(by_language[lang]) for lang in languages])
        for _ in range(each if languages else 0):
            lang = languages[int(random.choice(len(languages), p=chances / chances.sum()))]
            yield from _invented(random, articles[lang], by_language[lang], size, disguised)


def _invented(
    random: np.random.Generator, articles: Sequence[list[str]], notices: Sequence[Text], size: int, disguised: float
) -> Iterator[Sighting]:
    order = random.permutation(len(articles)).tolist()
    documents = [list(articles[i]) for i in order[:size]]
    special = _hold_twice(random, documents) | _quote(random, documents)
    kinds = [[Kind.CONTENT] * len(lines) for lines in documents]
    others = [articles[i] for i in order[size:]]
    for notice in _notices(random, notices, others, disguised if size >= _DISGUISED else 0):
        share = random.choice([1.0, 0.6, 0.3])
        for lines, marks in zip(documents, kinds, strict=True):
            if size == REPEATED or random.random() < share:
                chosen = [i for i in range(len(notice.lines)) if random.random() < 0.9]
                at = {"start": 1, "middle": int(random.integers(1, len(lines)))}.get(notice.place, len(lines))
                lines[at:at] = [_varied(random, notice.lines[i]) for i in chosen]
                marks[at:at] = [notice.kinds[i] for i in chosen]
    _link(random, documents, kinds)
    memory = Counted(documents)
    plain = [int(i) for i in random.permutation(size) if i not in special]
    for i in [*sorted(special)[: _SCORED // 4], *plain][:_SCORED]:
        yield _sighting(documents[i], kinds[i], memory, size)


def _notices(
    random: np.random.Generator, notices: Sequence[Text], articles: Sequence[list[str]], disguised: float
) -> Iterator[Text]:
    """One to four notices of a site: as they were written, one line of them, or a passage that reads like an article."""
    for _ in range(int(random.integers(1, 5))):
        notice = notices[int(random.integers(len(notices)))]
        lines, kinds, place = notice.lines, notice.kinds, notice.place
        draw = random.random()
        if draw < disguised and articles:
            article = articles[int(random.integers(len(articles)))]
            first, count = int(random.integers(len(article))), int(random.integers(1, 4))
            lines = tuple(article[first : first + count])
            kinds, place = (Kind.APPEAL,) * len(lines), str(random.choice(PLACES))
        elif draw > 1 - _ALONE:
            only = int(random.integers(len(lines)))
            lines, kinds = lines[only : only + 1], kinds[only : only + 1]
        yield replace(notice, lines=lines, kinds=kinds, place=place)


def _hold_twice(random: np.random.Generator, documents: list[list[str]]) -> set[int]:
    """Now and then puts an article in the place of some others; returns which documents are the same."""
    same: set[int] = set()
    for _ in range(max(1, len(documents) // 20) if random.random() < 0.3 else 0):
        first, *others = random.permutation(len(documents))[: int(random.choice([2, 3, 4, 8]))].tolist()
        for other in others:
            documents[other] = list(documents[first])
        same |= {first, *others}
    return same


def _quote(random: np.random.Generator, documents: list[list[str]]) -> set[int]:
    """Now and then puts a paragraph of one article into one or two others; returns which documents hold such a one."""
    holders: set[int] = set()
    for _ in range(max(1, len(documents) // 10) if random.random() < 0.5 else 0):
        source, *others = random.permutation(len(documents))[: int(random.integers(2, 4))].tolist()
        long = [line for line in documents[source] if len(line) >= _QUOTED]
        if long:
            quoted = long[int(random.integers(len(long)))]
            for other in others:
                documents[other].insert(int(random.integers(1, len(documents[other]))), quoted)
            holders |= {source, *others}
    return holders


def _link(random: np.random.Generator, documents: list[list[str]], kinds: list[list[Kind]]) -> None:
    """Now and then ends documents with the headlines of some of the others."""
    if random.random() < 0.5:
        return
    linked = [(i, documents[i][0]) for i in random.permutation(len(documents))[: int(random.integers(1, 7))].tolist()]
    share = random.choice([1.0, 0.3])
    for i, lines in enumerate(documents):
        if random.random() < share:
            headlines = [line for other, line in linked if other != i and len(line) <= _HEADLINE]
            lines += headlines
            kinds[i] += [Kind.RELATED] * len(headlines)


def _varied(random: np.random.Generator, line: str) -> str:
    """A line with other numbers of as many digits."""
    return re.sub(r"\d+", lambda found: str(random.integers(1, 10 ** len(found[0]))), line)


def train_memory(
    corpus: Path, data: Path, folder: Path, seed: int = 0, jobs: int = 2, say: Callable[[str], None] = print
) -> MemoryWeights:
    """Trains the regression and puts it beside the model in `folder`; the same seed gives the same bytes.

    It takes nothing from that model: after a change of the corpus, the features or the classifier it is to be trained anew.

    Args:
        corpus: the project's corpus folder.
        data: folder of the third-party sets.
        folder: of the model.
        seed: of every random choice.
        jobs: processes.
        say: takes one line of progress at a time.

    Raises:
        CorpusError: a file of the corpus is broken, or there is too little to learn from.
        OSError: a file of the data folder is missing.
    """
    started = time.monotonic()

    def progress(message: str) -> None:
        say(f"[{time.monotonic() - started:6.1f} s] {message}")

    pages = list(read_pages(data, "train"))
    texts = _texts(corpus, data, pages)
    model = _small_model([text for text in texts if text.fold not in LEARNT_FROM], seed, jobs, progress)
    pages = [page for page in pages if page.fold in LEARNT_FROM]
    others = [text for text in texts if text.fold in LEARNT_FROM]
    whole = [text for text in others if text.rendering not in ("written", "string")]
    real = list(real_sites(whole, pages))
    invented = list(
        invented_sites(articles_of(whole, pages), [text for text in others if text.place], each=60, seed=seed)
    )
    progress(f"{len(real)} documents of real sites, {len(invented)} of invented ones")
    with threadpool_limits(1):
        weights, counts = fit([_rows(model, real), _rows(model, invented)])
    about = {
        "format": FORMAT,
        "weights": dict(zip((name for name, _ in COLUMNS), weights, strict=True)),
        "declutter": declutter.__version__,
        "trained_with": {"numpy": np.__version__, "scikit-learn": sklearn.__version__},
        "corpus": fingerprint(corpus),
        "seed": seed,
        "paragraphs": dict(zip(("real", "invented"), counts, strict=True)),
    }
    (folder / WEIGHTS).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    progress(f"saved {folder / WEIGHTS}: {about['weights']}")
    return MemoryWeights(weights, about)


def _small_model(texts: Sequence[Text], seed: int, jobs: int, say: Callable[[str], None]) -> Model:
    settings = Settings(seed=seed, jobs=jobs, **SMALL)  # type: ignore[arg-type]
    with threadpool_limits(1):
        pool = Pool(texts, settings.written)
        words = pool.fit(settings)[-1]
        say(f"words: {len(pool.lines)} lines")
        chain = _chain("text", _text_examples(texts, pool, settings), settings, say)
    no_names = quantised(np.zeros((NAME_BUCKETS, 2 * len(SCORED)), np.float32))
    return Model(words, *no_names, np.zeros(0, np.uint8), {"text": chain.networks, "html": ()}, {}, {})


class Rows(NamedTuple):
    """What the regression learns from: its input, and whether each paragraph is content."""

    columns: np.ndarray
    content: np.ndarray


def _rows(model: Model, sightings: Iterable[Sighting]) -> Rows:
    """Every repeated paragraph that something is known of and that is in doubt, or would be kept."""
    found, content = [np.zeros((0, len(COLUMNS)))], [np.zeros(0, bool)]
    credits = [SCORED.index(kind) for kind in (Kind.CAPTION, Kind.BYLINE)]
    for sighting in sightings:
        evidence = extract([Source("list", list(sighting.lines))], model.words.scores, None)
        scores = model.scores(evidence).astype(np.float64)
        documents, of = sighting.memory.look_up(sighting.lines, "")
        credit = np.exp(scores[:, credits]).sum(axis=1) > _CREDIT
        odds = odds_of(scores)
        used = (documents >= REPEATED) & sighting.known & ~credit & (odds > _STRIPPED)
        found.append(columns(odds, evidence.lengths, documents, of)[used])
        content.append(sighting.content[used])
    return Rows(np.concatenate(found), np.concatenate(content))


def fit(parts: Sequence[Rows]) -> tuple[tuple[float, ...], list[int]]:
    """Weights of `COLUMNS`, and how many paragraphs each part had; every part counts the same.

    Raises:
        CorpusError: there is nothing to tell apart.
    """
    counts = [len(part.content) for part in parts]
    if not 0 < sum(part.content.sum() for part in parts) < sum(counts):
        raise CorpusError("too little repeats on sites with several pages to learn from it")
    balance = np.concatenate([np.full(count, sum(counts) / (len(counts) * max(count, 1))) for count in counts])
    regression = LogisticRegression(C=1.0, fit_intercept=False, max_iter=1000)
    regression.fit(
        np.concatenate([part.columns for part in parts]),
        np.concatenate([part.content for part in parts]),
        sample_weight=balance,
    )
    return tuple(round(float(weight), 4) for weight in regression.coef_[0]), counts


def measure(model: Model, corpus: Path, data: Path, seed: int = 1) -> list[dict[str, Any]]:
    """What a memory adds on sites and notices that were never trained on, with and without it, by documents of a site.

    Args:
        model: with the weights of a memory.
        corpus: the project's corpus folder; of it the notices that are held out.
        data: folder of the third-party sets; of it the dev split.
        seed: of the invented sites.

    Returns:
        For real sites and for every size of invented ones: shares of the notices' lines that go, of the article's characters
        that are lost, and of those characters that repeat.
    """
    pages = list(read_pages(data, "dev"))
    texts = read_labelled(data, "dev") + read_references(corpus, {page.id: page for page in pages})
    notices = [notice for notice in read_written(corpus).notices if held_out(notice)]
    articles = articles_of(texts, pages)
    sets = {"real, text": list(real_sites(texts, pages)), "real, pages": list(real_pages(pages))}
    for name, disguised in (("notices", 0.0), ("passages", 1.0)):
        for sighting in invented_sites(articles, notices, 30, seed, disguised):
            if not (disguised and sighting.size < _DISGUISED):
                sets.setdefault(f"{name}, {sighting.size}", []).append(sighting)
    return [{"set": name} | _measured(model, sightings) for name, sightings in sets.items()]


def _measured(model: Model, sightings: Sequence[Sighting]) -> dict[str, Any]:
    sums: Counter[str] = Counter()
    for sighting in sightings:
        lengths = np.fromiter(map(len, sighting.lines), np.int64)
        notice, article = sighting.known & ~sighting.content, sighting.known & sighting.content
        repeated = article & (sighting.memory.look_up(sighting.lines, "")[0] >= REPEATED)
        sums.update(documents=1, notices=int(notice.sum()), article=int(lengths[article].sum()))
        sums["repeated"] += int(lengths[repeated].sum())
        for name, memory in (("without", None), ("with", sighting.memory)):
            source, form = (sighting.markup, "html") if sighting.markup else (list(sighting.lines), "auto")
            kept = np.array(Declutter(model, memory=memory).label(source, form, "site").kept, bool)
            sums[f"{name} gone"] += int((notice & ~kept).sum())
            sums[f"{name} lost"] += int(lengths[article & ~kept].sum())
            sums[f"{name} repeated lost"] += int(lengths[repeated & ~kept].sum())
    shares = {"gone": "notices", "lost": "article", "repeated lost": "repeated"}
    return {"documents": sums["documents"]} | {
        f"{name} {part}": round(sums[f"{name} {part}"] / max(sums[whole], 1), 4)
        for part, whole in shares.items()
        for name in ("without", "with")
    }
