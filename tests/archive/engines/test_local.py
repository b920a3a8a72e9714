"""Processes that die cost time, nothing else; a shard that kills three is given up."""

import os
from functools import partial
from pathlib import Path

import pytest

from declutter.archive.engines import ENGINES
from declutter.archive.engines.local import DEATHS, run
from declutter.archive.shard import Outcome, Shard

WORK = '''
import os, signal
from pathlib import Path
from declutter.archive.shard import Outcome

def work(folder, deadly, shard):
    """Leaves a file for every time a shard is tried; those of `deadly` kill their worker the first so many times."""
    tried = len(list(Path(folder).glob(f"{shard.name}.*")))
    (Path(folder) / f"{shard.name}.{tried}").write_text(f"{os.getpid()} {os.environ['OPENBLAS_NUM_THREADS']}")
    if tried < deadly.get(shard.name, 0):
        os.kill(os.getpid(), signal.SIGKILL)
    if shard.name == "raises":
        raise KeyError(shard.name)
    return Outcome(shard.name, records=tried)
'''


@pytest.fixture
def work(tmp_path, monkeypatch):
    """Work that worker processes can import."""
    (tmp_path / "code").mkdir()
    (tmp_path / "tries").mkdir()
    (tmp_path / "code" / "deadly_work.py").write_text(WORK)
    monkeypatch.syspath_prepend(tmp_path / "code")
    import deadly_work

    return lambda **deadly: partial(deadly_work.work, str(tmp_path / "tries"), deadly)


def shards(names: str) -> list[Shard]:
    return [Shard(name, (), 0) for name in names.split()]


def tries(tmp_path: Path) -> dict[str, int]:
    names = [path.name.partition(".")[0] for path in (tmp_path / "tries").iterdir()]
    return {name: names.count(name) for name in names}


def test_every_shard_is_yielded_once_with_its_outcome(work, tmp_path):
    found = dict(run(work(), shards("a b c d e"), 2))
    assert {shard.name: outcome for shard, outcome in found.items()} == {name: Outcome(name) for name in "abcde"}
    told = [path.read_text().split() for path in (tmp_path / "tries").iterdir()]
    assert {threads for _, threads in told} == {"1"}
    assert str(os.getpid()) not in {pid for pid, _ in told}
    assert "OPENBLAS_NUM_THREADS" not in os.environ or os.environ["OPENBLAS_NUM_THREADS"] == ORIGINAL


ORIGINAL = os.environ.get("OPENBLAS_NUM_THREADS")


def test_a_shard_survives_the_deaths_of_its_workers_and_one_that_goes_on_killing_is_given_up(work, tmp_path):
    results = list(run(work(b=1, d=99), shards("a b c d e"), 2))
    assert sorted(shard.name for shard, _ in results) == list("abcde")
    found = {shard.name: outcome for shard, outcome in results}
    assert found.pop("d") is None
    assert all(outcome.name == name for name, outcome in found.items())
    assert tries(tmp_path)["d"] in (DEATHS, DEATHS + 1)  # a death in company may have been another's
    assert tries(tmp_path)["b"] == 2


def test_what_the_work_raises_goes_through(work):
    with pytest.raises(KeyError, match="raises"):
        list(run(work(), shards("raises"), 1))


def test_local_is_an_engine():
    assert ENGINES["local"] is run
