"""The layers of the package: a file imports only from files above it, and a run loads only what it needs."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import declutter

# "declutter" is the package's public face: the labeller's users stand below it.
LAYERS = [
    "errors", "kinds", "document", "policy", "readers", "features", "memory", "model", "explain", "writers", "labeller",
    "declutter", "archive", "training", "cli", "__main__",
]  # fmt: skip
PACKAGE = Path(declutter.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))


def layer(path: Path) -> str:
    name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "declutter" if name == "__init__" else name


def imports(tree: ast.AST) -> Iterator[str]:
    """Layers of this package that are imported anywhere in `tree`."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    for name in names:
        package, _, rest = name.partition(".")
        if package == "declutter":
            part = rest.partition(".")[0]
            yield part if part in LAYERS else "declutter"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_only_from_layers_above_it(path):
    own = layer(path)
    above = LAYERS[: LAYERS.index(own) + (path.parent != PACKAGE)]  # the files of a sub-package import one another
    assert set(imports(ast.parse(path.read_text(encoding="utf-8")))) <= set(above)


def test_training_is_imported_by_the_command_line_alone_and_inside_functions():
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if layer(path) == "cli":
            tree.body = [node for node in tree.body if not isinstance(node, ast.FunctionDef)]
        assert layer(path) == "training" or "training" not in imports(tree), path


def loaded(code: str) -> set[str]:
    """Top-level packages that `code` loads in a fresh interpreter, beyond what numpy loads."""
    script = f"import sys, numpy; before = set(sys.modules)\n{code}\nprint(*(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_labelling_text_loads_neither_scikit_learn_nor_a_parser():
    modules = loaded("import declutter; declutter.label('One line.\\nAnother.'.encode('utf-8')).text")
    assert "declutter" in modules
    assert modules & {"sklearn", "scipy", "joblib", "pickle", "lxml", "bs4"} == set()


def test_labelling_a_page_loads_a_parser_and_no_scikit_learn():
    modules = loaded("import declutter; declutter.label('<p>One.<p>Two.')[0].reasons()")
    assert "lxml" in modules
    assert modules & {"sklearn", "scipy", "joblib", "pickle", "bs4"} == set()


def test_the_command_line_loads_no_scikit_learn():
    modules = loaded("from declutter import cli; cli._label_parser()")
    assert modules & {"sklearn", "scipy", "joblib", "lxml", "bs4"} == set()


def test_cleaning_json_lines_loads_nothing_of_the_extra():
    modules = loaded("from declutter import archive, cli; cli._archive_parser(); cli._apply_parser()")
    assert "declutter" in modules
    absent = {"pyarrow", "fastwarc", "backports", "tqdm", "ray", "upath", "fsspec", "sklearn", "scipy", "lxml", "bs4"}
    assert modules & absent == set()
