"""Documents for the writers, judged by hand."""

from collections.abc import Callable

import numpy as np
import pytest

from declutter.document import Document, Source
from declutter.kinds import LETTERS, SCORED
from declutter.policy import DEFAULT_KEEP
from declutter.readers import read


@pytest.fixture(scope="session")
def judged() -> Callable[..., Document]:
    """Makes a document whose paragraphs are of the kinds that the letters say; without letters all are article."""

    def make(source, letters: str = "") -> Document:
        found = source if isinstance(source, Source) else read(source, "html" if isinstance(source, str) else "auto")
        kinds = [LETTERS[letter] for letter in letters or "C" * len(found.texts)]
        assert len(kinds) == len(found.texts), found.texts
        probabilities = np.zeros((len(kinds), len(SCORED)), np.float32)
        return Document(found, probabilities, kinds, [kind in DEFAULT_KEEP for kind in kinds], {}, [], False, None)

    return make
