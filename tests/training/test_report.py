"""The model card tells what was measured beside it."""

import json

import pytest


def test_the_card_holds_the_figures_of_page_speed_json(root):
    folder = root / "models" / "article"
    card = (folder / "card.md").read_text(encoding="utf-8")
    found = json.loads((folder / "page_speed.json").read_text(encoding="utf-8"))
    for stage, (before, after) in found["milliseconds"].items():
        assert f"| {stage} | {before:.2f} | {after:.2f} |" in card
    assert all(f"* {note}\n" in card for note in found["notes"])


@pytest.mark.parametrize("column", [0, 1])
def test_the_stages_of_a_page_add_up_to_the_whole(root, column):
    found = json.loads((root / "models" / "article" / "page_speed.json").read_text(encoding="utf-8"))
    times = {stage: values[column] for stage, values in found["milliseconds"].items()}
    whole, _ = times.pop("the whole of clean()"), times.pop("lxml's parse alone")
    assert sum(times.values()) == pytest.approx(whole, rel=0.03)  # each is the best of its rounds
