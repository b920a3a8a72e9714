"""Trains a model from the corpus and a data folder; the same seed gives the same bytes.

Three classifiers build on each other, each trained on scores of the one before from folds that it was not trained on
(stacking; Wolpert 1992), split by site:

1. words: a perceptron over hashed n-grams of a paragraph;
2. names: multinomial logistic regression over the class and id words of a page's elements;
3. context: perceptrons over shape, place, markup and what the paragraphs around look like; one chain for text, one for pages.
"""

from __future__ import annotations

import itertools
import platform
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
import sklearn
from joblib import Parallel, delayed
from lxml import etree
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

import declutter
from declutter.document import Source
from declutter.errors import CorpusError, DeclutterError
from declutter.features import Evidence, extract, log_softmax
from declutter.features.markup import NAME_BUCKETS, Tree, score_names
from declutter.features.words import KNOWN_BITS, Words, find_words, known_slots
from declutter.kinds import NOTICES, SCORED, Kind
from declutter.model import PASSES, Model, Network, WordNetwork, save_model
from declutter.policy import DEFAULT_PRESET, PRESETS, Thresholds
from declutter.readers.html import read_page
from declutter.training import align
from declutter.training.corpus import (
    FOLDS,
    PLACES,
    GoldPage,
    Text,
    fingerprint,
    held_out,
    read_labelled,
    read_pages,
    read_references,
    read_strings,
    read_written,
)
from declutter.training.estimators import (
    ColumnScaler,
    NgramVectorizer,
    as_network,
    as_word_network,
    linear,
    linear_weights,
    name_matrix,
    perceptron,
    quantised,
)
from declutter.training.plant import NEAR, build, find_planted, plant, transplant
from declutter.training.splice import Line, Splicer

CONTENT, CAPTION, BYLINE = (SCORED.index(kind) for kind in (Kind.CONTENT, Kind.CAPTION, Kind.BYLINE))
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a training run can be told.

    Attributes:
        seed: of every random choice.
        jobs: processes.
        hidden, alpha: of the context perceptrons: units and weight decay.
        networks, rates, batches: for each pass how many perceptrons are averaged, their learning rate and rows a step.
        epochs, page_epochs: their passes over the data, for text and for pages.
        splices: spliced texts made of every article.
        planted: pages with a notice among their paragraphs made of every page with an article; 0 for no pages of written texts.
        written: weight of a line of a notice or hard negative written for the corpus, next to 1 of a real one; there are few real
            notices to learn from.
        word_hidden, word_networks, word_epochs, word_alpha, word_rate, word_batch: the same of the perceptrons over words.
        iterations: of the linear classifier of names.
        page_limit: pages used of each set, for quick runs.
    """

    seed: int = 0
    jobs: int = 2
    hidden: int = 64
    networks: tuple[int, ...] = (1, 4)
    epochs: int = 12
    page_epochs: int = 8
    alpha: float = 0.1
    rates: tuple[float, ...] = (1e-3, 5e-3)
    batches: tuple[int, ...] = (512, 4096)
    splices: int = 5
    planted: int = 1
    written: float = 3.0
    word_hidden: int = 16
    word_networks: int = 2
    word_epochs: int = 6
    word_alpha: float = 0.2
    word_rate: float = 2e-3
    word_batch: int = 512
    iterations: int = 60
    page_limit: int | None = None


@dataclass(slots=True)
class Example:
    """One document to learn from.

    Attributes:
        evidence: its features, with scores of words and names from folds it was not in.
        targets: kind of each paragraph as its place in `SCORED`, -1 where nothing is known.
        weights: of its paragraphs.
        fold: the part its site belongs to.
        drawn: whether it is a real text as users have them, which thresholds and calibration are read off.
    """

    evidence: Evidence
    targets: np.ndarray
    weights: np.ndarray
    fold: int
    drawn: bool = False


def train(corpus: Path, data: Path, folder: Path, settings: Settings = Settings(), say: Say = print) -> Model:
    """Trains a model and saves it.

    Args:
        corpus: the project's corpus folder.
        data: folder of the third-party sets, see corpus/sources.toml.
        folder: where the model's files go.
        settings: see `Settings`.
        say: takes one line of progress at a time.

    Raises:
        CorpusError: a file of the corpus is broken.
        OSError: a file of the data folder is missing.
    """
    started = time.monotonic()

    def progress(message: str) -> None:
        say(f"[{time.monotonic() - started:6.1f} s] {message}")

    pages = list(_limited(read_pages(data, "train"), settings.page_limit))
    texts, small = _texts(corpus, data, pages), _small_pages(corpus, settings.seed)
    _check_folds("pages", [page.fold for page in pages])
    _check_folds("texts", [text.fold for text in texts if text.rendering != "string"])
    if not any(text.drawn for text in texts):
        raise CorpusError("there are no labelled texts of real pages to pick thresholds on")
    progress(f"read {len(pages)} pages, {len(texts)} labelled texts and notices, {len(small)} small pages")
    with threadpool_limits(1):
        pool = Pool(texts, settings.written)
        *words_without, words = pool.fit(settings)
        known = _known_words(texts)
        progress(f"words: {len(pool.lines)} lines")
        text_examples = _text_examples(texts, pool, settings)
        text_chain = _chain("text", text_examples, settings, progress)
        no_names = quantised(np.zeros((NAME_BUCKETS, 2 * len(SCORED)), np.float32))
        preliminary = Model(words, *no_names, known, {"text": text_chain.networks, "html": ()}, {}, {})
        names, page_examples = _page_examples(pages, texts, small, preliminary, words_without, settings, progress)
        page_chain = _chain("html", page_examples, settings, progress)
    thresholds = {"text": text_chain.thresholds, "html": page_chain.thresholds}
    about = {
        "declutter": declutter.__version__,
        "trained_with": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
        },
        "corpus": fingerprint(corpus),
        "settings": {name: getattr(settings, name) for name in Settings.__dataclass_fields__ if name != "jobs"},
        "counts": {
            "pages": len(pages),
            "texts": len(texts),
            "lines": len(pool.lines),
            "text examples": len(text_examples),
            "page examples": len(page_examples),
        },
        "out_of_fold": {"text": text_chain.measured, "html": page_chain.measured},
    }
    networks = {"text": text_chain.networks, "html": page_chain.networks}
    model = Model(words, *names, known, networks, thresholds, about)
    save_model(model, folder)
    progress(f"saved {folder}")
    return model


def _check_folds(what: str, folds: Sequence[int]) -> None:
    """Every fold has to leave something to train on, and to have something to be measured on."""
    if len(set(folds)) < FOLDS:
        raise CorpusError(
            f"too few {what}: they are of {len(set(folds))} of {FOLDS} folds of sites, and each needs one"
        )


def _limited(pages: Iterable[GoldPage], limit: int | None) -> Iterable[GoldPage]:
    seen: dict[str, int] = {}
    for page in pages:
        seen[page.source] = seen.get(page.source, 0) + 1
        if limit is None or seen[page.source] <= limit:
            yield page


def _texts(corpus: Path, data: Path, pages: Sequence[GoldPage]) -> list[Text]:
    """Everything with labels: real texts first, then written texts, hard negatives, notices and strings."""
    written = read_written(corpus)
    real = read_labelled(data, "train") + read_references(corpus, {page.id: page for page in pages})
    own = [text for part in (written.texts, written.negatives, written.notices) for text in part if not held_out(text)]
    return real + own + read_strings(data)


def _small_pages(corpus: Path, seed: int) -> list[Text]:
    """What small pages are built of: the texts written for that, and the beginnings of written articles."""
    written = read_written(corpus)
    random = np.random.default_rng(seed + 3)
    briefs = [_shortened(text, random) for text in written.texts if not held_out(text)]
    return [text for text in written.pages if not held_out(text)] + briefs


def _shortened(text: Text, random: np.random.Generator) -> Text:
    """A text with no more of its article than a few paragraphs, and often with nothing else."""
    article = [i for i, kind in enumerate(text.kinds) if kind is Kind.CONTENT][: int(random.integers(2, 6))]
    bare = random.random() < 0.3
    chosen = [i for i, kind in enumerate(text.kinds) if i in article or not (bare or kind is Kind.CONTENT)]
    return replace(text, lines=tuple(text.lines[i] for i in chosen), kinds=tuple(text.kinds[i] for i in chosen))


def _known_words(texts: Sequence[Text]) -> np.ndarray:
    """The words of at least two texts, as `words.familiarity` looks them up."""
    counts = np.zeros(1 << KNOWN_BITS, np.int32)
    for text in texts:
        counts[np.unique(known_slots(find_words(text.lines)))] += 1
    return np.packbits(counts > 1, bitorder="little")


class Pool:
    """Every labelled line once, with its words' scores from folds it was not in.

    Attributes:
        lines, kinds, folds, weights: of every line.
        first: index of each text's first line, and the number of lines.
        scores: float32, lines x kinds, out of fold; after `fit`.
    """

    def __init__(self, texts: Sequence[Text], written: float = 1.0):
        self.lines = [line for text in texts for line in text.lines]
        self.kinds = np.array([SCORED.index(kind) for text in texts for kind in text.kinds])
        self.folds = np.array([text.fold for text in texts for _ in text.lines])
        self.weights = np.array([_weight(text, written) for text in texts for _ in text.lines])
        self.first = np.cumsum([0, *(len(text.lines) for text in texts)])
        self.scores = np.zeros((len(self.lines), len(SCORED)), np.float32)

    def fit(self, settings: Settings) -> list[WordNetwork]:
        """Fits the classifier of words on all folds but each one, in order, and on all."""
        counted = NgramVectorizer().fit_transform(self.lines)
        networks: list[WordNetwork] = Parallel(settings.jobs)(
            delayed(_fit_words)(counted, self.kinds, self.weights, used, settings)
            for used in (*(self.folds != out for out in range(FOLDS)), slice(None))
        )
        for out, network in enumerate(networks[:-1]):
            mine = np.flatnonzero(self.folds == out)
            for part in np.array_split(mine, 1 + len(mine) // 10_000):
                self.scores[part] = network.scores(find_words([self.lines[i] for i in part]))
        return networks


def _weight(text: Text, written: float) -> float:
    """What a line counts. Whole written pages count as real ones: at more, their articles outweigh the notices written alone."""
    if text.rendering == "string":
        return 0.5
    alone = text.place != "" or not any(kind in NOTICES for kind in text.kinds)
    return written if text.rendering == "written" and alone else 1.0


@contextmanager
def _quietly() -> Iterator[None]:
    """One thread, so that the sums are the same on every machine; and no word about passes that are few on purpose."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def _fit_words(
    X: scipy.sparse.csr_matrix, y: np.ndarray, weights: np.ndarray, used: np.ndarray | slice, settings: Settings
) -> WordNetwork:
    X, y, weights = X[used], y[used], weights[used]
    batch = min(settings.word_batch, len(y))
    with _quietly():
        return as_word_network(
            [
                perceptron(
                    settings.word_hidden, settings.word_epochs, seed, settings.word_alpha, settings.word_rate, batch
                ).fit(X, y, sample_weight=weights)
                for seed in range(settings.seed, settings.seed + settings.word_networks)
            ]
        )


def _fit_linear(
    X: scipy.sparse.csr_matrix,
    y: np.ndarray,
    weights: np.ndarray,
    folds: np.ndarray,
    out: int | None,
    settings: Settings,
) -> np.ndarray:
    with _quietly():
        used = (folds != out) & (weights > 0)
        return linear_weights(linear(settings.iterations).fit(X[used], y[used], sample_weight=weights[used]))


def _known(scores: np.ndarray) -> Callable[[Words], np.ndarray]:
    """A scorer of words that were scored before."""
    return lambda _: scores


def _text_examples(texts: Sequence[Text], pool: Pool, settings: Settings) -> list[Example]:
    splicer = Splicer(texts, settings.seed + 1)
    examples = []
    for t, text in enumerate(texts):
        if text.place or text.rendering == "string":
            continue
        versions = [[Line(t, i) for i in range(len(text.lines))]]
        if text.kinds.count(Kind.CONTENT) < len(text.kinds):
            versions.append(splicer.thin(t))
        versions += [splicer.splice(t) for _ in range(settings.splices)]
        for number, lines in enumerate(versions):
            if lines:
                chosen = np.array([pool.first[line.text] + line.number for line in lines])
                source = Source("list", [pool.lines[i] for i in chosen])
                evidence = extract([source], _known(pool.scores[chosen]), None)
                examples.append(
                    Example(
                        evidence,
                        pool.kinds[chosen],
                        np.ones(len(chosen)),
                        text.fold,
                        number == 0 and text.drawn,
                    )
                )
    return examples


@dataclass(slots=True)
class Chain:
    """The context classifiers of one format, in order, with thresholds by preset and what was measured out of fold."""

    networks: tuple[Network, ...]
    thresholds: dict[str, Thresholds]
    measured: dict[str, Any]


def _chain(form: str, examples: Sequence[Example], settings: Settings, say: Say) -> Chain:
    """Fits the passes of one format; every pass learns from scores of the one before that are out of fold."""
    targets = np.concatenate([example.targets for example in examples])
    weights = np.concatenate([example.weights for example in examples])
    folds = np.concatenate([np.full(len(example.targets), example.fold) for example in examples])
    used = (targets >= 0) & (weights > 0)
    ends = np.cumsum([len(example.targets) for example in examples])[:-1]
    networks: list[Network] = []
    flat = np.empty((len(targets), len(SCORED)), np.float32)
    scores = [example.evidence.word_scores for example in examples]
    for number, around in enumerate(PASSES[form]):
        columns = np.concatenate(
            [
                example.evidence.columns(before) if around else example.evidence.fixed
                for example, before in zip(examples, scores, strict=True)
            ]
        )
        fits = Parallel(settings.jobs)(
            delayed(_fit_network)(form, number, columns, targets, weights, used & (folds != out), settings)
            for out in (*range(FOLDS), None)
        )
        for out in range(FOLDS):
            flat[folds == out] = fits[out].scores(columns[folds == out])
        networks.append(fits[-1])
        scores = np.split(flat, ends)
        say(f"{form}: pass {number + 1} over {len(targets)} paragraphs, {columns.shape[1]} features")
    drawn = np.concatenate([np.full(len(example.targets), example.drawn) for example in examples]) & used
    lengths = np.concatenate([example.evidence.lengths for example in examples])
    owners = np.repeat(np.arange(len(examples)), [len(example.targets) for example in examples])
    temperature = _temperature(flat[drawn], targets[drawn])
    networks[-1] = networks[-1].softened(temperature)
    probabilities = np.exp(log_softmax(flat[drawn] / temperature))
    thresholds = (
        _thresholds_for_loss(probabilities, targets[drawn], lengths[drawn], owners[drawn])
        if form == "text"
        else {name: Thresholds.even(1 / (1 + preset.recall)) for name, preset in PRESETS.items()}
    )
    measured: dict[str, Any] = {"temperature": round(float(temperature), 4)}
    for name in PRESETS:
        measured[name] = _measure(probabilities, targets[drawn], lengths[drawn], thresholds[name])
    if (others := used & ~drawn).any():
        measured["others"] = _measure(
            np.exp(log_softmax(flat[others] / temperature)),
            targets[others],
            lengths[others],
            thresholds[DEFAULT_PRESET],
        )
    say(f"{form}: {measured}")
    return Chain(tuple(networks), thresholds, measured)


def _fit_network(
    form: str,
    number: int,
    columns: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    used: np.ndarray,
    settings: Settings,
) -> Network:
    """Fits the perceptrons of one pass and makes one network of them."""
    with _quietly():
        scaler = ColumnScaler().fit(columns[used])
        X, y, w = scaler.transform(columns[used]), targets[used], weights[used]
        epochs = settings.epochs if form == "text" else settings.page_epochs
        rate, batch = settings.rates[number], min(settings.batches[number], len(y))
        fitted = []
        for seed in range(settings.seed, settings.seed + settings.networks[number]):
            fitted.append(_settled(perceptron(settings.hidden, epochs, seed, settings.alpha, rate, batch), X, y, w))
        return as_network(scaler, fitted)


def _settled(network: MLPClassifier, X: np.ndarray, y: np.ndarray, weights: np.ndarray) -> MLPClassifier:
    """Fits a perceptron, and ends with smaller and smaller steps: after large ones alone, where it ends hangs on the seed."""
    rate = network.learning_rate_init
    network.fit(X, y, sample_weight=weights)
    for part in _LAST_RATES:
        network.set_params(warm_start=True, max_iter=1, learning_rate_init=rate * part)
        network.fit(X, y, sample_weight=weights)
    return network


_LAST_RATES = (0.2, 0.04)  # of the passes over the data that come last, next to 1 of the others


def _temperature(scores: np.ndarray, targets: np.ndarray) -> float:
    """The divisor of the scores that makes the targets likeliest (temperature scaling; Guo et al. 2017)."""
    candidates = np.geomspace(0.5, 2.0, 41)
    losses = [-log_softmax(scores / t)[np.arange(len(targets)), targets].mean() for t in candidates]
    return float(candidates[int(np.argmin(losses))])


# Thresholds for long paragraphs, and for those that look like credits, as parts of the one for short ones. A lost long paragraph
# is most of what content loss counts; what looks like a credit does little harm where it stays.
_LONG_PARTS, _CREDIT_PARTS = (0.2, 0.35, 0.5, 0.75), (0.1, 0.25)


def _thresholds_for_loss(
    probabilities: np.ndarray, targets: np.ndarray, lengths: np.ndarray, owners: np.ndarray
) -> dict[str, Thresholds]:
    """For every preset the thresholds with the best F1 score of notice lines that cost no more of the article than it allows.

    What they cost on these texts has to lie a standard error below that, or on others they would cost more every other time.
    From the boldest preset to the most careful, none is above its counterpart before: what one keeps, the next one keeps.

    Args:
        probabilities, targets, lengths: of every paragraph.
        owners: number of the text that each one stands in.
    """
    content, notice = targets == CONTENT, _is_notice(targets)
    sizes = np.bincount(owners, lengths * content)
    found: dict[str, Thresholds] = {}
    highest = Thresholds.even(1.0)
    for name, preset in PRESETS.items():
        best, best_f1 = Thresholds.even(0.0), -1.0
        for short in np.arange(0.01, 0.7, 0.01):
            for long, credit in itertools.product(_LONG_PARTS, _CREDIT_PARTS):
                parts = [round(float(short * part), 4) for part in (1, long, credit)]
                candidate = Thresholds(*map(min, parts, (highest.short, highest.long, highest.credit)))
                kept = candidate.keeps(probabilities, lengths)
                lost = content & ~kept
                gone, left = (notice & ~kept).sum(), (notice & kept).sum()
                f1 = 2 * gone / max(1, 2 * gone + left + lost.sum())
                if f1 > best_f1 and sum(_ratio(np.bincount(owners, lengths * lost), sizes)) <= preset.content_loss:
                    best, best_f1 = candidate, f1
        highest = found[name] = best
    return found


def _ratio(parts: np.ndarray, wholes: np.ndarray) -> tuple[float, float]:
    """The sum of some parts over that of their wholes, and its standard error (ratio estimator; Cochran 1977, chapter 6)."""
    ratio = parts.sum() / wholes.sum()
    return float(ratio), float(np.sqrt(((parts - ratio * wholes) ** 2).sum()) / wholes.sum())


def _is_notice(targets: np.ndarray) -> np.ndarray:
    return ~np.isin(targets, (CONTENT, CAPTION, BYLINE)) & (targets >= 0)


def _measure(
    probabilities: np.ndarray, targets: np.ndarray, lengths: np.ndarray, thresholds: Thresholds
) -> dict[str, Any]:
    kept = thresholds.keeps(probabilities, lengths)
    content, notice = targets == CONTENT, _is_notice(targets)
    gone, left, lost = (notice & ~kept).sum(), (notice & kept).sum(), (content & ~kept).sum()
    return {
        "paragraphs": len(targets),
        "notice_f1": round(float(2 * gone / (2 * gone + left + lost)), 4),
        "content_lost_lines": round(float(lost / content.sum()), 5),
        "content_lost_characters": round(float(lengths[content & ~kept].sum() / lengths[content].sum()), 5),
        "calibration_error": round(calibration_error(probabilities[:, CONTENT], content), 4),
    }


def calibration_error(probabilities: np.ndarray, truth: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error in bins of equal width (Guo et al. 2017)."""
    bin_of = np.minimum((probabilities * bins).astype(int), bins - 1)
    return float(
        sum(
            abs(probabilities[bin_of == b].mean() - truth[bin_of == b].mean()) * (bin_of == b).mean()
            for b in np.unique(bin_of)
        )
    )


@dataclass(slots=True)
class PageRead:
    """A page as training sees it, without what depends on the classifier of names.

    Attributes:
        source: its blocks.
        targets, weights: of its blocks.
        word_scores: what a classifier of words thinks of them that was not trained on the page's fold.
    """

    source: Source
    targets: np.ndarray
    weights: np.ndarray
    word_scores: np.ndarray


def _page_examples(
    pages: Sequence[GoldPage],
    texts: Sequence[Text],
    small: Sequence[Text],
    text_model: Model,
    words_without: Sequence[WordNetwork],
    settings: Settings,
    say: Say,
) -> tuple[tuple[np.ndarray, np.ndarray], list[Example]]:
    labelled = {text.id: text for text in texts if text.rendering == "window"}
    read = Parallel(settings.jobs)(
        delayed(_read_page)(page, labelled.get(page.id), text_model, words_without[page.fold]) for page in pages
    )
    usable = [(page, found) for page, found in zip(pages, read, strict=True) if found is not None]
    say(f"html: aligned {len(usable)} pages")
    names = scipy.sparse.vstack([name_matrix(Tree(found.source.page)) for _, found in usable], format="csr")
    targets = np.concatenate([found.targets for _, found in usable])
    weights = np.concatenate([found.weights for _, found in usable]) * (targets >= 0)
    folds = np.concatenate([np.full(len(found.targets), page.fold) for page, found in usable])
    fits = Parallel(settings.jobs)(
        delayed(_fit_linear)(names, np.maximum(targets, 0), weights, folds, out, settings)
        for out in (*range(FOLDS), None)
    )
    tables = [
        weight.reshape(2, NAME_BUCKETS, len(SCORED)).transpose(1, 0, 2).reshape(NAME_BUCKETS, -1) for weight in fits
    ]
    say("html: names")
    planted = _planted_pages([page for page, _ in usable], texts, small, words_without, settings)
    say(f"html: {len(planted)} pages with written texts")
    examples = []
    for number, (fold, found) in enumerate([*((page.fold, found) for page, found in usable), *planted]):
        name_scorer = partial(score_names, table=tables[fold])
        evidence = extract([found.source], _known(found.word_scores), name_scorer)
        examples.append(Example(evidence, found.targets, found.weights, fold, number < len(usable)))
    return quantised(tables[-1]), examples


def _read_page(page: GoldPage, labelled: Text | None, text_model: Model, words: WordNetwork) -> PageRead | None:
    """A page with the kind of every block it is sure about; what is no article takes its kind from labels or the text classifier."""
    with threadpool_limits(1):
        try:
            source = read_page(page.markup)
        except DeclutterError:
            return None
        if not source.texts:
            return None
        inside = align.in_gold(source.texts, page.gold)
        evidence = extract([Source("list", source.texts)], text_model.words.scores, None)
        likely = np.exp(text_model.scores(evidence))
        targets, weights = targets_of(inside, likely)
        for i, kind in enumerate(align.kinds_of_blocks(source.texts, labelled) if labelled else ()):
            if kind is not None:
                agree = inside[i] == align.UNKNOWN or (kind is Kind.CONTENT) == (inside[i] == align.INSIDE)
                targets[i] = SCORED.index(kind) if agree else -1
        if source.page.headline is not None:
            targets[source.page.headline] = -1
        return PageRead(source, targets, weights, words.scores(evidence.words))


def _planted_pages(
    pages: Sequence[GoldPage],
    texts: Sequence[Text],
    small: Sequence[Text],
    words_without: Sequence[WordNetwork],
    settings: Settings,
) -> list[tuple[int, PageRead]]:
    """Pages made of texts, and their folds.

    They have a notice of another site among the paragraphs of their article, or a hard negative in its place, or are small ones with a
    message or a short article.
    """
    if not settings.planted:
        return []
    splicer = Splicer(texts, settings.seed + 2)
    drawn: list[tuple[GoldPage | None, Text]] = []
    for number, page in enumerate(page for page in pages if page.page_type == "article"):
        lines = [splicer.notice(page) for _ in range(settings.planted)]
        if number % _TRANSPLANTED == 0:
            lines.append(splicer.negative(page))
        drawn += [(page, _chosen(texts, some)) for some in lines if some]
    drawn += [(None, text) for text in small]
    read = Parallel(settings.jobs)(
        delayed(_read_planted)(page, text, np.random.default_rng((settings.seed, number)), words_without[text.fold])
        for number, (page, text) in enumerate(drawn)
    )
    return [(text.fold, found) for (_, text), found in zip(drawn, read, strict=True) if found is not None]


def _chosen(texts: Sequence[Text], lines: Sequence[Line]) -> Text:
    """A text with some of its lines only."""
    text = texts[lines[0].text]
    numbers = [line.number for line in lines]
    return replace(text, lines=tuple(text.lines[i] for i in numbers), kinds=tuple(text.kinds[i] for i in numbers))


def _read_planted(
    page: GoldPage | None, text: Text, random: np.random.Generator, words: WordNetwork
) -> PageRead | None:
    """A page with a text in it. Only the text, and what of the article stands near a notice, counts: the rest is known already.

    Args:
        page: which one; None for a small page of the text alone.
        text: notices go among the paragraphs of the page's article, a text without any takes its place.
        random: what decides on places and markup.
        words: the classifier of words that scores the page.
    """
    with threadpool_limits(1):
        notice = any(kind in NOTICES for kind in text.kinds)
        if page is None:
            tree: etree._Element | None = build(text.lines, text.kinds, random)
        elif notice:
            place = random.choice(PLACES, p=_PLACES_ON_PAGES) if random.random() < 0.5 or not text.place else text.place
            tree = plant(page.markup, page.gold, text.lines, str(place), random)
        else:
            tree = transplant(page.markup, page.gold, text.lines)
        if tree is None:
            return None
        source = read_page(tree)
        planted = find_planted(source.texts, text.lines)
        if len(planted) < min(len(text.lines), _ENOUGH_PLANTED):
            return None
        targets = np.full(len(source.texts), -1)
        if page is not None and notice:
            near = slice(max(0, min(planted) - NEAR), max(planted) + NEAR)
            targets[near] = np.where(align.in_gold(source.texts[near], page.gold) == align.INSIDE, CONTENT, -1)
        for block, line in planted.items():
            targets[block] = SCORED.index(text.kinds[line])
        if source.page.headline is not None:
            targets[source.page.headline] = -1
        source.page.origin = None  # a tree cannot go from one process to another
        weights = np.where((page is None) & (targets != CONTENT), _NO_ARTICLE, 1.0)
        return PageRead(source, targets, weights, words.scores(find_words(source.texts)))


_TRANSPLANTED = 4  # every so manieth page has a hard negative for its article
_NO_ARTICLE = 0.3  # weight of what is none on a small page: to lose a short article is worse than to keep a message
_PLACES_ON_PAGES = (0.15, 0.35, 0.5)  # shares of `PLACES` where a notice stands elsewhere than usual
_ENOUGH_PLANTED = 4  # lines of a text that have to be found again


def targets_of(inside: np.ndarray, likely: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Kinds and weights of a page's blocks from gold and from what the text classifier thinks of them.

    Gold says what is article; conventions about captions and bylines differ, so blocks that look like one count little.
    """
    elsewhere = likely.copy()
    elsewhere[:, CONTENT] = 0
    targets = np.where(inside == align.INSIDE, CONTENT, elsewhere.argmax(axis=1))
    targets[inside == align.UNKNOWN] = -1
    credit = likely[:, CAPTION] + likely[:, BYLINE] > 0.6
    weights = np.where(credit & (inside == align.INSIDE), 0.2, 1.0)
    return targets, weights
