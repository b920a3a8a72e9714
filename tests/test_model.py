import io
import json
import shutil
import zlib

import numpy as np
import pytest

from declutter import model as module
from declutter.errors import ModelError
from declutter.features import feature_names
from declutter.features.words import find_words
from declutter.kinds import SCORED
from declutter.model import (
    DESCRIPTION,
    PASSES,
    WEIGHTS,
    Model,
    Network,
    WordNetwork,
    default_model_folder,
    load_model,
    save_model,
)
from declutter.policy import PRESETS, Thresholds

HIDDEN = 6


@pytest.fixture(scope="module")
def made():
    """A small model of random numbers, in the precision that it is stored in."""
    random = np.random.default_rng(0)
    arrays = {}
    for name, expected in module._expected_shapes().items():
        shape = tuple(HIDDEN if size is None else size for size in expected)
        if name == "known_words":
            arrays[name] = random.integers(0, 256, shape).astype(np.uint8)
        elif name in ("words.table", "name_table"):
            arrays[name] = random.integers(-127, 128, shape).astype(np.int8)
            arrays[name][0] = 0
        else:
            arrays[name] = random.normal(0, 0.1, shape).astype(np.float16).astype(np.float32)
    parts = Network.__dataclass_fields__
    networks = {
        form: tuple(Network(*(arrays[f"{form}.{number}.{part}"] for part in parts)) for number in range(len(passes)))
        for form, passes in PASSES.items()
    }
    thresholds = {
        form: {preset: Thresholds(0.4, short, 0.1) for preset, short in zip(PRESETS, (0.1, 0.2, 0.3), strict=True)}
        for form in PASSES
    }
    words = WordNetwork(*(arrays[f"words.{part}"] for part in WordNetwork.__dataclass_fields__))
    return Model(
        words,
        arrays["name_table"],
        arrays["name_scale"],
        arrays["known_words"],
        networks,
        thresholds,
        {"counts": {"pages": 3}, "corpus": "März"},
    )


@pytest.fixture(scope="module")
def saved(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    save_model(made, folder)
    return folder


@pytest.fixture
def folder(saved, tmp_path):
    """A copy of the saved model to do harm to."""
    return shutil.copytree(saved, tmp_path / "model")


def describe(folder, **changes):
    about = json.loads((folder / DESCRIPTION).read_text("utf-8"))
    (folder / DESCRIPTION).write_text(json.dumps(about | changes), "utf-8")


def rewrite_weights(folder, **changes):
    """Replaces arrays (None takes one out) and corrects the checksum."""
    with np.load(folder / WEIGHTS) as file:
        arrays = {name: file[name] for name in file.files} | changes
    buffer = io.BytesIO()
    np.savez(buffer, **{name: array for name, array in arrays.items() if array is not None})
    (folder / WEIGHTS).write_bytes(buffer.getvalue())
    describe(folder, weights_crc32=zlib.crc32(buffer.getvalue()))


def refusal(folder):
    with pytest.raises(ModelError) as caught:
        load_model(folder)
    message = str(caught.value)
    assert message
    assert "\n" not in message
    return message


def test_a_saved_model_loads_as_it_was(made, saved):
    loaded = load_model(saved)
    for name, array in made.arrays().items():
        assert np.array_equal(loaded.arrays()[name], array), name
    assert loaded.thresholds == made.thresholds
    assert loaded.about["counts"] == {"pages": 3}
    assert loaded.about["corpus"] == "März"


def test_the_same_model_is_saved_as_the_same_bytes(made, saved, tmp_path):
    save_model(made, tmp_path / "again")
    save_model(load_model(saved), tmp_path / "loaded")
    for name in (WEIGHTS, DESCRIPTION):
        content = (saved / name).read_bytes()
        assert (tmp_path / "again" / name).read_bytes() == content
        assert (tmp_path / "loaded" / name).read_bytes() == content


def test_saving_leaves_two_files_and_no_others(saved):
    assert {path.name for path in saved.iterdir()} == {WEIGHTS, DESCRIPTION}


def test_a_missing_folder_is_refused(tmp_path):
    assert str(tmp_path / "none") in refusal(tmp_path / "none")


@pytest.mark.parametrize("name", [WEIGHTS, DESCRIPTION])
def test_a_missing_file_is_refused(folder, name):
    (folder / name).unlink()
    assert str(folder) in refusal(folder)


@pytest.mark.parametrize("content", [b"{", b"", b"\xff\xfe", b"not json"])
def test_broken_json_is_refused(folder, content):
    (folder / DESCRIPTION).write_bytes(content)
    assert "not JSON" in refusal(folder)


@pytest.mark.parametrize("content", ["[]", "null", "7", '{"name": "bert"}'])
def test_foreign_json_is_refused(folder, content):
    (folder / DESCRIPTION).write_text(content)
    assert "does not describe" in refusal(folder)


@pytest.mark.parametrize("version", [0, 99, "1", None])
def test_another_format_version_is_refused(folder, version):
    describe(folder, format=version)
    assert f"format {version}" in refusal(folder)


@pytest.mark.parametrize("kinds", [[kind.value for kind in reversed(SCORED)], ["content", "spam"], None])
def test_other_kinds_are_refused(folder, kinds):
    describe(folder, kinds=kinds)
    assert "kinds" in refusal(folder)


def test_one_renamed_feature_is_refused_by_name(folder):
    features = feature_names(True)
    describe(folder, features=[*features[:5], "shape: renamed", *features[6:]])
    message = refusal(folder)
    assert "features" in message
    assert "renamed" in message or features[5] in message


@pytest.mark.parametrize("features", [None, [], {}, feature_names(False), feature_names(True)[::-1]])
def test_missing_or_reordered_features_are_refused(folder, features):
    describe(folder, features=features)
    assert "features" in refusal(folder)


@pytest.mark.parametrize(
    "thresholds",
    [
        None,
        {},
        {"text": {"short": 0.5, "long": 0.5, "credit": 0.5}},
        {form: {"reading": {"short": 0.5, "long": 0.5, "credit": 0.5}} for form in PASSES},
        {form: {preset: {"short": 0.5} for preset in PRESETS} for form in PASSES},
    ],
)
def test_a_missing_threshold_is_refused(folder, thresholds):
    describe(folder, thresholds=thresholds)
    assert "thresholds" in refusal(folder)


@pytest.mark.parametrize("where", [0, 1000, -1])
def test_damaged_weights_are_refused(folder, where):
    weights = bytearray((folder / WEIGHTS).read_bytes())
    weights[where] ^= 1
    (folder / WEIGHTS).write_bytes(weights)
    assert "checksum" in refusal(folder)


def test_weights_that_are_no_arrays_are_refused_whatever_their_checksum(folder):
    (folder / WEIGHTS).write_bytes(b"PK no zip")
    describe(folder, weights_crc32=zlib.crc32(b"PK no zip"))
    assert "cannot be read" in refusal(folder)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("words.output_bias", np.zeros(3, np.float32)),
        ("words.scale", np.zeros((HIDDEN, 1), np.float32)),
        ("text.0.hidden_weights", np.zeros((7, HIDDEN), np.float16)),
        ("html.1.output_weights", None),
    ],
)
def test_an_array_of_another_shape_is_refused_by_name(folder, name, array):
    rewrite_weights(folder, **{name: array})
    assert name in refusal(folder)


class Sprung:
    """Where a pickle that ran leaves its trace."""

    values: list[bool] = []  # noqa: RUF012

    def __reduce__(self):
        return Sprung.values.append, (True,)


def test_pickled_objects_are_refused_and_never_run(folder):
    rewrite_weights(folder, **{"words.output_bias": np.array([Sprung()] * len(SCORED), dtype=object)})
    assert "cannot be read" in refusal(folder)
    assert not Sprung.values


def test_the_default_model_is_found_and_loads():
    found = default_model_folder()
    assert (found / WEIGHTS).is_file()
    assert load_model(found).about["features"] == feature_names(True)


def test_a_network_is_one_hidden_layer_and_a_softmax(made):
    network = made.networks["text"][0]
    columns = np.random.default_rng(1).normal(size=(9, len(feature_names(False))))
    hidden = np.maximum(columns @ network.hidden_weights + network.hidden_bias, 0)
    likely = np.exp(hidden @ network.output_weights + network.output_bias)
    expected = likely / likely.sum(axis=1, keepdims=True)
    assert np.exp(network.scores(columns)) == pytest.approx(expected, rel=1e-9)
    assert network.scores(columns.astype(np.float32)) == pytest.approx(np.log(expected), abs=1e-4)


def test_scores_of_words_are_one_hidden_layer_over_the_table(made):
    found, words = find_words(["subscribe", "now"]), made.words
    hidden = np.maximum(module.score_words(found, words.table) * words.scale + words.hidden_bias, 0)
    assert words.scores(found) == pytest.approx(hidden @ words.output_weights + words.output_bias, rel=1e-4)
