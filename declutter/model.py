"""Arrays in, probabilities out: the trained model as numpy arrays and JSON, which refuses what it does not fit.

A model is a folder of two files: `weights.npz` (arrays, never pickled objects) and `model.json` (format version, kinds,
feature names in order, thresholds, where it comes from, and the checksum of the weights). A third, `memory.json`, may lie beside
them: the weights of what a memory of sites says.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import zlib
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from declutter.errors import ModelError
from declutter.features import Evidence, feature_names, log_softmax
from declutter.features.markup import NAME_BUCKETS, Tree, score_names
from declutter.features.words import BUCKETS, KNOWN_BITS, Words, score_words
from declutter.kinds import SCORED
from declutter.memory.evidence import WEIGHTS as MEMORY
from declutter.memory.evidence import MemoryWeights, load_weights
from declutter.policy import PRESETS, Thresholds

FORMAT = 2
WEIGHTS, DESCRIPTION = "weights.npz", "model.json"
_TABLES = {"words.table": np.int8, "name_table": np.int8, "known_words": np.uint8}  # stored and used as they are
# For each network of a format, in order, whether it sees what the paragraphs around look like: by their words for the first one, by
# the scores of the one before for the next. The first pass over a page does better without (measured on sites not trained on).
PASSES = {"text": (True, True), "html": (False, True)}


@dataclass(frozen=True, slots=True)
class Network:
    """A perceptron with one hidden layer of rectified units; the scaling of its inputs is folded into its weights."""

    hidden_weights: np.ndarray
    hidden_bias: np.ndarray
    output_weights: np.ndarray
    output_bias: np.ndarray

    def scores(self, columns: np.ndarray) -> np.ndarray:
        """Logarithm of each kind's probability: paragraphs x kinds."""
        hidden = columns @ self.hidden_weights
        hidden += self.hidden_bias
        np.maximum(hidden, 0, out=hidden)
        return log_softmax(hidden @ self.output_weights + self.output_bias)

    def softened(self, temperature: float) -> Network:
        """The same network with all scores divided by a temperature (Guo et al. 2017)."""
        return Network(
            self.hidden_weights, self.hidden_bias, self.output_weights / temperature, self.output_bias / temperature
        )


@dataclass(frozen=True, slots=True)
class WordNetwork:
    """A perceptron over hashed n-grams: its first layer is a table with a row for every n-gram.

    Attributes:
        table: int8, n-gram buckets x hidden units.
        scale, hidden_bias: float32, hidden units; what goes into a unit is sum * scale + bias.
        output_weights: float32, hidden units x kinds.
        output_bias: float32, kinds.
    """

    table: np.ndarray
    scale: np.ndarray
    hidden_bias: np.ndarray
    output_weights: np.ndarray
    output_bias: np.ndarray

    def scores(self, words: Words) -> np.ndarray:
        """Scores of every paragraph by its words alone: float32, paragraphs x kinds."""
        hidden = score_words(words, self.table)
        hidden *= self.scale
        hidden += self.hidden_bias
        np.maximum(hidden, 0, out=hidden)
        scores: np.ndarray = hidden @ self.output_weights + self.output_bias
        return scores


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model.

    Attributes:
        words: the classifier of words.
        name_table: int8, name buckets x twice the kinds (own element, elements around).
        name_scale: float32, twice the kinds.
        networks: by format ("text", "html"), in the order they run.
        known_words: uint8, a bit for every slot of `words.known_slots`: whether such a word was seen in training.
        thresholds: by format and preset.
        about: the whole description, as in model.json.
        memory: what repetition on a site says; None where nothing was trained for that.
    """

    words: WordNetwork
    name_table: np.ndarray
    name_scale: np.ndarray
    known_words: np.ndarray
    networks: dict[str, tuple[Network, ...]]
    thresholds: dict[str, dict[str, Thresholds]]
    about: dict[str, Any]
    memory: MemoryWeights | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """The model that comes with declutter is pickled by name: documents that workers send back would each carry it."""
        if default_model.cache_info().currsize and self is default_model():
            return default_model, ()
        return Model, tuple(getattr(self, name) for name in self.__slots__)

    def needs_memory(self) -> MemoryWeights:
        """What repetition on a site says; raises `ModelError` where nothing was trained for that."""
        if self.memory is None:
            raise ModelError("this model was not trained for a memory of sites: declutter train --only memory")
        return self.memory

    def score_names(self, tree: Tree) -> np.ndarray:
        """Scores of every block by the class and id names around it: float32, blocks x kinds."""
        return score_names(tree, self.name_table, self.name_scale)

    def scores(self, evidence: Evidence) -> np.ndarray:
        """Logarithm of each kind's probability in context: float32, paragraphs x kinds."""
        return self._passes(evidence, None)

    def last_pass(self, evidence: Evidence) -> tuple[Network, np.ndarray]:
        """The network that decides, and its input: float32, paragraphs x features."""
        form = "html" if evidence.trees else "text"
        return self.networks[form][-1], evidence.columns(self._passes(evidence, -1))

    def _passes(self, evidence: Evidence, stop: int | None) -> np.ndarray:
        """Scores after the passes up to a number: float32, paragraphs x kinds."""
        form = "html" if evidence.trees else "text"
        scores = evidence.word_scores
        for network, around in list(zip(self.networks[form], PASSES[form], strict=True))[:stop]:
            blocks = evidence.blocks(scores if around else None)
            scores = np.concatenate([network.scores(columns) for columns in blocks])
        return scores

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array under the name it has in the weights file."""
        found = {f"words.{part}": getattr(self.words, part) for part in WordNetwork.__dataclass_fields__}
        found |= {"name_table": self.name_table, "name_scale": self.name_scale, "known_words": self.known_words}
        for form, networks in self.networks.items():
            for number, network in enumerate(networks):
                for part in Network.__dataclass_fields__:
                    found[f"{form}.{number}.{part}"] = getattr(network, part)
        return found


def _expected_shapes() -> dict[str, tuple[int | None, ...]]:
    kinds = len(SCORED)
    shapes: dict[str, tuple[int | None, ...]] = {
        **{
            f"words.{part}": shape
            for part, shape in zip(
                WordNetwork.__dataclass_fields__,
                ((BUCKETS, None), (None,), (None,), (None, kinds), (kinds,)),
                strict=True,
            )
        },
        "name_table": (NAME_BUCKETS, 2 * kinds),
        "name_scale": (2 * kinds,),
        "known_words": (1 << (KNOWN_BITS - 3),),
    }
    for form, passes in PASSES.items():
        for number, around in enumerate(passes):
            inputs = len(feature_names(form == "html", scored=around))
            parts = ((inputs, None), (None,), (None, kinds), (kinds,))
            shapes |= {
                f"{form}.{number}.{part}": shape
                for part, shape in zip(Network.__dataclass_fields__, parts, strict=True)
            }
    return shapes


def save_model(model: Model, folder: Path) -> None:
    """Writes the two files; large tables as they are, networks in half precision. Same model, same bytes."""
    import hashlib  # late: it brings OpenSSL along, and to load a model takes no more than a checksum

    stored = {name: array.astype(np.float16) if "_weights" in name else array for name, array in model.arrays().items()}
    buffer = io.BytesIO()
    np.savez(buffer, **stored)  # type: ignore[arg-type]
    weights = buffer.getvalue()
    about = {
        "format": FORMAT,
        "kinds": [kind.value for kind in SCORED],
        "features": feature_names(True),
        "thresholds": {
            form: {preset: dataclasses.asdict(values) for preset, values in found.items()}
            for form, found in model.thresholds.items()
        },
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "weights_crc32": zlib.crc32(weights),
        **{
            name: value
            for name, value in model.about.items()
            if name not in ("format", "kinds", "features", "thresholds", "weights_sha256", "weights_crc32")
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (
        (WEIGHTS, weights),
        (DESCRIPTION, (json.dumps(about, indent=1, ensure_ascii=False) + "\n").encode()),
    ):
        temporary = folder / f".{name}.{os.getpid()}"
        temporary.write_bytes(content)
        temporary.replace(folder / name)


def load_model(folder: Path) -> Model:
    """Reads and checks a model; one that was read before is read again only where its files have changed.

    Raises:
        ModelError: a file is missing or damaged, or the model is of another format, other kinds or other features.
    """
    try:
        states = [(folder / name).stat() for name in (DESCRIPTION, WEIGHTS)]
    except OSError as error:
        raise ModelError(f"no model at {folder}: {error.strerror or error}") from None
    if (folder / MEMORY).exists():
        states.append((folder / MEMORY).stat())
    return _load(folder.resolve(), *((state.st_mtime_ns, state.st_size, state.st_ino) for state in states))


@lru_cache(maxsize=8)
def _load(folder: Path, *state: tuple[int, int, int]) -> Model:
    try:
        about = json.loads((folder / DESCRIPTION).read_bytes())
        weights = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise ModelError(f"no model at {folder}: {error.strerror or error}") from None
    except ValueError:
        raise ModelError(f"{folder / DESCRIPTION} is not JSON") from None
    _check_description(about, weights, folder)
    try:
        arrays = {
            name: array if name in _TABLES else array.astype(np.float32)
            for name, array in _read_arrays(weights).items()
        }
    except Exception as error:  # numpy and zipfile raise a dozen types on a damaged file
        raise ModelError(f"{folder / WEIGHTS} cannot be read: {error}") from None
    _check_arrays(arrays, folder / WEIGHTS)
    networks = {
        form: tuple(
            Network(*(arrays[f"{form}.{number}.{part}"] for part in Network.__dataclass_fields__))
            for number in range(len(passes))
        )
        for form, passes in PASSES.items()
    }
    return Model(
        WordNetwork(*(arrays[f"words.{part}"] for part in WordNetwork.__dataclass_fields__)),
        arrays["name_table"],
        arrays["name_scale"],
        arrays["known_words"],
        networks,
        {form: {preset: Thresholds(**about["thresholds"][form][preset]) for preset in PRESETS} for form in PASSES},
        about,
        load_weights(folder),
    )


def _read_arrays(weights: bytes) -> dict[str, np.ndarray]:
    """The arrays of an npz file, read-only views of what was read: half the time of `np.load`, which copies by pieces."""
    import zipfile  # late: it brings three compressors along

    arrays = {}
    with zipfile.ZipFile(io.BytesIO(weights)) as file:
        for name in file.namelist():
            member = file.read(name)
            header = io.BytesIO(member)
            if np.lib.format.read_magic(header) != (1, 0):
                raise ValueError(f"{name} is of another version than numpy's format 1.0")
            shape, in_columns, dtype = np.lib.format.read_array_header_1_0(header)
            if dtype.hasobject:
                raise ValueError(f"{name} holds pickled objects")
            flat = np.frombuffer(member, dtype, offset=header.tell())
            arrays[name.removesuffix(".npy")] = flat.reshape(shape, order="F" if in_columns else "C")
    return arrays


def _check_arrays(arrays: dict[str, np.ndarray], path: Path) -> None:
    for name, shape in _expected_shapes().items():
        found = arrays[name].shape if name in arrays else None
        if (
            found is None
            or len(found) != len(shape)
            or any(w not in (None, h) for w, h in zip(shape, found, strict=True))
        ):
            raise ModelError(
                f"{path}: array {name} is {'missing' if found is None else f'of shape {found}'}, not {shape}"
            )
        if name in _TABLES and arrays[name].dtype != _TABLES[name]:
            raise ModelError(f"{path}: array {name} is not of {_TABLES[name].__name__}")
        if name == "words.table" and arrays[name][0].any():
            raise ModelError(f"{path}: the first row of {name} is not empty")
        if name not in _TABLES and not np.isfinite(arrays[name]).all():
            raise ModelError(f"{path}: array {name} holds values that are no numbers")
    networks = {f"{form}.{number}": _HIDDEN for form, passes in PASSES.items() for number in range(len(passes))}
    for name, parts in (networks | {"words": _HIDDEN_OF_WORDS}).items():
        widths = {arrays[f"{name}.{part}"].shape[axis] for part, axis in parts.items()}
        if len(widths) > 1:
            raise ModelError(f"{path}: the parts of network {name} have {sorted(widths)} hidden units")


_HIDDEN = {"hidden_weights": 1, "hidden_bias": 0, "output_weights": 0}  # which of an array's axes are the hidden units
_HIDDEN_OF_WORDS = {"table": 1, "scale": 0, "hidden_bias": 0, "output_weights": 0}


def _check_description(about: Any, weights: bytes, folder: Path) -> None:
    if not isinstance(about, dict) or "format" not in about:
        raise ModelError(f"{folder / DESCRIPTION} does not describe a declutter model")
    if about["format"] != FORMAT:
        raise ModelError(
            f"{folder} is a model of format {about['format']}; this version of declutter reads format {FORMAT}"
        )
    if about.get("kinds") != [kind.value for kind in SCORED]:
        raise ModelError(f"{folder} tells other kinds apart than this version of declutter")
    wanted, found = feature_names(True), about.get("features")
    if found != wanted:
        strange = sorted(set(wanted) ^ set(found if isinstance(found, list) else ()))
        raise ModelError(
            f"{folder} was trained on other features than this version computes"
            + (f", {strange[0]!r} for one" if strange else "")
        )
    _check_thresholds(about.get("thresholds"), folder / DESCRIPTION)
    if zlib.crc32(weights) != about.get("weights_crc32"):
        raise ModelError(f"{folder / WEIGHTS} is damaged: its checksum is not the one in {DESCRIPTION}")


def _check_thresholds(thresholds: Any, path: Path) -> None:
    for form in PASSES:
        for preset in PRESETS:
            try:
                values = thresholds[form][preset]
                found = [values[part] for part in Thresholds.__dataclass_fields__]
            except (KeyError, TypeError):
                raise ModelError(f"{path} lacks the thresholds {form}, {preset}") from None
            if not all(isinstance(p, (int, float)) and 0 <= p <= 1 for p in found):
                raise ModelError(f"{path}: a threshold is no probability")


@cache
def default_model() -> Model:
    """The model that comes with declutter."""
    return load_model(default_model_folder())


def default_model_folder() -> Path:
    """Where the model that comes with declutter lies: in the package of a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    for folder in (package / "models" / "article", package.parent / "models" / "article"):
        if (folder / DESCRIPTION).exists():
            return folder
    raise ModelError("declutter was installed without its model; reinstall it, or name one with model=")
