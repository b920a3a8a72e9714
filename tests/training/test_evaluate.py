import json
from pathlib import Path

import numpy as np
import pytest

from declutter.document import Document, Reason, Source
from declutter.errors import CorpusError
from declutter.kinds import SCORED, Kind
from declutter.readers.html import read_page
from declutter.training.corpus import GoldPage, Text, held_out, read_written
from declutter.training.evaluate import (
    Mistake,
    Tally,
    below_floors,
    evaluate,
    plant_notices,
    read_floors,
    small_pages,
    splice_notices,
)
from declutter.training.report import mistakes_table

CORPUS = Path(__file__).parents[2] / "corpus"
C, A, S, B, P, V, H = (
    Kind.CONTENT,
    Kind.APPEAL,
    Kind.SIGNUP,
    Kind.BYLINE,
    Kind.CAPTION,
    Kind.NAVIGATION,
    Kind.HEADLINE,
)


def text(kinds, lines=None, name="t", lang="en", site="s", place=""):
    lines = lines or [f"{name} line {number}" for number in range(len(kinds))]
    return Text(name, lang, site, "test", "written", tuple(lines), tuple(kinds), place)


@pytest.fixture
def tally():
    """Two texts: content lost 1 of 4 (10 of 40 characters), notices gone 2 of 3, one of them of the right kind."""
    counted = Tally()
    lines = ["x" * 10] * 4 + ["***", "caption", "give", "join"]
    truth, called = [C, C, C, C, V, P, A, S], [C, C, H, V, C, C, A, A]
    kept = [True, True, True, False, True, True, False, False]
    assert counted.add(text(truth, lines), called, kept, [0.9, 0.9, 0.9, 0.1, 0.5, 0.5, 0.0, 0.0]) == [3]
    assert counted.add(text([A]), [C], [True], [0.95]) == [0]
    assert counted.add(text([A, B], ["-", "Ann"]), [C, B], [True, False], [0.95, 0.05]) == []
    return counted


def test_scores_equal_a_hand_count(tally):
    scores = tally.scores()
    assert scores["texts"] == 3
    assert scores["content_lost_lines"] == 0.25
    assert scores["content_lost_characters"] == 0.25
    assert scores["notice_precision"] == pytest.approx(2 / 3, abs=1e-4)
    assert scores["perfect_texts"] == pytest.approx(1 / 3, abs=1e-4)
    assert scores["untouched_articles"] == pytest.approx(2 / 3, abs=1e-4)
    assert scores["kinds_right"] == 0.5


def test_scores_of_a_kind_equal_a_hand_count(tally):
    kinds = tally.scores()["kinds"]
    assert kinds["content"] == {"lines": 4, "precision": round(3 / 7, 4), "recall": 0.75, "f1": round(6 / 11, 4)}
    assert kinds["appeal"] == {"lines": 3, "precision": 0.5, "recall": round(1 / 3, 4), "f1": 0.4}
    assert kinds["signup"] == {"lines": 1, "precision": 0.0, "recall": 0.0, "f1": 0.0}
    assert "comment" not in kinds


def test_the_calibration_error_equals_a_hand_count():
    counted = Tally()
    counted.add(text([C, C, A, A]), [C, C, C, A], [True] * 3 + [False], [0.92, 0.98, 0.95, 0.15])
    # three in one bin sum up to 2.85 for 2 of content, one in another to 0.15 for none
    assert counted.scores()["calibration_error"] == pytest.approx((0.85 + 0.15) / 4)


def test_nothing_counted_has_scores_of_zero():
    assert Tally().scores()["notice_f1"] == 0
    assert Tally().scores()["kinds"] == {}


class Judge:
    """Stands in for a labeller: calls what begins with "give" an appeal, everything else content."""

    def label(self, source):
        lines = source if isinstance(source, list) else read_page(source).texts
        probabilities = np.zeros((len(lines), len(SCORED)))
        probabilities[:, 0] = [0.1 if line.startswith("give") else 0.8 for line in lines]
        probabilities[:, SCORED.index(A)] = 1 - probabilities[:, 0]
        kinds = [A if line.startswith("give") else C for line in lines]

        return Document(
            Source("list", list(lines)), probabilities, kinds, [kind is C for kind in kinds], {}, [], False, self
        )

    def explain(self, document, index):
        return [Reason("it begins with what it begins with", 1.5)]


def test_evaluation_breaks_scores_down_and_lists_the_worst_mistake_first():
    texts = [
        text([C, A], ["it rained", "give"], "one", "en"),
        text([C, A, C], ["es regnete", "spenden", "give " * 30], "two", "de"),
    ]
    scores, mistakes = evaluate(Judge(), texts)
    assert scores["texts"] == 2
    assert scores["by_language"]["en"]["notice_f1"] == 1
    assert scores["by_language"]["de"]["notice_f1"] == 0
    assert [(mistake.text.id, mistake.number) for mistake in mistakes] == [("two", 2), ("two", 1)]
    assert isinstance(mistakes[0], Mistake)
    assert mistakes[0].weight > mistakes[1].weight
    assert "two line 2 of 3" in str(mistakes[1])
    assert "is appeal, called content; content 0.80, appeal 0.20" in str(mistakes[1])
    assert "why: it begins with what it begins with: +1.5" in str(mistakes[1])
    assert (mistakes[0].fifth, mistakes[1].fifth) == (4, 2)
    table = mistakes_table(mistakes)
    assert "| content, appeal | 1 |" in table
    assert "| de | 2 |" in table


ARTICLES = [
    text([H, C, P, C, C, C, A], name="english", site="x.example"),
    text([C] * 5, name="deutsch", lang="de", site="y.example"),
    text([C] * 3, name="short", lang="fr", site="z.example"),
]


@pytest.mark.parametrize(("place", "at"), [("start", 1), ("end", 4), ("", 4)])
def test_a_notice_is_spliced_where_such_notices_stand(place, at):
    (spliced,) = splice_notices([text([A, S], name="notice", place=place)], ARTICLES)
    assert [line for line in spliced.lines if line.startswith("english")] == [f"english line {n}" for n in (1, 3, 4, 5)]
    assert spliced.lines[at : at + 2] == ("notice line 0", "notice line 1")
    assert spliced.kinds == (*[C] * at, A, S, *[C] * (4 - at))


def test_a_notice_of_the_middle_has_article_on_both_sides():
    for seed in range(10):
        (spliced,) = splice_notices([text([A], place="middle")], ARTICLES, seed=seed)
        assert 0 < spliced.kinds.index(A) < 4


def test_a_notice_is_spliced_into_its_own_language_and_another_site_only():
    assert splice_notices([text([A], lang="fr")], ARTICLES) == []  # too short
    assert splice_notices([text([A], lang="fi")], ARTICLES) == []
    assert splice_notices([text([A], site="x.example")], ARTICLES) == []
    (spliced,) = splice_notices([text([A], lang="de", name="n", site="s")], ARTICLES)
    assert (spliced.lang, spliced.site, spliced.id) == ("de", "s", "n in deutsch 0")


def test_splicing_is_the_same_for_the_same_seed():
    notices = [text([A], name=f"n{i}", place="middle") for i in range(20)]
    assert splice_notices(notices, ARTICLES, seed=1) == splice_notices(notices, ARTICLES, seed=1)
    assert splice_notices(notices, ARTICLES, seed=1) != splice_notices(notices, ARTICLES, seed=2)


STORY = [
    f"On day {number} the river rose by another metre, the mayor said, and the bridge stayed shut."
    for number in range(20)
]
STORY_PAGE = (
    f"<html><body><nav>Menu</nav><main><p>{'</p><p>'.join(STORY)}</p></main><p>give elsewhere</p></body></html>"
)


def page(name="page", lang="en", page_type="article"):
    return GoldPage(name, lang, f"{name}.example", "set", page_type, STORY_PAGE, "\n".join(STORY))


def test_a_notice_in_a_page_is_judged_with_what_of_the_article_is_near():
    notice = text([A, S], ["give now", "Not today"], name="notice", place="end")
    (part,) = plant_notices([notice], [page(), page("shop", page_type="product")])
    assert part.text.id == "notice in page"
    assert part.text.lines == (*STORY[-8:], "give now", "Not today")
    assert part.text.kinds == (*[C] * 8, A, S)
    scores, mistakes = evaluate(Judge(), [part])
    assert (scores["texts"], scores["notice_precision"], scores["notice_recall"]) == (1, 1, 0.5)
    assert [(mistake.text.lines[mistake.number], mistake.paragraph.text) for mistake in mistakes] == [
        ("Not today",) * 2
    ]


def test_pages_take_notices_in_their_language_or_in_english():
    notices = [text([A], ["bitte"], "german", "de", place="end"), text([A], ["please"], "english", place="end")]
    parts = plant_notices(notices, [page("eins", "de"), page("un", "fr")])
    assert [part.text.id for part in parts] == ["german in eins", "english in un"]
    assert [part.text.lang for part in parts] == ["de", "fr"]


def test_small_pages_hold_what_their_texts_do():
    wall = text([V, Kind.INTERFACE, Kind.INTERFACE], ["Home", "Not found", "give now"], "wall")
    parts = small_pages([wall, wall])
    assert [part.numbers for part in parts] == [[0, 1, 2]] * 2
    assert [read_page(part.tree).texts for part in parts] == [list(wall.lines)] * 2
    scores, _ = evaluate(Judge(), parts)
    assert scores["texts"] == 2


def test_a_page_of_every_held_out_text_can_be_read_back():
    texts = [text for text in read_written(CORPUS).pages if held_out(text)]
    assert len(texts) > 40
    for part in small_pages(texts):
        assert read_page(part.tree).texts == list(part.text.lines), part.text.id


SCORES = {"dev": {"notice_f1": 0.9, "content_lost_lines": 0.01}}


def test_scores_at_their_floors_pass():
    assert below_floors(SCORES, {"dev": {"notice_f1": 0.9, "content_lost_lines": 0.01}}) == []


@pytest.mark.parametrize(
    ("floors", "words"),
    [
        ({"dev": {"notice_f1": 0.91}}, "dev: notice_f1 is 0.9, below its floor 0.91"),
        ({"dev": {"content_lost_lines": 0.009}}, "dev: content_lost_lines is 0.01, above its floor 0.009"),
        ({"dev": {"no_such": 0.5}}, "dev: there is no score no_such"),
    ],
)
def test_a_score_worse_than_its_floor_is_named(floors, words):
    assert below_floors(SCORES, floors) == [words]


def test_a_set_that_was_not_scored_is_not_held_against_it():
    assert below_floors(SCORES, {"notices": {"notice_f1": 0.99}}) == []


def test_floors_are_read_from_a_file(tmp_path):
    (tmp_path / "floors.json").write_text(json.dumps({"dev": {"notice_f1": 0.5}}))
    assert read_floors(tmp_path / "floors.json") == {"dev": {"notice_f1": 0.5}}


def test_floors_that_cannot_be_read_are_an_error_of_one_line(tmp_path):
    (tmp_path / "floors.json").write_text("{")
    for name in ("floors.json", "none.json"):
        with pytest.raises(CorpusError, match=name):
            read_floors(tmp_path / name)
