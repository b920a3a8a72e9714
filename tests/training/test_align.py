from declutter.kinds import Kind
from declutter.training.align import INSIDE, OUTSIDE, UNKNOWN, in_gold, kinds_of_blocks
from declutter.training.corpus import Text

C, V, B, S, R = Kind.CONTENT, Kind.NAVIGATION, Kind.BYLINE, Kind.SIGNUP, Kind.RELATED
FIRST = "The river rose by two metres overnight, the mayor said on Monday."
SECOND = "The bridge will stay closed until the water has fallen again, she added."
GOLD = f"{FIRST}\n{SECOND}\nWhat next?"


def text(*pairs):
    return Text("t", "en", "s", "test", "window", tuple(line for line, _ in pairs), tuple(kind for _, kind in pairs))


def test_lines_of_gold_are_inside_and_others_outside():
    blocks = ["Home", FIRST, SECOND, "What next?", "Subscribe to our newsletter today and never miss a story"]
    assert in_gold(blocks, GOLD).tolist() == [OUTSIDE, INSIDE, INSIDE, INSIDE, OUTSIDE]


def test_white_space_case_and_marks_make_no_difference():
    assert in_gold([FIRST.upper().replace(" ", "\n "), "what  NEXT"], GOLD).tolist() == [INSIDE, INSIDE]


def test_part_of_a_gold_line_is_inside_when_it_is_long():
    assert in_gold(["stay closed until the water has fallen"], GOLD).tolist() == [INSIDE]
    assert in_gold(["the water"], GOLD).tolist() == [UNKNOWN]


def test_a_block_that_gold_holds_only_partly_is_unknown():
    mixed = f"{FIRST} Read more about this story in the paper on sale tomorrow morning everywhere in town."
    assert in_gold([mixed], GOLD).tolist() == [UNKNOWN]


def test_a_block_without_letters_is_unknown():
    assert in_gold(["* * *"], GOLD).tolist() == [UNKNOWN]


def test_of_a_repeated_line_the_one_among_the_article_is_inside():
    teasers = ["What next?", "Sport", "Weather", "Travel", "Culture", "Money"]
    found = in_gold([*teasers, FIRST, SECOND, "What next?"], GOLD)
    assert found.tolist() == [OUTSIDE] * 6 + [INSIDE] * 3


def test_a_long_repeated_paragraph_is_unknown_elsewhere():
    long = f"{FIRST[:-1]}, and the fire brigade will close the bridge."
    found = in_gold([long, "a", "b", "c", "d", "e", long, SECOND], f"{long}\n{SECOND}")
    assert len(long) > 100
    assert found.tolist() == [UNKNOWN, OUTSIDE, OUTSIDE, OUTSIDE, OUTSIDE, OUTSIDE, INSIDE, INSIDE]


def test_an_empty_page_has_no_blocks_to_judge():
    assert in_gold([], GOLD).tolist() == []
    assert in_gold(["Home"], "").tolist() == [OUTSIDE]


def test_blocks_take_the_kinds_of_the_lines_they_are():
    labels = text(("By Ann", B), (FIRST, C), (SECOND, C), ("Sign up", S))
    blocks = ["Home", "By Ann", FIRST, "(advert)", SECOND, "Sign up", "Imprint"]
    assert kinds_of_blocks(blocks, labels) == [None, B, C, None, C, S, None]


def test_a_block_of_several_lines_takes_the_kind_of_most_characters():
    labels = text(("By Ann", B), (FIRST, C), ("Sign up", S))
    assert kinds_of_blocks([f"By Ann {FIRST}", "Sign up"], labels) == [C, S]


def test_lines_that_the_page_lacks_are_passed_over():
    labels = text((FIRST, C), ("gone", R), ("gone too", R), (SECOND, C))
    assert kinds_of_blocks([FIRST, SECOND], labels) == [C, C]


def test_the_labelled_window_is_found_where_most_of_it_follows():
    labels = text(("News", V), (FIRST, C), (SECOND, C))
    blocks = ["News", *(f"menu {i}" for i in range(20)), "News", FIRST, SECOND]
    assert kinds_of_blocks(blocks, labels) == [None] * 21 + [V, C, C]


def test_nothing_labelled_is_nothing_known():
    assert kinds_of_blocks([FIRST], text()) == [None]
