"""The README says what is: its kinds, its scores, its commands. Its Python runs as doctests."""

import re
import shlex

import pytest

from declutter.cli import COMMANDS
from declutter.kinds import kinds_table
from declutter.policy import presets_table
from declutter.training.corpus import check

HEADINGS = (
    "set up and run",
    "in a scraper",
    "in a shell pipe",
    "over an archive",
    "a memory of the site",
    "kinds",
    "how well it does",
)


@pytest.fixture(scope="module")
def readme(root):
    return (root / "README.md").read_text(encoding="utf-8")


def between(text, name):
    return re.search(rf"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", text, re.S)[1].strip()


def test_the_kinds_are_those_of_the_code(readme):
    assert between(readme, "kinds") == kinds_table()


def test_the_presets_are_those_of_the_code(readme):
    assert between(readme, "presets") == presets_table()


def test_every_declutter_command_line_is_understood(readme):
    blocks = re.findall(r"```sh\n(.*?)```", readme, re.S)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("declutter")]
    assert len(lines) > 5
    for line in lines:
        words = shlex.split(re.split("[#<>]", line)[0])[1:]
        name = words.pop(0) if words and words[0] in COMMANDS else "filter"
        COMMANDS[name][0]().parse_args(words)


def test_every_file_it_links_to_is_there(readme, root):
    linked = re.findall(r"\]\((?!https?:)([^)#]+)\)", readme)
    assert linked
    assert not [path for path in linked if not (root / path).exists()]


def test_it_has_both_commands_and_its_parts(readme):
    for name in ("run", "test"):
        assert re.search(rf"<!-- {name} -->\n```sh\n.+?```", readme, re.S)
    for heading in HEADINGS:
        assert f"## {heading}" in readme.lower()


def test_the_example_is_the_one_in_the_cases(readme, root):
    lines = (root / "tests/cases/harbour-lantern.txt").read_text(encoding="utf-8").splitlines()
    shown = re.search(r"```text\n(.*?)```", readme, re.S)[1].splitlines()
    cut = shown.index("$ declutter < article.txt")
    assert shown[1 : cut - 1] == lines
    assert [line for line in shown[cut + 1 :] if line] == lines[:4]


def test_the_corpus_card_gives_the_corpus_own_numbers(root):
    counts, _ = check(root / "corpus")
    card = (root / "corpus/README.md").read_text(encoding="utf-8")
    shown = [int(number.replace(",", "")) for number in re.findall(r"\| ([\d,]+) (?:in|pages)", card)]
    assert shown == [counts[part] for part in ("notices", "negatives", "texts", "pages", "labels")]
    assert f"{counts['labelled lines']:,} lines" in card
