"""A survey counts right, stays small, and comes out the same however the documents were parted."""

import json

import pytest

from declutter.archive import survey as module
from declutter.archive.labels import clean_document
from declutter.archive.survey import DOUBTFUL, EMPTIED, KEPT, NO_SITE, Counts, Location, Survey, merge_surveys
from tests.test_document import made_text

A, B, C = "Support us with 5 euros.", "The council met on Monday.", "Share this"


def surveyed(*documents: tuple[str, str, str | None], start: int = 1) -> Survey:
    """A survey of documents, each given as its lines, the letters of their kinds (see KINDS), and an address."""
    survey = Survey()
    for position, (text, letters, url) in enumerate(documents, start):
        document = made_text(text, letters)
        survey.add(document, clean_document(document, "line", {}).labels, Location("a.jsonl", position, url))
    return survey


def test_what_there_was_is_counted_by_site():
    survey = surveyed(
        (f"{B}\n{A}\n{B}\n{C}", "CACS", "https://www.a.org/1"),
        (f"{A}\n{C}", "AS", "https://a.org/2"),
        (B, "C", None),
        ("", "", "https://b.org"),
    )
    survey.fail("https://b.org/x")
    assert survey.sites == {
        "a.org": Counts(
            documents=2, emptied=1, characters=2 * len(A + B + C), paragraphs=6, removed_characters=2 * len(A + C),
            uncertain=2, edges=3, removed={"appeal": 2, "social": 2}, most_removed=len(A + C),
            most=Location("a.jsonl", 1, "https://www.a.org/1"),
        ),
        NO_SITE: Counts(documents=1, characters=len(B), paragraphs=1),
        "b.org": Counts(documents=1, errors=1),
    }  # fmt: skip
    assert survey.removed_characters == {"appeal": 2 * len(A), "social": 2 * len(C)}
    assert survey.largest_sites() == ["a.org", "b.org", NO_SITE]


def test_a_site_is_that_of_a_memory_and_may_be_named():
    pytest.importorskip("publicsuffixlist", reason="needs the extra archive")
    survey = surveyed((B, "C", "https://news.example.co.uk/1"), (B, "C", "https://www.example.co.uk/2"), (B, "C", "/3"))
    document = made_text(B, "C")
    location = Location("a.jsonl", 4, "https://example.co.uk/4")
    survey.add(document, clean_document(document, "line", {}).labels, location, "The Lantern")
    survey.fail("The Lantern")
    found = {site: (counts.documents, counts.errors) for site, counts in survey.sites.items()}
    assert found == {"example.co.uk": (2, 0), NO_SITE: (1, 0), "The Lantern": (1, 1)}


def test_frequent_texts_are_the_same_whatever_their_numbers_and_case():
    survey = surveyed(
        ("Support us with 5 euros.", "A", "https://a.org"),
        ("SUPPORT  us with 1250 euros.", "A", "https://b.org"),
        ("Support us with five euros.", "A", "https://b.org"),
        *((C, "S", f"https://{i}.org") for i in range(9)),
    )
    found = survey.frequent["appeal"]
    assert [(text.text, text.count, text.sites) for text in found.values()] == [
        ("Support us with 5 euros.", 2, ["a.org", "b.org"]),
        ("Support us with five euros.", 1, ["b.org"]),
    ]
    (social,) = survey.frequent["social"].values()
    assert (social.count, social.sites, social.location.position) == (9, ["0.org", "1.org", "2.org", "3.org"], 4)


def test_samples_show_what_is_in_doubt_and_what_was_emptied():
    document = made_text(f"{B}\n{C}\n{A}", "CSA", "line")  # what is called social is uncertain there
    survey = Survey()
    survey.add(document, clean_document(document, "line", {}).labels, Location("f", 1))
    (example,) = survey.samples[DOUBTFUL].items.values()
    assert (example.text, example.kind, example.before, example.after) == (C, "social", B, A)
    assert example.content == pytest.approx(0.02)
    assert KEPT not in survey.samples
    assert EMPTIED not in survey.samples
    kept = made_text(C, "S")
    kept.kept[0] = True
    survey.add(kept, clean_document(kept, "line", {}).labels, Location("f", 2))
    assert [e.location.position for e in survey.samples[KEPT].items.values()] == [2]
    survey.update(surveyed((f"{C}\n{A}", "SA", None), start=3))
    (example,) = survey.samples[EMPTIED].items.values()
    assert (example.text, example.location.position) == (A, 3)


def many(count: int):
    kinds = "ASRC"
    return [
        (f"{B}\nNotice {chr(97 + i % 26) * (i % 50)}\n{C}", f"C{kinds[i % 4]}S", f"https://{i % 37}.org")
        for i in range(count)
    ]


def test_a_survey_of_parts_is_the_survey_of_the_whole():
    documents = many(200)
    whole = surveyed(*documents)
    parts = [surveyed(*documents[i : i + 40], start=i + 1) for i in range(0, 200, 40)]
    merged = merge_surveys(Survey.from_json(part.to_json()) for part in parts)
    assert json.loads(merged.to_json()) == json.loads(whole.to_json())
    assert whole.sites["0.org"].documents == 6


def test_a_survey_stays_small_and_forgets_the_rarest(monkeypatch):
    monkeypatch.setattr(module, "SITES", 3)
    monkeypatch.setattr(module, "TEXTS", 3)
    often = [(f"{B}\n{A}", "CA", "https://often.org")] * 3
    rare = [(f"{B}\nNo. {chr(97 + i % 26) * (1 + i // 26)}", "CA", f"https://{i}.org") for i in range(100)]
    survey = surveyed(*often, *rare, *often)
    assert len(survey.sites) <= 12
    assert len(survey.frequent["appeal"]) <= 12
    found = json.loads(survey.to_json())
    assert next(iter(found["sites"])) == "often.org"
    assert found["sites"]["often.org"]["documents"] == 6
    assert sum(row["documents"] for row in found["sites"].values()) + found["others"]["documents"] == 106
    assert (len(found["sites"]), len(found["frequent"]["appeal"])) == (3, 3)
    assert max(row["count"] for row in found["frequent"]["appeal"].values()) == 6
    assert len(found["samples"]["appeal"]["items"]) == 8


def test_a_text_of_any_length_and_of_anything_can_be_written(labeller):
    for text in ("x" * 100_000, "\ud800 \x00</script>", "市" * 5000):
        document = made_text(text, "A")
        survey = Survey()
        survey.add(document, clean_document(document, "line", {}).labels, Location("f", 1, text))
        raw = survey.to_json()
        assert Survey.from_json(raw).to_json() == raw
        (example,) = survey.samples["appeal"].items.values()
        assert example.text == (text if len(text) < 300 else text[:300] + "…")


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"sites": 5}', b'{"sites": {"a": {"x": 1}}}'])
def test_what_is_no_survey_is_refused(raw):
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        Survey.from_json(raw)
