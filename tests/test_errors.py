"""The tree of errors."""

import inspect
import pickle

import pytest

import declutter
from declutter import errors

ERRORS = [found for _, found in inspect.getmembers(errors, inspect.isclass) if issubclass(found, Exception)]


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_is_public_drawn_in_the_tree_and_caught_as_a_declutter_error(error):
    assert issubclass(error, declutter.DeclutterError)
    assert getattr(declutter, error.__name__) is error
    assert error.__name__ in errors.__doc__


@pytest.mark.parametrize("error", ERRORS)
def test_errors_come_back_from_a_worker_process(error):
    back = pickle.loads(pickle.dumps(error("it broke")))
    assert type(back) is error
    assert str(back) == "it broke"


def test_wrong_use_and_missing_extras_are_also_the_errors_python_programmers_expect():
    assert issubclass(declutter.UsageError, ValueError)
    assert issubclass(declutter.MissingExtraError, ImportError)
