#!/usr/bin/env bash
# Style, types, layers. Runs all of them and fails if one of them does.
cd "$(dirname "$0")/.." || exit 1
status=0
.venv/bin/ruff check --quiet . && .venv/bin/ruff format --check --quiet . || status=1
.venv/bin/mypy --no-error-summary || status=1
.venv/bin/lint-imports --no-logo >.venv/imports.log 2>&1 || { cat .venv/imports.log; status=1; }
[ $status = 0 ] && echo "lint: style, types and layers are in order"
exit $status
