#!/usr/bin/env bash
# The whole test suite: lint beside the serial tests, then the tests marked mpi on 2 and on 3 ranks.
# Arguments go to pytest. Everything runs; the exit code is 1 if anything failed.
cd "$(dirname "$0")/.." || exit 1
. scripts/mpi.sh
# Tests write thousands of small files, each forced to the disk. In memory that takes no time; 4 GB are plenty.
memory=/dev/shm
[ "$(df --output=avail "$memory" 2>/dev/null | tail -n 1)" -gt 4000000 ] 2>/dev/null && export TMPDIR=$memory
scratch=$(mktemp -d "${TMPDIR:-/tmp}/plexus_XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT
# Hundreds of processes start: they read modules that are compiled, and tests whose assertions are.
unset PYTHONDONTWRITEBYTECODE
logs=$scratch/logs
export TMPDIR=$scratch/tests
mkdir "$logs" "$TMPDIR"
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
  mpi "$ranks" scripts/rank.sh "$logs" .venv/bin/python -m pytest -q --with-mpi "$@" && return
  for log in "$logs"/*; do
    printf -- '--- rank %s\n' "${log##*.}"
    tail -n 60 "$log"
  done
  return 1
}

# Without arguments three processes share the serial tests: one that mostly waits for a batch system, one with
# tests that start programs of their own, and one with all the others.
WAITING=(tests/slurm)
APART=(tests/cases tests/newcomers tests/parallel tests/postprocess tests/regression tests/restart)
serial() {
  local run=(.venv/bin/python -m pytest -q -m "not mpi") others=() other code=0
  if [ $# -gt 0 ]; then
    "${run[@]}" "$@"
    return
  fi
  "${run[@]}" "${WAITING[@]}" >"$logs/waiting" 2>&1 &
  others+=($!)
  "${run[@]}" "${APART[@]}" >"$logs/apart" 2>&1 &
  others+=($!)
  "${run[@]}" $(printf -- '--ignore=%s ' "${WAITING[@]}" "${APART[@]}") || code=1
  for other in "${others[@]}"; do
    wait "$other" || code=1
  done
  cat "$logs/apart" "$logs/waiting"
  return $code
}

# The types keep one core busy for a minute, during which tests have the other.
lint() {
  wait "$1"
  local code=$?
  cat "$logs/lint"
  return $code
}

scripts/lint.sh >"$logs/lint" 2>&1 &
linting=$!
part "serial tests" serial "$@"
part "lint" lint "$linting"
# A rank that collects all other tests as well is busy for ten seconds with it.
[ $# -gt 0 ] || mapfile -t shared < <(grep -rl --include='test_*.py' 'mark\.mpi' tests | sort)
part "tests on 2 ranks" parallel 2 -m mpi "${shared[@]}" "$@"
part "tests on 3 ranks" parallel 3 -m "mpi and not pair" "${shared[@]}" "$@"

echo
if [ ${#failed[@]} -gt 0 ]; then
  printf 'FAILED: %s\n' "${failed[@]}"
  exit 1
fi
echo "all tests passed"
