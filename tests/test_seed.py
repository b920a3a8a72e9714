"""The user's own example, word for word."""

import declutter


def test_the_moscow_times_article_stays_and_its_appeal_goes(shared):
    text = (shared / "seed/moscow-times.txt").read_text(encoding="utf-8")
    lines = text.split("\n")
    article = next(i for i, line in enumerate(lines) if line.startswith("A Message from The Moscow Times"))
    document = declutter.label(text)
    assert document.text.split("\n") == lines[:article]
    assert len(document) - article == len(document.removed)
    assert {str(paragraph.kind) for paragraph in document.removed} <= {"appeal", "interface", "signup"}


def test_no_code_or_weight_knows_the_publisher(root):
    for path in sorted((root / "declutter").rglob("*.py")):
        assert "moscow" not in path.read_text(encoding="utf-8").casefold(), path
