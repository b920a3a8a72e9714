import pytest

from declutter.archive.containers.record import Changed, Fault, Record, changed_together
from declutter.errors import SourceError


class Told:
    """A change that writes down what it is told, and labels every record with its position."""

    def __init__(self):
        self.told = []

    def __call__(self, records):
        self.told.append([record.position for record in records])
        return [Changed(None, {"position": record.position}) for record in records]

    def fail(self, position, reason, url=None):
        self.told.append(f"{position} {reason}")


def run(found):
    change, written = Told(), []
    try:
        for rest, changed in changed_together(found, change):
            written.append((rest, changed and changed.labels["position"]))
    except SourceError as error:
        written.append(str(error))
    return change.told, written


def records(positions, source="text"):
    return [(Record(position, source), f"line {position}") for position in positions]


def test_records_come_back_in_order_with_what_stands_between_them():
    found = [*records([1]), (None, "blank"), *records([3])]
    assert run(found) == ([[1, 3]], [("line 1", 1), ("blank", None), ("line 3", 3)])
    assert run([]) == ([], [])


def test_a_fault_is_told_in_its_turn():
    found = [*records([1]), (Fault(2, "is broken"), "left"), *records([3])]
    assert run(found) == ([[1], "2 is broken", [3]], [("line 1", 1), ("left", None), ("line 3", 3)])


def test_what_stands_before_the_end_of_what_can_be_read_is_not_lost():
    def cut():
        yield from records([1, 2])
        raise SourceError("ends here")

    assert run(cut()) == ([[1, 2]], [("line 1", 1), ("line 2", 2), "ends here"])


@pytest.mark.parametrize("source", ["x", "x" * 300_000, None, 7])
def test_few_records_wait_and_few_characters(source):
    told, written = run(records(range(1, 200), source))
    assert [position for batch in told for position in batch] == list(range(1, 200))
    assert len(written) == 199
    assert max(map(len, told)) == (4 if source == "x" * 300_000 else 64)
