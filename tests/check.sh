#!/usr/bin/env bash
# Style, types, corpus and the quality gate; run inside the development environment, from the project's root.
set -euo pipefail
cd "$(dirname "$0")/.."
ruff check .
ruff format --check .
mypy
declutter corpus check
data=../shared/data
if [ -d "$data" ]; then
    declutter evaluate --data "$data" --floors models/article/floors.json > /dev/null
else
    declutter evaluate --floors models/article/floors.json > /dev/null
fi
echo "checks passed"
