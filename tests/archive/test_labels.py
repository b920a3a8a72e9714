"""Labels lead back to the original, whatever was stripped, and to every other decision by kind."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from declutter.archive.labels import clean_document, decide_again, describe_policy, make_labels, restore, whole_text
from declutter.document import kept_slices
from declutter.errors import SourceError
from declutter.kinds import Kind
from declutter.policy import DEFAULT_KEEP, Policy, make_policy, settle
from declutter.readers import read
from declutter.readers.text import read_text

TEXTS = st.text(st.sampled_from("ab \t\n\r\x0b\x1c\u2028\u00a0\ufeff市🙂\ud800"), max_size=60)
UNITS = st.sampled_from(["line", "block", "auto"])
KINDS = st.sampled_from(list(Kind))
KEEPS = st.frozensets(KINDS)


def labelled(text: str, unit: str, kinds: list[Kind], policy: Policy) -> tuple[str, dict]:
    """A decision as `clean_document` makes it; the kinds are taken in turn."""
    spans = read_text(text, unit).spans
    own = [kinds[i % len(kinds)] for i in range(len(spans))]
    contents = [round(i * 0.617 % 1, 4) for i in range(len(own))]
    kept = settle(policy, [text[start:end] for start, end in spans], own, contents).kept
    cleaned, labels = make_labels(text, spans, own, kept, [0.5] * len(own), contents)
    return cleaned, labels | {"unit": unit, "notes": [], "policy": describe_policy(policy)}


@given(TEXTS, UNITS, st.lists(KINDS, min_size=1, max_size=9), KEEPS)
def test_the_original_comes_back_from_the_cleaned_text_and_json(text, unit, kinds, keep):
    cleaned, labels = labelled(text, unit, kinds, Policy(keep))
    assert restore(cleaned, json.loads(json.dumps(labels))) == text
    assert sum(labels["counts"].values()) == len(read_text(text, unit).spans)
    for entry in labels["removed"]:
        assert text[entry["start"] : entry["end"]] == entry["text"]
        assert entry["kind"] not in keep
    for entry in labels["kept"]:
        assert entry["kind"] in keep - {Kind.CONTENT}
    for gap in labels["gaps"]:
        assert not gap["text"].strip("\ufeff").strip()


PHRASES = st.sampled_from([(), ("a",), ("b b", "ab")])
POLICIES = st.builds(Policy, KEEPS, keep_phrases=PHRASES, drop_phrases=PHRASES) | st.builds(
    Policy,
    KEEPS.map({Kind.CONTENT}.union).map(frozenset),
    budget=st.floats(0, 1),
    keep_phrases=PHRASES,
    drop_phrases=PHRASES,
)


@given(TEXTS, UNITS, st.lists(KINDS, min_size=1, max_size=9), POLICIES, POLICIES)
def test_a_decision_made_again_is_the_one_that_would_have_been_made(text, unit, kinds, first, second):
    cleaned, labels = labelled(text, unit, kinds, first)
    again = decide_again(restore(cleaned, labels), labels, second)
    wanted, wanted_labels = labelled(text, unit, kinds, second)
    assert again.text == wanted
    assert restore(again.text, again.labels) == text
    unknown = {"probability": None, "content": None}  # nobody wrote down how probable it was that content is content
    for part in ("removed", "kept", "gaps"):
        for found, entry in zip(again.labels[part], wanted_labels[part], strict=True):
            assert found | unknown == entry | unknown
    assert again.labels["counts"] == wanted_labels["counts"]
    assert again.labels["policy"] == wanted_labels["policy"]


@given(TEXTS, UNITS, st.lists(st.booleans(), min_size=1, max_size=9))
def test_what_is_kept_are_slices_in_order_that_do_not_overlap(text, unit, kept):
    spans = read_text(text, unit).spans
    slices = kept_slices(text, spans, [kept[i % len(kept)] for i in range(len(spans))])
    edges = [edge for part in slices for edge in part]
    assert edges == sorted(edges)
    assert all(0 <= edge <= len(text) for edge in edges)


@pytest.mark.parametrize(
    "damage",
    [
        {"removed": [{"start": 2, "end": 9, "kind": "appeal", "text": "Support"}, {"start": 3, "text": "x"}]},
        {"gaps": [{"start": 500, "text": "\n"}]},
        {"gaps": [{"text": "\n"}]},
        {"removed": None},
        {"removed": {"start": 1}},
        {"removed": ["Support us."]},
    ],
    ids=repr,
)
def test_labels_that_do_not_fit_are_refused(damage):
    cleaned, labels = labelled("One.\nSupport us.\nTwo.\n", "line", [Kind.CONTENT, Kind.APPEAL], Policy())
    assert restore(cleaned, labels) == "One.\nSupport us.\nTwo.\n"
    with pytest.raises(SourceError, match="object"):
        restore(cleaned, labels | damage)


def test_a_decision_is_not_made_again_about_another_text():
    cleaned, labels = labelled("One.\nSupport us.\nTwo.\n", "line", [Kind.CONTENT, Kind.APPEAL], Policy())
    with pytest.raises(SourceError, match="does not fit"):
        decide_again(cleaned, labels, Policy())
    for lacking in ("unit", "policy", "kept", "removed"):
        with pytest.raises(SourceError, match="not one that declutter wrote"):
            decide_again("One.\n", {name: value for name, value in labels.items() if name != lacking}, Policy())


def test_the_original_of_a_page_is_its_paragraphs():
    source = read("<title>T</title><h1>Bridge</h1><p>One\n two.</p><p>Three.</p>", "html")
    text, spans, unit = whole_text(source)
    assert text == "Bridge\n\nOne two.\n\nThree."
    assert [text[start:end] for start, end in spans] == source.texts
    assert read_text(text, unit).spans == spans


def test_a_document_becomes_its_kept_text_and_labels(labeller, root):
    text = (root / "tests/cases/harbour-lantern.txt").read_text(encoding="utf-8")
    document = labeller.label(text, "text")
    cleaned = clean_document(document, "auto", {"model": "m", "policy": describe_policy(labeller.policy)})
    assert cleaned.text == document.text
    assert [entry["text"] for entry in cleaned.labels["removed"]] == [p.text for p in document.removed]
    assert [entry["kind"] for entry in cleaned.labels["removed"]] == [p.kind.value for p in document.removed]
    first = document.removed[0]
    assert cleaned.labels["removed"][0]["probability"] == round(first.probability, 4)
    assert cleaned.labels["removed"][0]["content"] == round(first.probabilities[Kind.CONTENT], 4)
    assert cleaned.labels["counts"] == {"content": 4, "appeal": 6}
    assert list(cleaned.labels) == ["removed", "kept", "gaps", "counts", "flags", "notes", "unit", "model", "policy"]
    assert restore(cleaned.text, cleaned.labels) == text


def test_labels_carry_the_flags_and_the_notes_of_a_document(labeller):
    document = labeller.label("Subscribe to our newsletter\n" * 8, "text")
    document.notes.append("said")
    labels = clean_document(document, "auto", {}).labels
    assert labels["flags"] == [f for f in ("looks_paywalled", "mostly_notice", "unfamiliar") if getattr(document, f)]
    assert "mostly_notice" in labels["flags"]
    assert labels["notes"] == ["said"]


def test_a_policy_is_described_by_what_was_asked_for():
    assert describe_policy(make_policy()) == {"keep": ["content", "headline"], "preset": "reading"}
    asked = make_policy("content", None, 0.2, "corpus", 0.5, ["A"], ["B"])
    assert describe_policy(asked) == {
        "keep": ["content"],
        "preset": "corpus",
        "threshold": 0.2,
        "budget": 0.5,
        "keep_phrases": ["a"],
        "drop_phrases": ["b"],
    }
    assert len(DEFAULT_KEEP) == 2
