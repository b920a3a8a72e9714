"""Plain text into paragraphs: nothing is lost, whatever the line breaks; hard-wrapped text is joined."""

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from declutter.readers import UNITS
from declutter.readers.text import BYTE_ORDER_MARK, read_text

BREAKS = ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
PROSE = (
    "The council voted on Monday evening to repair the old bridge over the river, which has been closed to cars "
    "since the flood of last autumn tore away a part of its northern pier. Work is to begin in the spring.",
    "Residents of the quarter had asked for the repair in three letters to the mayor, and a hundred of them came to the "
    "meeting. Many cheered when the result was read out, and some stayed on to thank the councillors.",
    "The cost is put at four million, of which the county pays half. A temporary footbridge will stand until then, so "
    "that children can walk to the school on the other bank without the detour through the valley.",
)

any_text = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=60),
    st.lists(st.sampled_from([*BREAKS, " ", "\t", "\u3000", "\ufeff", "one", "two words", "市議会", "é"])).map("".join),
    st.lists(st.integers(1, 200), max_size=12).map(lambda sizes: "\n".join("word " * size for size in sizes)),
)


@given(any_text, st.sampled_from(UNITS))
def test_paragraphs_and_the_white_space_between_them_rebuild_the_text(text, unit):
    source = read_text(text, unit)
    rebuilt, previous = "", 0
    for paragraph, (start, end) in zip(source.texts, source.spans, strict=True):
        gap = text[previous:start]
        assert previous <= start < end
        assert gap.isspace() or gap.strip() in ("", BYTE_ORDER_MARK)
        assert paragraph == text[start:end] == paragraph.strip()
        rebuilt += gap + paragraph
        previous = end
    assert text[previous:].strip() in ("", BYTE_ORDER_MARK)
    assert rebuilt + text[previous:] == text == source.text


@given(any_text)
def test_no_line_holds_a_line_break(text):
    assert not any(character in BREAKS for line in read_text(text, "line").texts for character in line)


@pytest.mark.parametrize("line_break", BREAKS, ids=ascii)
@pytest.mark.parametrize("unit", ["line", "auto"])
def test_every_line_break_parts_lines(line_break, unit):
    text = f"one{line_break}two{line_break * 2} three {line_break}"
    assert read_text(text, unit).texts == ["one", "two", "three"]


@pytest.mark.parametrize("line_break", BREAKS, ids=ascii)
def test_every_line_break_doubled_is_a_blank_line_between_blocks(line_break):
    text = f"one{line_break}two{line_break} {line_break}three"
    assert read_text(text, "block").texts == [f"one{line_break}two", "three"]


def test_windows_line_breaks_are_one_break_each():
    assert read_text("one\r\ntwo", "block").texts == ["one\r\ntwo"]
    assert read_text("one\n\rtwo", "block").texts == ["one", "two"]


def test_a_byte_order_mark_at_the_start_belongs_to_no_paragraph():
    source = read_text(BYTE_ORDER_MARK + " one\ntwo")
    assert (source.texts, source.spans) == (["one", "two"], [(2, 5), (6, 9)])
    assert read_text(BYTE_ORDER_MARK).texts == []


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\t\u3000\r\n\x85"])
@pytest.mark.parametrize("unit", UNITS)
def test_blank_text_has_no_paragraphs(text, unit):
    assert read_text(text, unit).texts == []


@pytest.mark.parametrize("width", [50, 65, 72, 80, 100])
@pytest.mark.parametrize("line_break", ["\n", "\r\n"], ids=ascii)
@pytest.mark.parametrize("indent", ["", "    "], ids=["flush", "indented"])
def test_hard_wrapped_text_is_joined_by_paragraph(width, line_break, indent):
    wrapped = [textwrap.fill(words, width, initial_indent=indent, subsequent_indent=indent) for words in PROSE]
    source = read_text("\n\n".join(wrapped).replace("\n", line_break) + line_break)
    assert [" ".join(paragraph.split()) for paragraph in source.texts] == list(PROSE)


def test_hard_wrapped_text_may_have_a_heading_of_one_line_and_a_notice_at_its_end():
    wrapped = [textwrap.fill(words, 72) for words in PROSE]
    source = read_text("\n\n".join(["Council mends bridge", *wrapped, "Subscribe to our newsletter"]))
    assert len(source.texts) == 5
    assert source.texts[0] == "Council mends bridge"
    assert source.texts[-1] == "Subscribe to our newsletter"


VERSE = """\
The river rose above the mill
and took the miller's fence,
the miller stood upon the hill
and had no more pretence

of knowing how the water goes
or where it comes to rest,
for no one knows, the river knows
the way it likes the best.
"""
LIST = """\
What to bring to the meeting of the council on the second Monday:

- a chair
- the three letters that the residents sent to the mayor
- a lamp, because the hall has none
- something to eat
- four copies of the plan

Come early.
"""
LONG_LINES = "\n\n".join(" ".join([words] * 2) for words in PROSE) + "\nShare this\nPrint\nSave\n"
NO_BLANK_LINES = "\n".join(textwrap.fill(words, 72) for words in PROSE)


@pytest.mark.parametrize(
    "text", [VERSE, LIST, LONG_LINES, NO_BLANK_LINES, "a\nb\n\nc\nd\n\ne\nf"], ids=lambda text: text[:12]
)
def test_text_that_was_not_hard_wrapped_keeps_its_lines(text):
    assert read_text(text, "auto").texts == read_text(text, "line").texts == [line for line in text.split("\n") if line]


def test_the_unit_can_be_set():
    text = "\n\n".join(textwrap.fill(words, 72) for words in PROSE)
    assert read_text(text, "line").texts == [line for line in text.split("\n") if line]
    assert len(read_text(text, "block").texts) == 3
    assert len(read_text(VERSE, "block").texts) == 2
