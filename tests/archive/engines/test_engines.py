"""Processes that die cost time, nothing else; a shard that kills three is given up."""

import importlib
import importlib.util
import json
import os
import subprocess
import sys
from collections import deque
from functools import partial
from pathlib import Path

import pytest

from declutter.archive.engines import ENGINES
from declutter.archive.engines.local import DEATHS
from declutter.archive.shard import Outcome, Shard
from declutter.errors import MissingExtraError

WORK = '''
import os, signal
from pathlib import Path
from declutter.archive.shard import Outcome

def work(folder, deadly, shard):
    """Leaves a file for every time a shard is tried; those of `deadly` kill their worker the first so many times."""
    tried = len(list(Path(folder).glob(f"{shard.name}.*")))
    (Path(folder) / f"{shard.name}.{tried}").write_text(f"{os.getpid()} {os.environ['OMP_NUM_THREADS']}")
    if tried < deadly.get(shard.name, 0):
        os.kill(os.getpid(), signal.SIGKILL)
    if shard.name == "raises":
        raise KeyError(shard.name)
    return Outcome(shard.name, records=tried)
'''


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    """The module `deadly_work`, where worker processes can import it."""
    folder = tmp_path_factory.mktemp("code")
    (folder / "deadly_work.py").write_text(WORK)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        yield importlib.import_module("deadly_work")


@pytest.fixture
def work(code, tmp_path):
    """Makes work, given how often each shard kills its worker."""
    (tmp_path / "tries").mkdir()
    return lambda **deadly: partial(code.work, str(tmp_path / "tries"), deadly)


@pytest.fixture(scope="module")
def cluster(code):
    """A cluster of Ray's on this machine, which takes some seconds to start."""
    ray = pytest.importorskip("ray", reason="ray is not installed")
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()


@pytest.fixture(params=ENGINES)
def run(request):
    """An engine."""
    if request.param == "ray":
        request.getfixturevalue("cluster")
    return ENGINES[request.param]


def shards(names: str) -> deque[Shard]:
    return deque(Shard(name, (), 0) for name in names.split())


def tries(tmp_path: Path) -> dict[str, int]:
    names = [path.name.partition(".")[0] for path in (tmp_path / "tries").iterdir()]
    return {name: names.count(name) for name in names}


def test_every_shard_is_yielded_once_with_its_outcome(run, work, tmp_path):
    found = dict(run(work(), shards("a b c d e"), 2))
    assert {shard.name: outcome for shard, outcome in found.items()} == {name: Outcome(name) for name in "abcde"}
    told = [path.read_text().split() for path in (tmp_path / "tries").iterdir()]
    assert {threads for _, threads in told} == {"1"}
    assert str(os.getpid()) not in {pid for pid, _ in told}
    assert os.environ.get("OMP_NUM_THREADS") == ORIGINAL


ORIGINAL = os.environ.get("OMP_NUM_THREADS")


def test_shards_may_be_added_when_an_outcome_is_given(run, work):
    waiting = shards("a")
    found = []
    for shard, _ in run(work(), waiting, 1):
        found.append(shard.name)
        if len(found) < 4:
            waiting.appendleft(Shard(shard.name * 2, (), 0))
    assert found == ["a", "aa", "aaaa", "aaaaaaaa"]


def test_a_shard_survives_the_deaths_of_its_workers_and_one_that_goes_on_killing_is_given_up(run, work, tmp_path):
    results = list(run(work(b=1, d=99), shards("a b c d e"), 2))
    assert sorted(shard.name for shard, _ in results) == list("abcde")
    found = {shard.name: outcome for shard, outcome in results}
    assert found.pop("d") is None
    assert all(outcome.name == name for name, outcome in found.items())
    assert tries(tmp_path)["d"] in (DEATHS, DEATHS + 1)  # a death in company may have been another's
    assert tries(tmp_path)["b"] == 2


def test_what_the_work_raises_goes_through(run, work):
    with pytest.raises(KeyError, match=r"^'raises'$"):
        list(run(work(), shards("raises"), 1))


def test_a_cluster_that_is_there_is_used_and_its_tasks_can_be_interrupted(cluster, tmp_path):
    import ray

    text = "\n".join(f"The council met on day {n} and voted." for n in range(40_000))
    lines = [json.dumps({"text": "Rain fell on Monday."}), json.dumps({"text": text})]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    address = ray.get_runtime_context().gcs_address
    command = [sys.executable, "-m", "declutter", "archive", "a.jsonl", "--out", "out"]
    command += ["--engine", "ray", "--ray-address", address, "--max-seconds", "0.1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert "2 documents in 1 files" in done.stderr
    assert done.returncode == 1
    error = json.loads((tmp_path / "out/errors.jsonl").read_text())
    assert (error["position"], error["reason"][:14]) == (2, "took more than")
    assert ray.is_initialized()
    assert ray.cluster_resources()["CPU"] == 2


def test_without_ray_its_extra_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"the engine ray needs ray: pip install 'declutter\[ray\]'"):
        list(ENGINES["ray"](Outcome, deque(), 1))
