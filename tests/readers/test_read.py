"""What a source is, and how its bytes are decoded."""

import bs4
import lxml.html
import pytest

import declutter
from declutter.errors import SourceError, UsageError
from declutter.readers import decode, read

MARKUP = """\
<!doctype html>
<html>
<head>
<title>News</title>
</head>
<body>
<p>One.</p>
<p>Two.</p>
</body>
</html>
"""
TEXTS = ["One.", "Two."]


def sources_of_a_page():
    tree = lxml.html.document_fromstring(MARKUP)
    soup = bs4.BeautifulSoup(MARKUP, "lxml")
    return {
        "str": MARKUP,
        "bytes": MARKUP.encode(),
        "bytearray": bytearray(MARKUP.encode()),
        "memoryview": memoryview(MARKUP.encode()),
        "element": tree,
        "tree": tree.getroottree(),
        "sub-element": tree.find("body"),
        "soup": soup,
        "tag": soup.body,
    }


@pytest.mark.parametrize(("name", "source"), sources_of_a_page().items(), ids=sources_of_a_page())
def test_a_page_is_read_from_whatever_holds_it(name, source):
    found = read(source)
    assert (found.format, found.texts) == ("html", TEXTS)


def test_only_what_lies_within_a_sub_element_is_read():
    tree = lxml.html.document_fromstring("<p>Before.</p><div><p>One.</p>Two.</div>After.<p>More.</p>")
    assert read(tree.find(".//div")).texts == TEXTS
    assert read(bs4.BeautifulSoup("<p>No.</p><div><p>One.</p>Two.</div>No.", "lxml").div).texts == TEXTS


@pytest.mark.parametrize("parser", ["lxml", "html.parser"])
def test_reading_does_not_change_the_users_tree(parser):
    markup = "<html><body><div>a<!-- note --><script>x</script><br>b<table><tr><td>c<td>d</table></div>e</body></html>"
    tree = lxml.html.document_fromstring(markup)
    before = lxml.html.tostring(tree)
    read(tree)
    read(tree.find(".//div"))
    assert lxml.html.tostring(tree) == before
    soup = bs4.BeautifulSoup(markup, parser)
    before = str(soup)
    read(soup)
    read(soup.div)
    assert str(soup) == before


@pytest.mark.parametrize("paragraphs", [["One.", "Two."], ("One.", "Two."), ["<p>One.</p>"], ["", " "], []])
def test_a_list_of_paragraphs_is_taken_as_it_is(paragraphs):
    found = read(paragraphs)
    assert (found.format, found.texts) == ("list", list(paragraphs))


@pytest.mark.parametrize(
    ("name", "content", "format"),
    [
        ("page.html", MARKUP, "html"),
        ("PAGE.HTM", "One.", "html"),
        ("page", MARKUP, "html"),
        ("text.txt", MARKUP, "text"),
        ("text.md", "One.", "text"),
        ("text", "One.", "text"),
        ("empty.txt", "", "text"),
    ],
)
def test_a_file_is_what_its_name_says_or_else_what_it_looks_like(tmp_path, name, content, format):
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert read(tmp_path / name).format == format


def test_the_format_wins_over_the_name_of_a_file(tmp_path):
    (tmp_path / "page.html").write_text(MARKUP, encoding="utf-8")
    assert read(tmp_path / "page.html", "text").format == "text"


@pytest.mark.parametrize(
    ("source", "format"),
    [
        (MARKUP, "html"),
        ("  \n<p>One.</p>", "html"),
        ("<!-- saved --><HTML><p>One.", "html"),
        ('<?xml version="1.0"?>\n<!DOCTYPE html><html><p>One.</html>', "html"),
        ("One.<br>Two.<br/>Three.<br />Four.", "html"),
        ("\ufeff" + MARKUP, "html"),
        ("\ufeff".encode() + MARKUP.encode(), "html"),
        ("One.\nTwo.\n", "text"),
        ("\ufeffOne.", "text"),
        ("Write <p> to begin a paragraph and </p> to end it.", "text"),
        ("a < b\nb > c\n", "text"),
        ("# One\n\nText with <b>bold</b> words.\n\nMore.\n", "text"),
    ],
)
def test_auto_tells_a_page_from_text(source, format):
    assert read(source).format == format


FEED = '<?xml version="1.0"?>\n<rss><channel><title>News</title></channel></rss>'


@pytest.mark.parametrize(
    "source",
    ["", b"", " \n\t ", "\ufeff", FEED, FEED.encode(), "<rss><channel/></rss>", "<svg><text>One.</text></svg>"],
    ids=ascii,
)
def test_auto_refuses_what_is_neither_a_page_nor_text(source):
    with pytest.raises(SourceError):
        read(source)


@pytest.mark.parametrize(
    "raw",
    [
        bytes(range(256)) * 4,
        b"\x00" * 100,
        b"One.\x00Two.\x00",
        b"%PDF-1.7\nOne.\n",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        b"PK\x03\x04One.",
        b"\x1f\x8b\x08One.",
        b"\xff\xd8\xff\xe0JFIF",
    ],
    ids=lambda raw: ascii(raw[:6]),
)
@pytest.mark.parametrize("format", ["auto", "text"])
def test_binary_input_is_refused(raw, format):
    with pytest.raises(SourceError, match="binary"):
        read(raw, format)


def test_a_blank_text_is_a_text_where_the_format_says_so():
    assert read(" \n", "text").texts == read(b"", "text").texts == []


@pytest.mark.parametrize("markup", ["", " \n", b""])
def test_a_page_without_anything_in_it_is_refused(markup):
    with pytest.raises(SourceError):
        read(markup, "html")


def test_files_that_cannot_be_read_are_named(tmp_path):
    for path in (tmp_path, tmp_path / "missing.txt"):
        with pytest.raises(SourceError) as caught:
            read(path)
        assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("source", [None, 3, 1.5, {"text": "One."}, ["One.", 2], [b"One."], object(), iter(["One."])])
def test_a_source_of_another_type_is_wrong_use(source):
    with pytest.raises(UsageError, match="cannot read a"):
        read(source)


@pytest.mark.parametrize("options", [{"format": "pdf"}, {"format": ""}, {"unit": "word"}])
def test_an_unknown_format_or_unit_is_wrong_use_whatever_the_source(options):
    for source in ("One.", ["One."], b"\x00"):
        with pytest.raises(UsageError, match="unknown"):
            read(source, **options)


WORDS = {
    "utf-8": "Žluťoučký kůň – 市議会",
    "utf-16": "Žluťoučký kůň – 市議会",
    "utf-16-le": "Žluťoučký kůň – 市議会",
    "utf-16-be": "Žluťoučký kůň – 市議会",
    "utf-32": "Žluťoučký kůň – 市議会",
    "windows-1252": "Café “déjà vu” – 5 €",
    "iso-8859-1": "Bürgermeister für Brücke",
    "shift_jis": "市議会は橋を直すことに決めた。",
    "euc-jp": "市議会は橋を直すことに決めた。",
    "gb18030": "市议会投票决定修复旧桥。",
    "big5": "市議會投票決定修復舊橋。",
    "koi8-r": "Городской совет решил починить мост.",
    "euc-kr": "시의회는 다리를 고치기로 했다.",
}


@pytest.mark.parametrize(("encoding", "words"), WORDS.items(), ids=WORDS)
@pytest.mark.parametrize("format", ["auto", "html"])
def test_a_page_is_decoded_as_its_byte_order_mark_or_its_meta_tag_says(encoding, words, format):
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    markup = f'{mark}<html><head><meta charset="{encoding}"><title>T</title></head><body><p>{words}</p></body></html>'
    found = read(markup.encode(encoding), format)
    assert found.texts == [words]
    assert found.encoding is not None
    assert words.encode(found.encoding).decode(found.encoding) == words


@pytest.mark.parametrize("words", [WORDS["utf-8"], "\ufeff" + WORDS["utf-8"], "plain ascii"])
def test_utf_8_text_decodes_to_itself(words):
    assert decode(words.encode()) == (words, "utf-8")


def test_utf_16_text_is_decoded_by_its_byte_order_mark():
    assert read(WORDS["utf-16"].encode("utf-16")).texts == [WORDS["utf-16"]]


def test_bytes_in_no_known_encoding_still_make_text():
    text, encoding = decode(b"One. \x81\x8d\x8f\x90\x9d Two.")
    assert text.encode(encoding) == b"One. \x81\x8d\x8f\x90\x9d Two."


def test_the_encoding_travels_with_the_document(labeller):
    assert labeller.label("One.".encode("utf-16")).source.encoding.startswith("utf-16")
    assert labeller.label("One.").source.encoding is None
    assert declutter.clean(b"One.\r\n", threshold=0) == "One.\r\n"


@pytest.mark.parametrize("end", ["", " "], ids=["even", "odd"])
def test_a_meta_tag_of_single_bytes_cannot_say_utf_16(end):
    assert read(b"<meta charset=utf-16><p>Caf\xe9 and more.</p>" + end.encode()).texts == ["Café and more."]
