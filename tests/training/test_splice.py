import pytest

from declutter.kinds import NOTICES, Kind
from declutter.training.corpus import Text, fold
from declutter.training.splice import Line, Splicer

C, A, S, B, P = Kind.CONTENT, Kind.APPEAL, Kind.SIGNUP, Kind.BYLINE, Kind.CAPTION


def text(name, lang, site, kinds, place="", rendering="readability"):
    lines = tuple(f"{name} {number}" for number in range(len(kinds)))
    return Text(name, lang, site, "test", rendering, lines, tuple(kinds), place)


SAME = [site for site in (f"{number}.example" for number in range(100)) if fold(site) == 0]  # sites of one fold
OTHER = next(site for site in (f"{number}.example" for number in range(100)) if fold(site) == 1)
TEXTS = [
    text("article", "en", SAME[0], [B, C, P, C, C, A, A, C, S, C] + [C] * 8),
    text("other", "en", SAME[1], [C, C, S, S, A, C]),
    text("deutsch", "de", SAME[2], [C, C, A, A, C]),
    text("letter", "en", SAME[3], [A, A, A], place="end"),
    text("brief", "de", SAME[4], [A, A, A], place="start"),
    text("box", "en", SAME[0], [S, S], place="middle"),
    text("string", "en", SAME[5], [Kind.PAYWALL], rendering="string"),
    text("elsewhere", "en", OTHER, [A, A, A], place="end"),
    text("far", "en", OTHER, [C, S, S, A, C]),
]


def splices(seed, t=0, count=60):
    splicer = Splicer(TEXTS, seed)
    return [splicer.splice(t) for _ in range(count)]


@pytest.mark.parametrize("t", [0, 1, 2])
def test_a_splice_keeps_the_articles_lines_in_order(t):
    for lines in splices(0, t):
        own = [line.number for line in lines if line.text == t]
        assert own == sorted(set(own))


def test_a_short_article_keeps_all_its_content():
    for lines in splices(0, t=1):
        own = {line.number for line in lines if line.text == 1}
        assert {0, 1, 5} <= own


def test_notices_come_from_another_site_in_the_same_language_and_fold():
    used = {line.text for lines in splices(1) for line in lines} - {0}
    assert used == {1, 3}  # not German, not of the same site, not a string of software
    used = {line.text for lines in splices(1, t=2) for line in lines} - {2}
    assert used == {4}


def test_only_notices_are_put_in():
    for lines in splices(2):
        guests = [line for line in lines if line.text != 0]
        assert all(TEXTS[line.text].kinds[line.number] in NOTICES for line in guests)


def test_most_splices_hold_a_notice_and_they_stand_at_all_places():
    made = splices(3)
    places = [
        min(i for i, line in enumerate(lines) if line.text != 0) / len(lines) for lines in made if len(set(lines)) > 18
    ]
    assert sum(any(line.text != 0 for line in lines) for lines in made) > 50
    assert min(places) < 0.2
    assert max(places) > 0.8


def test_the_same_seed_makes_the_same_splices():
    assert splices(4) == splices(4)
    assert splices(4) != splices(5)


def test_a_language_without_notices_stays_as_it_is():
    alone = [text("vietnamese", "vi", "x.example", [C, C, C])]
    assert [line.number for line in Splicer(alone).splice(0)] == [0, 1, 2]


def test_thinning_takes_out_other_lines_but_never_content():
    splicer = Splicer(TEXTS, 0)
    made = [[line.number for line in splicer.thin(0)] for _ in range(40)]
    content = [i for i, kind in enumerate(TEXTS[0].kinds) if kind is C]
    for numbers in made:
        assert numbers == sorted(numbers)
        assert set(content) <= set(numbers)
    assert min(map(len, made)) < max(map(len, made))


def test_a_hard_negative_is_of_the_same_language_and_fold_and_holds_no_notice():
    texts = [*TEXTS, text("trap", "en", SAME[6], [C, C, B], rendering="written"), text("falle", "de", SAME[7], [C, C])]
    splicer = Splicer(texts)
    assert splicer.negative(TEXTS[0]) == [Line(len(TEXTS), number) for number in range(3)]
    assert splicer.negative(TEXTS[2]) == []  # the German one is no written one


def test_hard_negatives_leave_splices_as_they_were():
    texts = [*TEXTS, text("trap", "en", SAME[6], [C, C, B], rendering="written")]
    assert [Splicer(texts, 4).splice(0) for _ in range(3)] == [Splicer(TEXTS, 4).splice(0) for _ in range(3)]
