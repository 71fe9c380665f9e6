#!/usr/bin/env bash
# The whole test suite: lint, serial tests, then the tests marked mpi on 2 and on 3 ranks.
# Arguments go to pytest. Everything runs; the exit code is 1 if anything failed.
cd "$(dirname "$0")/.." || exit 1
. scripts/mpi.sh
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
failed=()

part() {
  local name=$1
  shift
  printf '\n==> %s\n' "$name"
  "$@" || failed+=("$name")
}

# Rank 0 speaks; what the others say is shown when the job fails.
parallel() {
  local ranks=$1 log
  shift
  rm -f "$logs"/*
  mpi "$ranks" scripts/rank.sh "$logs" .venv/bin/python -m pytest -q -m mpi --with-mpi "$@" && return
  for log in "$logs"/*; do
    printf -- '--- rank %s\n' "${log##*.}"
    tail -n 60 "$log"
  done
  return 1
}

# Tests that start programs of their own, beside all the others.
APART=(tests/cases tests/newcomers tests/parallel tests/regression tests/restart tests/slurm)

# Without arguments two processes share the serial tests, since one leaves a core idle.
serial() {
  local run=(.venv/bin/python -m pytest -q -m "not mpi") other code=0
  if [ $# -gt 0 ]; then
    "${run[@]}" "$@"
    return
  fi
  "${run[@]}" "${APART[@]}" >"$logs/apart" 2>&1 &
  other=$!
  "${run[@]}" "${APART[@]/#/--ignore=}" || code=1
  wait "$other" || code=1
  cat "$logs/apart"
  return $code
}

part "lint" scripts/lint.sh
part "serial tests" serial "$@"
for ranks in 2 3; do
  part "tests on $ranks ranks" parallel "$ranks" "$@"
done

echo
if [ ${#failed[@]} -gt 0 ]; then
  printf 'FAILED: %s\n' "${failed[@]}"
  exit 1
fi
echo "all tests passed"
