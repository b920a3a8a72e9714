import pytest

from declutter.training.render import line_hash, page_lines

PAGE = """<!DOCTYPE html><html><head><title>Vale Echo</title><style>p {}</style><script>var x = "<p>no</p>"</script></head>
<body><nav><ul><li>Home</li><li>Sport <!-- a comment --> today</li></ul></nav>
<p>The river <b>rose</b>
   overnight.<br>The bridge is <a href="/">closed</a>.</p> <noscript>Turn it on</noscript>
loose text<table><tr><td>one</td><td>two</td></tr></table><svg><text>drawn</text></svg>after</body></html>"""


def test_a_page_is_cut_at_tags_that_break_lines():
    expected = "Home|Sport today|The river rose overnight.|The bridge is closed.|loose text|one|two|after"
    assert page_lines(PAGE) == expected.split("|")


@pytest.mark.parametrize("markup", ["", "  \n", "<!-- nothing -->", "<script>x</script>"])
def test_a_page_without_text_has_no_lines(markup):
    assert page_lines(markup) == []


def test_xml_declarations_and_null_bytes_do_no_harm():
    assert page_lines('<?xml version="1.0" encoding="latin-1"?><p>Zo\x00ë 河') == ["Zoë 河"]


def test_the_hash_of_a_line_never_changes():
    assert line_hash("Sign up") == "5e2b8e96"
    assert line_hash("") == "e3b0c442"
    assert line_hash("Ä\ud800") == "a84220a8"  # half a surrogate pair
