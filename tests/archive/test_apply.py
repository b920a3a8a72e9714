"""What stands in labels is enough to decide anew or to restore, and nothing else is believed."""

import json

import pytest

from declutter.archive import Applied, apply_archive
from declutter.errors import UsageError


@pytest.fixture
def archive(root, tmp_path):
    """An archive of which the model strips an appeal."""
    texts = [(root / "tests/cases/harbour-lantern.txt").read_text(encoding="utf-8"), None, "", "One.\nTwo."]
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    (tmp_path / "in/ferry.html").write_bytes((root / "tests/cases/ferry.html").read_bytes())
    return tmp_path / "in"


def texts_in(path):
    return [json.loads(line)["text"] for line in path.read_text().splitlines()]


def without_probabilities(path):
    """Records whose content has no probability: it is not written down of what was kept."""
    records = [json.loads(line) for line in path.read_text().splitlines()]
    for record in records:
        for entry in record["declutter"]["removed"]:
            del entry["probability"], entry["content"]
        record["declutter"]["policy"].pop("preset")
    return records


@pytest.mark.parametrize(("first", "second"), [({}, {"drop": "content"}), ({"keep": "appeal"}, {"keep": "content"})])
def test_deciding_anew_is_cleaning_with_the_other_policy(archive, tmp_path, clean, first, second):
    own = {"threshold": None, "drop_phrases": ()}
    clean(archive, tmp_path / "one", **own, **first)
    clean(archive, tmp_path / "other", **own, **second)
    assert apply_archive(tmp_path / "one", tmp_path / "applied", **second) == Applied(records=5, errors=0)
    assert without_probabilities(tmp_path / "applied/a.jsonl") == without_probabilities(tmp_path / "other/a.jsonl")
    for folder in ("applied", "other"):
        assert "appeal" in (tmp_path / folder / "a.jsonl").read_text()
    assert (tmp_path / "applied/ferry.html.txt").read_bytes() == (tmp_path / "other/ferry.html.txt").read_bytes()
    assert apply_archive(tmp_path / "applied", tmp_path / "back", undo=True).errors == 0
    assert (tmp_path / "back/a.jsonl").read_bytes() == (archive / "a.jsonl").read_bytes()
    assert not (tmp_path / "back/run.json").exists()


@pytest.mark.parametrize(
    "policy",
    [
        {"budget": 0.2},
        {"budget": 0.0},
        {"budget": 0.1, "keep": "content,appeal", "drop_phrases": ["ferry"]},
        {"keep_phrases": ["become a supporter", "not now"]},
        {"drop_phrases": ["NONE of them", "the ferry to sandholm"], "budget": 0.9},
    ],
    ids=repr,
)
def test_a_budget_and_phrases_decide_as_a_run_with_them_would_have(archive, tmp_path, clean, policy):
    own = {"threshold": None, "drop_phrases": ()}
    clean(archive, tmp_path / "one", **own, keep="content,headline,related", budget=0.7)
    clean(archive, tmp_path / "other", **own | policy)
    assert apply_archive(tmp_path / "one", tmp_path / "applied", **policy) == Applied(records=5, errors=0)
    applied, other = (without_probabilities(tmp_path / name / "a.jsonl") for name in ("applied", "other"))
    lead = [record["declutter"].pop("notes") for record in other]
    for found, wanted in zip([record["declutter"].pop("notes") for record in applied], lead, strict=True):
        assert [note.partition("; the probability")[0] for note in found] == [
            note.partition("; the probability")[0] for note in wanted
        ]
    assert applied == other
    assert texts_in(tmp_path / "other/a.jsonl") != texts_in(tmp_path / "one/a.jsonl")
    assert (tmp_path / "applied/ferry.html.txt").read_bytes() == (tmp_path / "other/ferry.html.txt").read_bytes()
    report = json.loads((tmp_path / "applied/run.json").read_text())
    assert report["settings"]["policy"].get("budget") == policy.get("budget")


def test_records_without_labels_of_their_own_are_errors_and_stay(archive, tmp_path, clean):
    clean(archive, tmp_path / "out")
    lines = (tmp_path / "out/a.jsonl").read_text().splitlines()
    record = json.loads(lines[3])
    foreign = [{"text": "x"}, record | {"declutter": 5}, record | {"declutter": {"removed": []}}, record | {"text": 5}]
    (tmp_path / "mixed.jsonl").write_text("\n".join([*map(json.dumps, foreign), lines[3], "{broken"]))
    assert apply_archive(tmp_path / "mixed.jsonl", tmp_path / "back", undo=True) == Applied(records=5, errors=5)
    errors = [json.loads(line) for line in (tmp_path / "back/errors.jsonl").read_text().splitlines()]
    assert [error["position"] for error in errors] == [1, 2, 3, 4, 6]
    assert texts_in(tmp_path / "back/mixed.jsonl") == ["x", "One.\nTwo.", "One.\nTwo.", 5, "One.\nTwo."]


def test_labels_that_are_missing_are_an_error_of_their_file(archive, tmp_path, clean):
    clean(archive, tmp_path / "out")
    (tmp_path / "out/labels/ferry.html.txt.jsonl").unlink()
    assert apply_archive(tmp_path / "out", tmp_path / "back", undo=True).errors == 1
    assert "No such file" in (tmp_path / "back/errors.jsonl").read_text()
    assert not (tmp_path / "back/ferry.html.txt").exists()


def test_wrong_calls_are_refused(archive, tmp_path, clean):
    clean(archive, tmp_path / "out")
    clean(archive, tmp_path / "renamed", fields="url=link")
    for options, refusal in (
        ({"undo": True, "keep": "content"}, "neither kinds"),
        ({"undo": True, "labels": tmp_path}, "neither kinds"),
        ({"undo": True, "budget": 0.5}, "a budget or phrases"),
        ({"undo": True, "drop_phrases": ["x"]}, "a budget or phrases"),
        ({"keep": "adverts"}, "unknown kind"),
        ({"budget": 2}, "between 0 and 1"),
        ({"budget": 0.5, "drop": "content"}, "no probability is written down: keep content"),
    ):
        with pytest.raises(UsageError, match=refusal):
            apply_archive(tmp_path / "out", tmp_path / "new", **options)
    with pytest.raises(UsageError, match="is not empty"):
        apply_archive(tmp_path / "out", archive)
    with pytest.raises(UsageError, match="lies inside"):
        apply_archive(tmp_path / "out", tmp_path / "out" / "in")
    with pytest.raises(UsageError, match="fields differently"):
        apply_archive([tmp_path / "out/a.jsonl", tmp_path / "renamed/ferry.html.txt"], tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_folder_that_was_applied_to_is_no_runs(archive, tmp_path, clean):
    clean(archive, tmp_path / "out")
    apply_archive(tmp_path / "out", tmp_path / "applied")
    with pytest.raises(UsageError, match="--redo"):
        clean(archive, tmp_path / "applied")
