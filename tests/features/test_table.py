import numpy as np

from declutter.document import Source
from declutter.features import FEATURES, extract, feature_names, features_table, log_softmax
from declutter.kinds import SCORED
from declutter.readers.html import read_page

PAGE = "<title>The river rose</title><nav><a href=/>Home</a></nav><h1>The river rose</h1><p>It rose by two metres.</p>"


def columns(source):
    """The classifier's input where every kind is as likely as the others."""
    even = np.full((len(source.texts), len(SCORED)), -np.log(len(SCORED)), np.float32)
    found = extract([source], lambda _: even, lambda _: np.zeros_like(even))
    return found.columns(found.word_scores)


def test_every_feature_has_a_name_of_its_own_and_a_meaning():
    names = [feature.name for feature in FEATURES]
    assert len(set(names)) == len(names)
    assert all(feature.meaning for feature in FEATURES)
    assert all(feature.name.startswith(f"{feature.family}: ") for feature in FEATURES)


def test_the_table_has_as_many_rows_as_extract_fills_columns():
    assert columns(Source("list", ["one", "two"])).shape == (2, len(feature_names(False)))
    assert columns(read_page(PAGE)).shape == (3, len(feature_names(True)))
    fixed = extract([read_page(PAGE)], lambda _: np.zeros((3, len(SCORED))), lambda _: np.zeros((3, len(SCORED)))).fixed
    assert fixed.shape == (3, len(feature_names(True, scored=False)))


def test_the_table_is_in_the_order_that_extract_fills():
    found = dict(zip(feature_names(True), columns(read_page(PAGE)).T, strict=True))
    assert np.allclose(found["shape: length"], np.log1p([4, 14, 22]))
    assert np.allclose(found["place: position"], [0, 0.5, 1])
    assert np.allclose(found[f"words: {SCORED[-1]}"], -np.log(len(SCORED)))
    assert found["markup: within <nav>"].tolist() == [1, 0, 0]
    assert found["markup: is the headline"].tolist() == [0, 1, 0]
    assert found[f"names: {SCORED[0]}"].tolist() == [0, 0, 0]
    assert np.allclose(found[f"around: {SCORED[0]}: itself"], -np.log(len(SCORED)))
    assert np.isin(found["region: in the article's element"], (0, 1)).all()


def test_text_has_no_feature_that_needs_markup():
    without = set(feature_names(True)) - set(feature_names(False))
    assert without == {feature.name for feature in FEATURES if feature.markup}
    assert {name.split(":")[0] for name in without} == {"markup", "names", "region"}
    assert columns(Source("list", ["one"])).shape[1] == len(FEATURES) - len(without)


def test_the_markdown_table_names_every_feature():
    rows = features_table().split("\n")
    assert len(rows) == len(FEATURES) + 2
    assert all(f"| {feature.name} |" in row for feature, row in zip(FEATURES, rows[2:], strict=True))


def test_log_softmax_is_the_logarithm_of_probabilities_also_of_huge_scores():
    found = np.exp(log_softmax(np.array([[0.0, np.log(3)], [5000.0, -5000.0]])))
    assert np.allclose(found, [[0.25, 0.75], [1, 0]])


def test_a_huge_document_has_finite_features():
    texts = [("Subscribe now! " * (i % 9), "x" * (i % 300), "中文。", "😀", "\u200b")[i % 5] for i in range(20_000)]
    found = columns(Source("list", texts))
    assert found.shape[0] == 20_000
    assert np.isfinite(found).all()


def test_one_and_two_paragraphs_have_finite_features():
    for texts in (["a"], ["a", "b"], [""]):
        assert np.isfinite(columns(Source("list", texts))).all()
    assert np.isfinite(columns(read_page("<p>a"))).all()
