"""One page about one document: every paragraph, kept or struck out, with its kind, how sure that is, and why.

Nothing of a text is left out: the paragraphs and the white space between them stand in the page as they are in the source. What is
shown of them can be chosen without any script.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from declutter.document import Document, Paragraph, Reason
from declutter.writers.pages import Markup, fill_page, joined, markup

_TEMPLATE = Path(__file__).with_name("explain_page.html")
_REASONS = 6  # of a paragraph
_OTHERS = 3  # kinds that it might have been, with
_LIKELY = 0.01  # probability of such a kind
HINTS = {
    "looks_paywalled": "Some of the text may be behind a paywall.",
    "mostly_notice": "Less than a tenth of the characters is article.",
    "unfamiliar": "The language is one that the model has seen little of.",
}


def write_explain_page(document: Document) -> Iterator[str]:
    """A page that shows and explains what every paragraph of a document was judged to be; one HTML file that loads nothing."""
    paragraphs = list(document)
    stripped = sum(len(paragraph.text) for paragraph in paragraphs if not paragraph.keep)
    share = stripped / max(sum(len(paragraph.text) for paragraph in paragraphs), 1)
    notes = [*document.notes, *(hint for name, hint in HINTS.items() if getattr(document, name))]
    yield fill_page(
        _TEMPLATE,
        title=document.title or "What declutter sees",
        summary=f"{len(paragraphs):,} paragraphs, {sum(document.kept):,} kept, {sum(document.uncertain):,} uncertain; "
        f"{share:.1%} of the characters stripped.",
        notes=markup('<ul class="notes">{}</ul>', joined(markup("<li>{}</li>", note) for note in notes))
        if notes
        else "",
        kinds=joined(
            markup(
                '<label><input type="checkbox" id="show-{}" checked> <span class="kind {}">{}</span> {}</label>',
                kind,
                kind,
                kind,
                number,
            )
            for kind, number in document.counts.items()
        ),
        hiding=joined(
            (markup("body:has(#show-{}:not(:checked)) .p.{} {{ display: none }}", k, k) for k in document.counts), "\n"
        ),
        paragraphs=joined(_pieces(document, paragraphs)),
    )


def _pieces(document: Document, paragraphs: list[Paragraph]) -> Iterator[Markup]:
    """The paragraphs, and of a text the white space before, between and after them."""
    done = 0
    for paragraph in paragraphs:
        if paragraph.start is not None and paragraph.end is not None:
            yield _gap(document.source.text[done : paragraph.start])
            done = paragraph.end
        yield _paragraph(paragraph)
    yield _gap(document.source.text[done:])


def _gap(text: str) -> Markup:
    return markup('<span class="gap">{}</span>', text) if text else Markup()


def _paragraph(paragraph: Paragraph) -> Markup:
    classes = ["p", paragraph.kind, *(["gone"] * (not paragraph.keep)), *(["doubt"] * paragraph.uncertain)]
    sure = f"{paragraph.probability:.0%}" + "?" * paragraph.uncertain
    reasons = paragraph.reasons(_REASONS)
    return markup(
        '<details class="{}"><summary title="{}"><span class="text" dir="auto">{}</span> <span class="kind {}">{} {}</span></summary>'
        '<dl class="why">{}</dl></details>\n',
        " ".join(classes), "; ".join(map(str, reasons[:3])), paragraph.text, paragraph.kind, paragraph.kind, sure,
        joined(markup("<dt>{}</dt><dd>{}</dd>", name, value) for name, value in _facts(paragraph, reasons)),
    )  # fmt: skip


def _facts(paragraph: Paragraph, reasons: list[Reason]) -> Iterator[tuple[str, object]]:
    """What there is to say about a paragraph, each with its name."""
    yield (
        "is",
        f"{paragraph.kind}, with a probability of {paragraph.probability:.2f}"
        + ", but uncertain" * paragraph.uncertain,
    )
    likely = sorted(paragraph.probabilities.items(), key=lambda item: -item[1])
    others = [f"{kind} {value:.2f}" for kind, value in likely if kind is not paragraph.kind and value >= _LIKELY][
        :_OTHERS
    ]
    if others:
        yield "or else", ", ".join(others)
    yield ("stays" if paragraph.keep else "goes"), paragraph.forced or "by its kind"
    if reasons:
        yield (
            "because",
            markup(
                "<ul>{}</ul>",
                joined(
                    markup(
                        '<li><span class="weight{}">{}</span>{}</li>',
                        " against" * (reason.weight < 0), f"{reason.weight:+.1f}", reason.text,
                    )
                    for reason in reasons
                ),
            ),
        )  # fmt: skip
    if paragraph.path is not None:
        yield "stands in", markup("<code>{}</code>", paragraph.path)
    elif paragraph.start is not None:
        yield "stands at", f"characters {paragraph.start:,} to {paragraph.end:,}"
