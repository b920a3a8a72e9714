import dataclasses
import json
import lzma
import shutil

import numpy as np
import pytest

from declutter import Declutter
from declutter.errors import CorpusError
from declutter.features.layout import Layout
from declutter.features.words import familiarity, find_words
from declutter.kinds import SCORED, Kind
from declutter.model import DESCRIPTION, WEIGHTS, load_model
from declutter.policy import PRESETS, Thresholds
from declutter.training import align, report, train
from declutter.training.corpus import FOLDS, PAGE_SETS, GoldPage, Text, fold
from declutter.training.train import Pool, Settings, calibration_error, targets_of

SETTINGS = Settings(
    hidden=4,
    networks=(1, 1),
    epochs=1,
    page_epochs=1,
    splices=1,
    iterations=5,
    jobs=1,
    word_hidden=8,
    word_networks=1,
    word_epochs=15,
    word_alpha=0.001,
    word_rate=0.2,
)
SITES = [f"site{number}.example" for number in range(12)]
SENTENCES = [
    "The river rose by two metres overnight, the mayor said on Monday, and the bridge will stay closed until Friday.",
    "Farmers in the valley lost most of their hay, and the council promised them help before the winter comes.",
    "The museum opens its doors again after three years, with a show about the ships that never came home.",
    "Two teams from the north reached the final, which neither of them had expected at the start of the season.",
    "The agency wrote that the water should fall again, although more rain is on its way from the west.",
]
NOTICES = [
    ("appeal", "Dear reader, our newsroom needs your donation today."),
    ("paywall", "This article is for subscribers only. Log in to read on."),
    ("signup", "Sign up for our newsletter"),
    ("social", "Share on social media"),
    ("related", "Read more: ten walks in the hills"),
    ("navigation", "Home | News | Sport"),
    ("advert", "Advertisement"),
    ("legal", "© 2024 Vale Echo. All rights reserved."),
    ("consent", "We use cookies. Accept all"),
    ("comment", "12 comments"),
    ("interface", "Loading ..."),
]
CREDITS = [("byline", "By Ann Hill, 3 May 2024"), ("caption", "The bridge on Monday. Photo: Ann Hill")]


def lines_of(number):
    """A made-up text: menu, byline, three sentences, caption, two notices; no two texts are alike."""
    sentences = [f"{SENTENCES[(number + i) % 5]} It was day {'abcdefghijkl'[number]}." for i in range(3)]
    notices = [NOTICES[(number + i) % len(NOTICES)] for i in (0, 4, 7)]
    pairs = [notices[0], CREDITS[0], *(("content", sentence) for sentence in sentences), CREDITS[1], *notices[1:]]
    return [{"kind": kind, "text": text} for kind, text in pairs]


def markup_of(number):
    menu, byline, *body, caption, first, second = (line["text"] for line in lines_of(number))
    paragraphs = "".join(f"<p>{text}</p>" for text in body)
    return (
        f"<title>{body[0][:40]}</title><nav class=menu><a href=/>{menu}</a></nav><article><h1>{body[0][:40]}</h1>"
        f"<p class=byline>{byline}</p>{paragraphs}<figcaption>{caption}</figcaption></article>"
        f"<aside class=box><div>{first}</div></aside><footer><p>{second}</p></footer>"
    )


def gold_of(number):
    return "\n".join(line["text"] for line in lines_of(number) if line["kind"] == "content")


def write(path, records):
    content = "".join(json.dumps(record) + "\n" for record in records).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(lzma.compress(content) if path.suffix == ".xz" else content)


def write_folders(root):
    """A tiny corpus and a tiny data folder, in the formats of the real ones."""
    assert {fold(site) for site in SITES} == set(range(FOLDS))
    data, corpus = root / "data", root / "corpus"
    numbered = list(enumerate(SITES))
    texts = [
        {"id": f"fundus/{i}", "lang": "en", "site": site, "source": "fundus", "rendering": "window", "split": "train"}
        | {"lines": lines_of(i)}
        for i, site in numbered
    ]
    write(data / "labelled_texts.jsonl.xz", texts)
    for offset, name in enumerate(("fundus", "andy", "dragnet", "wcxb")):
        pages = [
            {"id": f"{name}/{i}", "lang": "en", "site": site, "split": "train"}
            | {"gold": gold_of(i), "html": markup_of(i)}
            for i, site in numbered[offset::4]
        ]
        write(data / f"{name}.jsonl.xz", pages)
    write(data / "notices.jsonl.xz", [{"kind": kind, "lang": "en", "text": text} for kind, text in NOTICES])
    written = {"lang": "en", "publisher": "Vale Echo", "lines": lines_of(0)}
    notice = {"id": "n", "template": "n", "place": "end", "lines": [{"kind": "appeal", "text": "Give us a hand"}]}
    negative = [{"kind": "content", "text": f"{sentence} She gave a donation."} for sentence in SENTENCES]
    write(corpus / "texts" / "en.jsonl", [written | {"id": "t", "template": "t"}])
    write(corpus / "notices" / "en.jsonl", [written | notice])
    write(corpus / "negatives" / "en.jsonl", [{"id": "g", "lang": "en", "template": "g", "lines": negative}])
    return corpus, data


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return write_folders(tmp_path_factory.mktemp("sources"))


def run(folders, folder, **changes):
    said = []
    train.train(*folders, folder, dataclasses.replace(SETTINGS, **changes), said.append)
    return folder


@pytest.fixture(scope="module")
def trained(folders, tmp_path_factory):
    return run(folders, tmp_path_factory.mktemp("trained"))


def test_a_trained_model_loads_and_labels(trained):
    document = Declutter(trained).label("\n".join(SENTENCES), "text")
    assert len(document) == len(SENTENCES)
    assert document.probabilities.sum(axis=1) == pytest.approx(np.ones(len(SENTENCES)), abs=1e-5)
    assert len(Declutter(trained).label(markup_of(3), "html")) == 9


def test_the_words_tell_what_was_trained_from_what_was_not(trained):
    scores = load_model(trained).words.scores(find_words(["Sign up for our newsletter", SENTENCES[0]]))
    assert [SCORED[best] for best in scores.argmax(axis=1)] == [Kind.SIGNUP, Kind.CONTENT]


def test_the_description_says_what_it_was_trained_on(trained, folders):
    about = json.loads((trained / DESCRIPTION).read_text("utf-8"))
    assert about["counts"]["pages"] == 12
    assert about["counts"]["texts"] == 12 + 3 + len(NOTICES)
    assert about["settings"]["hidden"] == 4
    assert about["corpus"] == train.fingerprint(folders[0])
    assert set(about["out_of_fold"]) == {"text", "html"}
    assert "jobs" not in about["settings"]


def test_the_same_seed_gives_the_same_bytes(trained, folders, tmp_path):
    run(folders, tmp_path)
    for name in (WEIGHTS, DESCRIPTION):
        assert (tmp_path / name).read_bytes() == (trained / name).read_bytes()


def test_another_seed_gives_other_weights(trained, folders, tmp_path):
    run(folders, tmp_path, seed=1)
    assert (tmp_path / WEIGHTS).read_bytes() != (trained / WEIGHTS).read_bytes()


def test_another_text_gives_other_weights_and_another_fingerprint(trained, tmp_path):
    corpus, data = write_folders(tmp_path)
    extra = [{"kind": "content", "text": text[::-1]} for text in SENTENCES]
    write(corpus / "negatives" / "de.jsonl", [{"id": "h", "lang": "de", "template": "h", "lines": extra}])
    run((corpus, data), tmp_path / "model")
    assert (tmp_path / "model" / WEIGHTS).read_bytes() != (trained / WEIGHTS).read_bytes()
    assert load_model(tmp_path / "model").about["corpus"] != load_model(trained).about["corpus"]


def test_a_broken_corpus_stops_the_run_and_writes_nothing(tmp_path):
    corpus, data = write_folders(tmp_path)
    (corpus / "notices" / "xx.jsonl").write_text("{\n")
    with pytest.raises(CorpusError, match=r"xx\.jsonl:1"):
        run((corpus, data), tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_missing_data_folder_stops_the_run(folders, tmp_path):
    with pytest.raises(OSError, match="none"):
        run((folders[0], tmp_path / "none"), tmp_path / "model")


def test_the_page_limit_is_of_every_set(folders):
    pages = list(train.read_pages(folders[1], "train"))
    limited = list(train._limited(pages, 2))
    assert [page.source for page in limited] == [name for name in PAGE_SETS for _ in range(2)]
    assert list(train._limited(pages, None)) == pages


def pool(weight):
    texts = [
        Text(f"t{i}", "en", site, "test", "string" if i % 2 else "window", ("Give now", "It rained"), kinds)
        for i, site in enumerate(SITES)
        for kinds in [(Kind.APPEAL, Kind.CONTENT) if i % 2 else (Kind.CONTENT, Kind.SIGNUP)]
    ]
    made = Pool(texts)
    made.weights[made.weights < 1] = weight
    return made


def test_training_weights_change_the_fitted_classifier():
    light, heavy = (pool(weight).fit(SETTINGS)[-1] for weight in (0.01, 100))
    appeal, content = SCORED.index(Kind.APPEAL), SCORED.index(Kind.CONTENT)
    light, heavy = (fitted.scores(find_words(["Give now"]))[0] for fitted in (light, heavy))
    assert light[content] > light[appeal]
    assert heavy[appeal] > heavy[content]


def test_weights_change_the_fitted_network():
    random = np.random.default_rng(0)
    columns = random.normal(size=(600, 5)).astype(np.float32)
    targets = np.where(np.arange(600) % 2, 0, 3)
    found = []
    for weight in (0.1, 10.0):
        weights = np.where(targets == 3, weight, 1.0)
        settings = dataclasses.replace(SETTINGS, epochs=150)
        fitted = train._fit_network("text", 1, columns, np.r_[targets[:-1], 5], weights, np.ones(600, bool), settings)
        found.append(np.exp(fitted.scores(columns))[:, 3].mean())
    assert found[0] + 0.2 < found[1]


def test_scores_of_a_line_come_from_folds_it_is_not_in():
    """Every site calls its own nonsense word something that no other site does: nobody can know it out of fold."""
    kinds = (Kind.SIGNUP, Kind.CONTENT)
    texts = [
        Text(f"t{i}", "en", site, "test", "window", ("qwertyuiopas"[i] * 7, "It rained"), kinds)
        for i, site in enumerate(SITES)
    ]
    legal = [("more text",) * 9, (Kind.LEGAL,) * 9]
    made = Pool(texts + [Text("c", "en", f"more{i}.example", "test", "window", *legal) for i in range(9)])
    known = made.fit(SETTINGS)[-1].scores(find_words(made.lines))
    inside, outside = (
        scores[made.first[: len(SITES)]][:, [SCORED.index(Kind.SIGNUP), SCORED.index(Kind.LEGAL)]]
        for scores in (known, made.scores)
    )
    assert (inside[:, 0] - inside[:, 1] > outside[:, 0] - outside[:, 1] + 0.1).all()


def test_notices_and_negatives_that_were_written_weigh_more_than_written_pages():
    def text(kinds, rendering="written", place=""):
        return Text("t", "en", "t", "t", rendering, ("It rained.",) * len(kinds), kinds, place)

    notice, negative, page = text((Kind.APPEAL,), place="end"), text((Kind.CONTENT,)), text((Kind.CONTENT, Kind.APPEAL))
    real, string = text((Kind.CONTENT, Kind.APPEAL), "window"), text((Kind.SIGNUP,), "string")
    assert train.Pool([notice, negative, page, real, string], 3.0).weights.tolist() == [3, 3, 1, 1, 1, 1, 0.5]


def test_thresholds_are_read_off_whole_texts_that_were_drawn():
    lines, kinds = ("It rained all night.", "The river rose.", "Sign up"), (Kind.CONTENT, Kind.CONTENT, Kind.SIGNUP)
    texts = [
        Text(name, "en", f"{name}.example", "set", "window", lines, kinds, drawn=drawn)
        for name, drawn in (("drawn", True), ("chosen", False))
    ]
    examples = train._text_examples(texts, train.Pool(texts), Settings(splices=2))
    assert len(examples) > 2
    assert [example.evidence.lengths.tolist() for example in examples if example.drawn] == [list(map(len, lines))]
    assert examples[0].drawn


STORY = [
    f"On day {number} the river rose again, the mayor said, and the bridge stayed shut for all." for number in range(20)
]
STORY_PAGE = f"<html><body><nav>Menu</nav><main><p>{'</p><p>'.join(STORY)}</p></main></body></html>"


class Words:
    """Stands in for a classifier of words: what it says of every block is its fold."""

    def __init__(self, fold):
        self.fold = fold

    def scores(self, words):
        return np.full((len(words.counts), len(SCORED)), self.fold, np.float32)


def planted_pages(*texts, small=(), pages=4, **settings):
    drawn = [
        GoldPage(f"page{number}", "en", "site.example", "set", "article", STORY_PAGE, "\n".join(STORY))
        for number in range(pages)
    ]
    words = [Words(fold) for fold in range(FOLDS)]
    return train._planted_pages(drawn, texts, small, words, Settings(jobs=1, **settings))


def written(site, lines, kinds, place):
    return Text(site, "en", site, site, "written", lines, kinds, place)


def test_of_a_page_with_a_planted_notice_only_its_surroundings_count():
    same_fold = next(f"other{n}.example" for n in range(99) if fold(f"other{n}.example") == fold("site.example"))
    notice = written(same_fold, ("A message from us", "Give now"), (Kind.APPEAL, Kind.APPEAL), "end")
    found = planted_pages(notice)
    assert len(found) == 4
    for page_fold, read in found:
        targets = dict(zip(read.source.texts, read.targets, strict=True))
        appeal = SCORED.index(Kind.APPEAL)
        assert set(targets) - set(STORY) - {"Menu"} <= set(notice.lines)
        assert [targets[line] for line in targets if line in notice.lines].count(appeal) >= 1
        assert targets["Menu"] == -1
        assert 4 <= sum(targets[line] == 0 for line in STORY) <= 16
        assert (read.word_scores == page_fold).all()
        assert (read.weights == 1).all()
    assert len({tuple(read.targets) for _, read in found}) > 1


def test_a_hard_negative_takes_the_place_of_every_fourth_article():
    same_fold = next(f"other{n}.example" for n in range(99) if fold(f"other{n}.example") == fold("site.example"))
    lines = tuple(
        f"Asked for money on day {number}, its readers gave it gladly, the fund said." * 5 for number in range(5)
    )
    negative = written(same_fold, lines, (Kind.CONTENT,) * 5, "")
    found = planted_pages(negative, pages=5)
    assert len(found) == 2
    for _, read in found:
        assert read.source.texts == ["Menu", *lines]
        assert read.targets.tolist() == [-1, 0, 0, 0, 0, 0]


def test_a_small_page_is_built_of_a_text_and_counts_as_a_whole():
    lines = ("Home", "Not found", "What you were looking for is not here, or not any more.", "Try another")
    kinds = (Kind.NAVIGATION, Kind.INTERFACE, Kind.INTERFACE, Kind.INTERFACE)
    ((page_fold, read),) = planted_pages(small=[written("wall", lines, kinds, "")])
    assert page_fold == fold("wall")
    assert read.source.texts == list(lines)
    assert [SCORED[target] for target in read.targets[2:]] == list(kinds[2:])
    assert read.targets[0] == SCORED.index(Kind.NAVIGATION)
    assert (read.word_scores == page_fold).all()
    assert set(read.weights) == {0.3}


def test_a_short_article_weighs_more_than_what_stands_around_it():
    text = written(
        "brief",
        ("Home", "Bridge", "The bridge is open.", "Imprint"),
        (Kind.NAVIGATION, *[Kind.CONTENT] * 2, Kind.LEGAL),
        "",
    )
    ((_, read),) = planted_pages(small=[text])
    assert read.weights[[0, 2, 3]].tolist() == [0.3, 1.0, 0.3]


def test_no_page_is_made_of_written_texts_where_none_is_to_be_planted():
    assert planted_pages(small=[written("wall", ("Not found",), (Kind.INTERFACE,), "")], planted=0) == []


def test_a_shortened_text_keeps_the_beginning_of_its_article_and_all_or_nothing_else():
    kinds = (Kind.NAVIGATION, *[Kind.CONTENT] * 9, Kind.RELATED, Kind.CONTENT, Kind.LEGAL)
    lines = tuple(f"Line {number}" for number in range(len(kinds)))
    seen = set()
    for seed in range(60):
        short = train._shortened(written("a", lines, kinds, ""), np.random.default_rng(seed))
        article = [line for line, kind in zip(short.lines, short.kinds, strict=True) if kind is Kind.CONTENT]
        others = [line for line, kind in zip(short.lines, short.kinds, strict=True) if kind is not Kind.CONTENT]
        assert article == list(lines[1 : 1 + len(article)])
        assert others in ([], ["Line 0", "Line 10", "Line 12"])
        seen.add((len(article), bool(others)))
    assert seen == {(count, bare) for count in (2, 3, 4, 5) for bare in (True, False)}


def test_notices_of_other_folds_are_not_planted():
    other_fold = next(f"other{n}.example" for n in range(99) if fold(f"other{n}.example") != fold("site.example"))
    notice = written(other_fold, ("A message from us", "Give now"), (Kind.APPEAL, Kind.APPEAL), "end")
    assert planted_pages(notice) == []
    assert planted_pages() == []


def test_gold_says_what_is_article_and_the_text_classifier_what_the_rest_is():
    likely = np.zeros((4, len(SCORED)))
    likely[:, 0] = 0.9
    likely[[0, 1], SCORED.index(Kind.SIGNUP)] = 0.1
    likely[2, SCORED.index(Kind.LEGAL)] = 0.1
    likely[3, [0, SCORED.index(Kind.CAPTION)]] = 0.1, 0.9
    targets, weights = targets_of(np.array([align.INSIDE, align.OUTSIDE, align.UNKNOWN, align.INSIDE]), likely)
    assert targets.tolist() == [0, SCORED.index(Kind.SIGNUP), -1, 0]
    assert weights[3] < weights[0] == weights[1]


def test_the_calibration_error_equals_a_hand_count():
    probabilities = np.array([0.92, 0.98, 0.95, 0.15])
    truth = np.array([True, True, False, False])
    assert calibration_error(probabilities, truth) == pytest.approx((abs(2.85 - 2) + 0.15) / 4)
    assert calibration_error(np.array([1.0, 0.0]), np.array([True, False])) == 0


def test_thresholds_cost_no_more_article_than_was_allowed():
    random = np.random.default_rng(1)
    article = random.random(2000) < 0.6
    content = np.where(article, random.beta(5, 2, 2000), random.beta(2, 5, 2000))
    probabilities = np.zeros((2000, len(SCORED)))
    probabilities[:, 0], probabilities[:, SCORED.index(Kind.RELATED)] = content, 1 - content
    targets, lengths = np.where(article, 0, SCORED.index(Kind.RELATED)), random.integers(10, 300, 2000)
    owners = np.arange(2000) // 10
    found = train._thresholds_for_loss(probabilities, targets, lengths, owners)
    stripped, highest = [], Thresholds.even(1)
    for name, preset in PRESETS.items():
        kept = found[name].keeps(probabilities, lengths)
        lost = [lengths[article & ~kept & (owners == owner)].sum() for owner in range(200)]
        share, error = train._ratio(np.array(lost), np.bincount(owners, lengths * article))
        assert share == pytest.approx(sum(lost) / lengths[article].sum())
        assert 0 < share <= preset.content_loss - error
        assert all(getattr(found[name], part) <= getattr(highest, part) for part in ("short", "long", "credit"))
        stripped.append((~kept & ~article).sum())
        highest = found[name]
    assert stripped == sorted(set(stripped), reverse=True)


def test_the_error_of_a_ratio_is_that_of_ratios_drawn_again():
    random = np.random.default_rng(1)
    wholes = random.integers(50, 150, 400)
    parts = random.binomial(wholes, random.beta(2, 8, 400))
    drawn = (random.integers(0, 400, 400) for _ in range(2000))
    again = [parts[chosen].sum() / wholes[chosen].sum() for chosen in drawn]
    share, error = train._ratio(parts, wholes)
    assert share == pytest.approx(parts.sum() / wholes.sum())
    assert error == pytest.approx(np.std(again), rel=0.1)


def test_where_no_threshold_is_cheap_enough_everything_is_kept():
    probabilities = np.zeros((10, len(SCORED)))
    probabilities[:, SCORED.index(Kind.RELATED)] = 1
    found = train._thresholds_for_loss(probabilities, np.zeros(10, int), np.full(10, 50), np.arange(10))
    assert set(found.values()) == {Thresholds.even(0)}
    assert found["archive"].keeps(probabilities, np.full(10, 50)).all()


def test_a_model_carries_thresholds_for_every_preset(trained):
    thresholds = load_model(trained).thresholds
    assert all(set(thresholds[form]) == set(PRESETS) for form in ("text", "html"))
    assert [thresholds["html"][preset].short for preset in ("reading", "archive")] == [0.5, 0.2]


def test_a_word_is_known_once_two_texts_have_it():
    rare, common = ("quokka " * 40).strip(), ("wombat " * 40).strip()
    texts = [
        Text(f"t{i}", "en", "s", "test", "window", (line,), (Kind.CONTENT,))
        for i, line in enumerate([rare, common, common])
    ]
    known = train._known_words(texts)
    assert familiarity(find_words([common]), Layout([1]), known) == 1
    assert familiarity(find_words([rare]), Layout([1]), known) == 0


def test_the_card_says_what_was_trained_and_what_each_step_gained(trained, folders, tmp_path):
    folder = shutil.copytree(trained, tmp_path / "model")
    (tmp_path / "corpus").mkdir()
    shutil.copytree(folders[0], tmp_path / "corpus", dirs_exist_ok=True)
    (tmp_path / "corpus" / "sources.toml").write_text(
        '[[source]]\nname = "pages"\nlicence = "MIT"\nwhat = "gold text"\n'
    )
    report.write_card(folder, tmp_path / "corpus", None)
    card = (folder / "card.md").read_text("utf-8")
    assert "| pages | MIT | gold text |" in card
    assert all(f"| plain text, {preset} |" in card for preset in PRESETS)
    assert "What each step gained" not in card
    about = load_model(folder).about
    for corpus, named in (("another", "the corpus as it was before (`another`)"), (about["corpus"], "this corpus")):
        steps = {"corpus": corpus, "steps": [{"step": "two passes", "before": [0.8, 0.7], "after": [0.9, 0.75]}]}
        page_steps = [{"step": "planted", "scores": [[0.5, 0.6], []]}]
        steps["page_steps"] = {"measured": "On pages.", "columns": ["set", "other"], "steps": page_steps}
        (folder / report.ABLATIONS).write_text(json.dumps(steps))
        report.write_card(folder, tmp_path / "corpus", None)
        card = (folder / "card.md").read_text("utf-8")
        assert "| two passes | 0.800 to 0.900 | 0.700 to 0.750 |" in card
        assert "| planted | 0.500 to 0.600 |  |" in card
        assert f"Measured one step at a time on {named}, " in card
    assert f"`{about['corpus']}`. No text" in card
    (tmp_path / "corpus" / "texts" / "xx.jsonl").write_text("")
    report.write_card(folder, tmp_path / "corpus", None)
    assert f"`{about['corpus']}` (it has grown since). No text" in (folder / "card.md").read_text("utf-8")
