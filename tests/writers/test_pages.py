"""What all pages have in common: whatever is put into them stays text, and only their own script may run."""

import base64
import hashlib
import re

from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from declutter.kinds import Kind
from declutter.writers.pages import Markup, fill_page, joined, markup

TEMPLATE = '<meta http-equiv="Content-Security-Policy" content="$policy"><title>$title</title><style>$style</style><script>one()</script>'


@given(st.text(st.sampled_from("<>&\"'{}$ab\r\n\x00\x0b\ud800é市"), max_size=30))
def test_a_value_is_the_text_it_was(text):
    made = markup('<p title="{}">{}</p>', text, text)
    shown = text.replace("\x00", "\ufffd").replace("\ud800", "\ufffd")
    element = html.fragment_fromstring(made.replace("\x0b", " "))
    assert element.get("title") == element.text_content() == shown.replace("\x0b", " ")


def test_markup_is_not_escaped_again():
    inner = markup("<b>{}</b>", "<")
    assert markup("<p>{}{}</p>", inner, "&") == "<p><b>&lt;</b>&amp;</p>"
    assert isinstance(joined([inner, inner], " "), Markup)
    assert joined([inner, inner], " ") == "<b>&lt;</b> <b>&lt;</b>"


def test_a_page_allows_its_own_script_alone(tmp_path):
    (tmp_path / "page.html").write_text(TEMPLATE)
    page = fill_page(tmp_path / "page.html", title="<script>two()</script> $policy")
    assert "<title>&lt;script&gt;two()&lt;/script&gt; $policy</title>" in page
    allowed = base64.b64encode(hashlib.sha256(b"one()").digest()).decode()
    assert f"script-src 'sha256-{allowed}'" in page
    assert "default-src 'none'" in page
    (tmp_path / "page.html").write_text(TEMPLATE.replace("<script>one()</script>", ""))
    assert "script-src 'none'" in fill_page(tmp_path / "page.html", title="")


def test_every_kind_has_a_colour_of_its_own(tmp_path):
    (tmp_path / "page.html").write_text("$style$policy")
    hues = dict(re.findall(r"\.(\w+) \{ --hue: (\d+)", fill_page(tmp_path / "page.html")))
    assert set(hues) == {kind.value for kind in Kind}
    assert len(set(hues.values())) == len(hues)
