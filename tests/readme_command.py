"""Prints one of the README's two commands, so that CI runs what a reader is told to: `python tests/readme_command.py run|test`."""

import re
import sys
from pathlib import Path


def command(name: str) -> str:
    """The shell block that follows the README's line "<!-- run -->" or "<!-- test -->"."""
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"<!-- {name} -->\n```sh\n(.*?)```", readme, re.S)
    if found is None:
        raise SystemExit(f"README.md has no command marked {name}")
    return found[1].strip()


if __name__ == "__main__":
    print(command(sys.argv[1]))
