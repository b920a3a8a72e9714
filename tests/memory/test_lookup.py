"""Memories as they are read: the right site, the right counts, whatever the file's size, and refusals."""

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from declutter.errors import MissingExtraError, ModelError
from declutter.memory import Memory, load_memory, site_of
from declutter.memory.lookup import _suffixes
from declutter.memory.paragraphs import WHOLE, fingerprints

pytest.importorskip("pyarrow", reason="needs the extra archive")
pytest.importorskip("publicsuffixlist", reason="needs the extra archive")

APPEAL, SHARE, STORY = "Become a supporter from 4 euros a month.", "Share this story", "The river rose on Monday."


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://www.news.example.co.uk/a?b#c", "example.co.uk"),
        ("http://example.org:8080/", "example.org"),
        ("//cdn.example.org/x", "example.org"),
        ("www.example.org/page", "example.org"),
        ("EXAMPLE.ORG.", "example.org"),
        ("https://diary.blogspot.com/2012/", "diary.blogspot.com"),
        ("https://www.bücher.example.de/", "example.de"),
        ("https://bücher.de/", "xn--bcher-kva.de"),
        ("https://xn--bcher-kva.de/", "xn--bcher-kva.de"),
        ("http://192.0.2.7/page", "192.0.2.7"),
        ("http://[2001:db8::1]/page", "2001:db8::1"),
        ("http://localhost/page", "localhost"),
        ("https://co.uk/", "co.uk"),
        ("The Harbour Lantern", "The Harbour Lantern"),
        ("lantern", "lantern"),
        ("http://[broken", None),
        ("/local/path", None),
        ("file:///local/path", None),
        ("", None),
        ("  ", None),
        (None, None),
    ],
)
def test_the_site_of_an_address_is_its_registered_domain_and_a_name_is_a_site(url, site):
    assert site_of(url) == site


def test_without_the_list_of_suffixes_a_host_is_a_site_only_where_that_will_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "publicsuffixlist", None)
    _suffixes.cache_clear()
    for url, site in (
        ("https://www.news.example.co.uk/a", "news.example.co.uk"),
        ("https://www.www.org", "www.org"),
        ("http://192.0.2.7/page", "192.0.2.7"),
        ("The Harbour Lantern", "The Harbour Lantern"),
        (None, None),
    ):
        assert site_of(url, strict=False) == site
    with pytest.raises(MissingExtraError, match="publicsuffixlist"):
        site_of("https://example.org/")
    _suffixes.cache_clear()


def test_counts_are_by_site_and_by_document(remember):
    path = remember(
        {
            "a.example": [[STORY, APPEAL, APPEAL], [APPEAL.replace("4", "9"), SHARE], ["Another story", SHARE]],
            "b.example": [[APPEAL], [SHARE]],
        }
    )
    memory = load_memory(path)
    documents, of = memory.look_up([STORY, APPEAL.upper(), SHARE, "3-1", "unheard of"], "a.example")
    assert (documents.tolist(), of) == ([0, 2, 2, 0, 0], 3)  # what stands in one document alone is not kept
    documents, of = memory.look_up([STORY, APPEAL, SHARE], "b.example")
    assert (documents.tolist(), of) == ([0, 0, 0], 2)
    for site in ("c.example", "A.EXAMPLE", "", "zzz"):
        documents, of = memory.look_up([STORY, APPEAL], site)
        assert (documents.tolist(), of) == ([0, 0], 0)
    assert memory.look_up([], "a.example")[0].shape == (0,)


def test_an_empty_memory_knows_nothing(remember):
    memory = load_memory(remember({}))
    assert memory.look_up([STORY], "a.example")[1] == 0


def test_sites_that_span_row_groups_are_found_whole(remember, monkeypatch):
    monkeypatch.setattr("declutter.archive.sites._GROUP", 16)
    sites = {
        f"{name}.example": [[f"notice {'abcdefghij'[i]} {name}" for i in range(10)]] * n
        for n, name in enumerate("vwxyz", 2)
    }
    memory = Memory(remember(sites))
    assert len(memory._ranges) > 3
    with ThreadPoolExecutor(4) as pool:
        for (_, documents), (found, of) in zip(
            sites.items(), pool.map(lambda item: memory.look_up(item[1][0], item[0]), sites.items()), strict=True
        ):
            assert found.tolist() == [len(documents)] * 10
            assert of == len(documents)


def test_only_the_rows_that_are_asked_for_are_read(remember, monkeypatch):
    monkeypatch.setattr("declutter.archive.sites._GROUP", 16)
    memory = Memory(remember({f"{i:03}.example": [[f"notice {word}" for word in "abcdefgh"]] * 2 for i in range(50)}))
    memory.look_up(["notice a"], "017.example")
    assert memory._group.cache_info().currsize <= 2 < len(memory._ranges)


def test_a_pickled_memory_is_its_path(remember):
    memory = load_memory(remember({"a.example": [[APPEAL], [APPEAL]]}))
    assert len(pickle.dumps(memory)) < 400
    assert pickle.loads(pickle.dumps(memory)).look_up([APPEAL], "a.example")[0].tolist() == [2]


def test_a_changed_file_is_read_again(remember):
    before = load_memory(remember({"a.example": [[APPEAL]] * 2}))
    assert load_memory(before.path) is before
    after = load_memory(remember({"a.example": [[APPEAL]] * 5}))
    assert after.look_up([APPEAL], "a.example") == (np.array([5]), 5)


def test_the_file_can_be_read_with_other_tools(remember):
    from pyarrow import parquet

    path = remember(
        {"a.example": [[STORY, APPEAL, SHARE]] + [[APPEAL.replace("4", str(n)), SHARE] for n in range(5, 7)]}
    )
    assert parquet.read_table(path).to_pylist() == [
        {"site": "a.example", "fingerprint": WHOLE, "documents": 3, "example": None},
        *sorted(
            (
                {"site": "a.example", "fingerprint": int(fingerprints([text])[0]), "documents": 3, "example": text}
                for text in (APPEAL, SHARE)
            ),
            key=lambda row: row["fingerprint"],
        ),
    ]


def rewritten(path, change):
    from pyarrow import parquet

    metadata = parquet.read_metadata(path).metadata
    table = change(parquet.read_table(path))
    parquet.write_table(table.replace_schema_metadata({b"declutter.memory": metadata[b"declutter.memory"]}), path)
    return path


def test_what_is_no_memory_is_refused(remember, tmp_path):
    from pyarrow import parquet

    path = remember({"a.example": [[APPEAL]] * 3})
    (tmp_path / "text.parquet").write_text("no Parquet")
    parquet.write_table(parquet.read_table(path).drop_columns("site"), tmp_path / "columns.parquet")
    parquet.write_table(parquet.read_table(path).replace_schema_metadata(None), tmp_path / "format.parquet")
    for name, named in (
        ("text", "cannot be read"),
        ("columns", "columns"),
        ("format", "format unknown"),
        ("absent", "no memory at"),
    ):
        with pytest.raises(ModelError, match=named):
            load_memory(tmp_path / f"{name}.parquet")


def test_a_memory_that_somebody_sorted_otherwise_is_refused(remember):
    path = remember({"a.example": [[APPEAL, SHARE, "One more"]] * 3, "b.example": [[APPEAL, SHARE]] * 2})
    rewritten(path, lambda table: table.take(list(range(len(table)))[::-1]))
    with pytest.raises(ModelError, match="not sorted"):
        load_memory(path).look_up([APPEAL], "a.example")


def test_a_memory_that_somebody_filtered_still_works(remember):
    from pyarrow import compute

    path = remember({"a.example": [[APPEAL, SHARE]] * 3, "b.example": [[APPEAL]] * 2})
    rewritten(path, lambda table: table.filter(compute.equal(table["site"], "a.example")))
    assert load_memory(path).look_up([APPEAL], "a.example")[0].tolist() == [3]
    assert load_memory(path).look_up([APPEAL], "b.example")[1] == 0
