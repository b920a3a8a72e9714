"""The shape of a paragraph: how long it is, what it is made of, how it begins and ends.

One histogram of character classes carries most of it.
"""

from __future__ import annotations

import numpy as np

from declutter.features import characters
from declutter.features.characters import CLASSES, ID, members
from declutter.features.words import Words

_VISIBLE = (~members("space")).astype(np.float32)
_LETTERS = members("lower", "upper", "caseless", "alone", "mark").astype(np.float32)
_SHARES = (  # share of the visible characters, in this order
    members("upper"),
    members("caseless"),
    members("alone"),
    members("digit"),
    members("opening", "closing", "straight", "guillemet"),
    members("comma"),
    members("period", "exclamation", "question", "ellipsis"),
    members("bullet", "bar", "arrow", "star", "hash"),
    members("open bracket", "close bracket"),
    members("symbol", "other", "at", "percent", "copyright"),
)
_COUNTS = (  # present at all, on a logarithmic scale
    members("exclamation"),
    members("question"),
    members("currency"),
    members("colon"),
    members("bar", "bullet", "arrow"),
    members("copyright"),
    members("opening", "straight"),
    members("guillemet"),
    members("at"),
    members("dash"),
    members("digit"),
)
_BEGINS = (
    members("upper"),
    members("lower"),
    members("digit"),
    members("opening", "straight", "guillemet"),
    members("bullet", "dash", "arrow", "star"),
    members("caseless", "alone"),
)
_ENDS = (
    members("period"),
    members("exclamation", "question"),
    members("colon"),
    members("closing", "straight"),
    members("ellipsis", "arrow"),
    members("lower", "upper", "caseless", "alone", "mark"),
    members("digit"),
    members("close bracket"),
    members("comma"),
    members("guillemet"),
)
_SHARE_MATRIX = np.stack(_SHARES, axis=1).astype(np.float32)
_COUNT_MATRIX = np.stack(_COUNTS, axis=1).astype(np.float32)
_BEGIN_MATRIX = np.stack(_BEGINS, axis=1).astype(np.float32)
_END_MATRIX = np.stack(_ENDS, axis=1).astype(np.float32)


def shape(words: Words) -> np.ndarray:
    """The shape columns of `features.FEATURES`, in their order: float32, paragraphs x columns."""
    return np.concatenate([_shape(part) for part in words.parts()])


def _shape(words: Words) -> np.ndarray:
    classes, bounds, first = words.classes, words.bounds, words.first
    count = len(bounds) - 1
    lengths = words.lengths
    cells = np.repeat(np.arange(0, count * len(CLASSES), len(CLASSES)), lengths + 1)
    cells += classes
    histogram = np.bincount(cells, minlength=count * len(CLASSES)).reshape(count, len(CLASSES)).astype(np.float32)
    visible = histogram @ _VISIBLE
    letters = histogram @ _LETTERS

    begin_class = classes[words.starts]
    sizes = words.ends - words.starts
    per_word = np.empty((len(sizes), 4), np.int32)
    is_word = per_word[:, 0] = characters.in_word(begin_class)
    per_word[:, 1] = begin_class == ID["upper"]
    np.multiply(sizes, is_word, out=per_word[:, 2], casting="unsafe")
    per_word[:, 3] = per_word[:, 2] > 6
    of_words = np.add.reduceat(per_word, first[:-1], axis=0)
    number_of_words = np.maximum(of_words[:, 0], 1)
    ends_sentence = characters.ends_sentence(classes)
    ends_sentence[:-1] &= classes[1:] == ID["space"]
    sentences = np.add.reduceat(ends_sentence, bounds[:-1], dtype=np.int32)

    columns = np.empty((count, len(SHAPE)), np.float32)
    columns[:, 0] = np.log1p(lengths)
    columns[:, 1] = np.log1p(of_words[:, 0])
    columns[:, 2] = np.minimum(lengths, 400) / 400
    columns[:, 3] = np.log1p(sentences)
    columns[:, 4] = letters / visible
    columns[:, 5] = of_words[:, 1] / number_of_words
    columns[:, 6] = of_words[:, 2] / number_of_words / 10
    columns[:, 7] = of_words[:, 3] / number_of_words
    columns[:, 8] = (histogram[:, ID["upper"]] > 3) & (histogram[:, ID["lower"]] == 0)
    columns[:, 9] = lengths / np.maximum(sentences, 1) / 100
    at = 10
    for matrix, values in ((_SHARE_MATRIX, histogram / visible[:, None]), (_COUNT_MATRIX, None)):
        width = matrix.shape[1]
        columns[:, at : at + width] = values @ matrix if values is not None else np.log1p(histogram @ matrix)
        at += width
    columns[:, at : at + len(_BEGINS)] = _BEGIN_MATRIX[classes[bounds[:-1]]]
    at += len(_BEGINS)
    columns[:, at:] = _END_MATRIX[classes[bounds[1:] - 2]]
    return columns


SHAPE = (
    ("length", "length in characters"),
    ("words", "number of words (in scripts that part them)"),
    ("length, linear", "length in characters up to 400"),
    ("sentences", "number of sentences"),
    ("letters", "share of letters"),
    ("capitalised words", "share of words that begin with a capital"),
    ("word length", "mean length of its words (in scripts that part them)"),
    ("long words", "share of words of more than six letters"),
    ("all capitals", "written in capitals throughout"),
    ("sentence length", "mean length of its sentences"),
    ("capitals", "share of capitals"),
    ("caseless letters", "share of letters of scripts without capitals"),
    ("unspaced letters", "share of letters of scripts without spaces"),
    ("digits", "share of digits"),
    ("quotation marks", "share of quotation marks"),
    ("commas", "share of commas"),
    ("stops", "share of full stops, exclamation and question marks"),
    ("bullets and bars", "share of bullets, bars, arrows and stars"),
    ("brackets", "share of brackets"),
    ("symbols", "share of other symbols"),
    ("exclamation marks", "number of exclamation marks"),
    ("question marks", "number of question marks"),
    ("currency signs", "number of currency signs"),
    ("colons", "number of colons"),
    ("separators", "number of bars, bullets and arrows"),
    ("copyright signs", "number of copyright and trademark signs"),
    ("quotations", "number of quotations"),
    ("guillemets", "number of guillemets"),
    ("at signs", "number of at signs"),
    ("dashes", "number of dashes"),
    ("digit count", "number of digits"),
    ("begins with a capital", "begins with a capital"),
    ("begins in lower case", "begins in lower case"),
    ("begins with a digit", "begins with a digit"),
    ("begins with a quotation", "begins with a quotation mark"),
    ("begins with a bullet", "begins with a bullet, dash or arrow"),
    ("begins with a caseless letter", "begins with a letter of a script without capitals"),
    ("ends with a full stop", "ends with a full stop"),
    ("ends with ! or ?", "ends with an exclamation or question mark"),
    ("ends with a colon", "ends with a colon"),
    ("ends with a quotation", "ends with a quotation mark"),
    ("ends with an ellipsis", "ends with an ellipsis or arrow"),
    ("ends with a letter", "ends without any mark"),
    ("ends with a digit", "ends with a digit"),
    ("ends with a bracket", "ends with a bracket"),
    ("ends with a comma", "ends with a comma"),
    ("ends with a guillemet", "ends with a guillemet"),
)
"""Name and meaning of every column of `shape`."""
