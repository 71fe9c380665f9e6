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

# Without arguments two processes share the serial tests: each takes the next part as soon as it has done one. A
# third waits for a batch system most of the time.
WAITING=(tests/slurm)
PARTS=(
  "tests/unit"
  "tests/cases tests/newcomers tests/parallel"
  "tests/postprocess tests/regression tests/restart"
  "tests/contract tests/decks"
  "tests/mms tests/rom"
)
tests() {
  .venv/bin/python -m pytest -q -m "not mpi" "$@"
}
# What a part says is shown when it is done.
told() {
  local log=$logs/$BASHPID code
  tests "$@" >"$log" 2>&1
  code=$?
  cat "$log"
  return $code
}
export -f tests told
export logs
serial() {
  local waiting code=0
  if [ $# -gt 0 ]; then
    tests "$@"
    return
  fi
  told "${WAITING[@]}" &
  waiting=$!
  # the last part is all that no other names
  printf '%s\n' "${PARTS[@]}" "$(printf -- '--ignore=%s ' "${WAITING[@]}" ${PARTS[*]})" |
    xargs -P 2 -L 1 bash -c 'told "$@"' told || code=1
  wait "$waiting" || code=1
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
