#!/usr/bin/env bash
# The whole test suite: lint, serial tests, then the tests marked mpi on 2 and on 3 ranks.
# Further arguments go to pytest. Everything runs; the exit code is 1 if anything failed.
cd "$(dirname "$0")/.." || exit 1
. scripts/mpi.sh
failed=()
part() {
  local name=$1
  shift
  printf '\n==> %s\n' "$name"
  "$@" || failed+=("$name")
}

part "lint" scripts/lint.sh
part "serial tests" .venv/bin/python -m pytest -q -m "not mpi" "$@"
for ranks in 2 3; do
  part "tests on $ranks ranks" mpi "$ranks" .venv/bin/python -m pytest -q --only-mpi "$@"
done

echo
if [ ${#failed[@]} -gt 0 ]; then
  printf 'FAILED: %s\n' "${failed[@]}"
  exit 1
fi
echo "all tests passed"
