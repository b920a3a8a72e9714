import numpy as np
import pytest

from declutter.features.layout import ALL, OFFSETS, Layout

COUNTS = ([1], [2], [30], [1, 1], [5, 1, 30, 2], [3] * 20)


@pytest.fixture(params=COUNTS, ids=str)
def layout(request):
    return Layout(request.param)


@pytest.fixture
def values(layout):
    return np.random.default_rng(5).normal(size=(len(layout), 3)).astype(np.float32)


@pytest.fixture
def documents(layout):
    """For each row the first one of its document and the end of it."""
    return [(start, stop) for start, stop in zip(layout.starts, layout.stops, strict=True) for _ in range(start, stop)]


def test_rows_are_numbered_within_their_documents(layout, documents):
    assert layout.index.tolist() == [i - start for i, (start, _) in enumerate(documents)]
    assert [layout.starts[d] for d in layout.of] == [start for start, _ in documents]


def test_sums_are_of_a_document(layout, values, documents):
    totals = np.broadcast_to(layout.spread(layout.totals(values)), values.shape)
    running = layout.running(values[:, 0])
    for i, (start, stop) in enumerate(documents):
        assert totals[i] == pytest.approx(values[start:stop].sum(axis=0), abs=1e-5)
        assert running[i] == pytest.approx(values[start : i + 1, 0].sum(), abs=1e-5)


def test_marked_rows_are_looked_for_in_the_document(layout, values, documents):
    marks = values[:, 0] > 0.8
    since, until = layout.since(marks), layout.until(marks)
    for i, (start, stop) in enumerate(documents):
        assert since[i] == next((i - j for j in range(i, start - 1, -1) if marks[j]), i - start + 1)
        assert until[i] == next((j - i for j in range(i, stop) if marks[j]), stop - i)


@pytest.mark.parametrize("number", [2, 4, 6])
def test_neighbours_stand_in_the_document(layout, values, documents, number):
    found = layout.neighbours(values, number)(ALL)
    for i, (start, stop) in enumerate(documents):
        for k, offset in enumerate(OFFSETS[:number]):
            expected = values[i + offset] if start <= i + offset < stop else np.zeros(3)
            assert np.array_equal(found[i, k], expected)


def test_windows_equal_plain_sums(layout, values, documents):
    found = layout.windows(values, (3, 8))(ALL).reshape(len(layout), 4, 3)
    for number, size in enumerate((3, 8)):
        before, after = found[:, 2 * number], found[:, 2 * number + 1]
        for i, (start, stop) in enumerate(documents):
            assert before[i] == pytest.approx(values[max(start, i - size) : i].sum(axis=0) / size, abs=1e-5)
            assert after[i] == pytest.approx(values[i + 1 : min(i + 1 + size, stop)].sum(axis=0) / size, abs=1e-5)


def test_some_rows_are_those_of_all(layout, values):
    for columns in (layout.neighbours(values, 4), layout.windows(values, (3, 8))):
        parts = [columns(slice(start, start + 7)) for start in range(0, len(layout), 7)]
        assert np.array_equal(np.concatenate(parts), columns(ALL))
