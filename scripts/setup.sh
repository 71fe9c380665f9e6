#!/usr/bin/env bash
# Makes .venv ready to run Plexus; asks nothing, may be run any number of times.
#
#   scripts/setup.sh run      what running decks and drawing pictures needs
#   scripts/setup.sh all      also the tests' and checkers' packages, and all kernels compiled
#   scripts/setup.sh bench    also the benchmarks' peers (Debian: python3-dolfinx, -mpi4py-fft, -pyfftw, -scipy; PyAMG)
#
# MPI, PETSc and HDF5 must come from one source. They are looked for, in this order, in the Python that
# $PLEXUS_PYTHON names, the one on the PATH (modules, Spack, conda), and Debian's own. When none has them and
# this is Debian, its packages are installed, as root or through sudo; otherwise the missing ones are named.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '==> %3d s  %s\n' "$SECONDS" "$*"; }
stop() { printf 'setup: %s\n' "$*" >&2; exit 1; }

packages=(python3-venv python3-petsc4py python3-petsc4py-real python3-slepc4py python3-mpi4py python3-h5py-mpi
  openmpi-bin libopenmpi-dev libpetsc-real-dev gcc libc6-dev)
stage=${1:-all}
case $stage in
  run) extras=(nn post) ;;
  all) extras=(nn post viz dev) ;;
  bench) extras=(nn post viz dev bench) packages+=(python3-dolfinx python3-mpi4py-fft python3-pyfftw python3-scipy) ;;
  *) stop "unknown stage '$stage'; there are run, all and bench" ;;
esac

# Looks for the modules without importing them: importing starts MPI, which login nodes may forbid.
has_stack() {
  "$1" - <<'PY' 2>/dev/null
import sys
from importlib.util import find_spec
sys.exit(not (sys.version_info >= (3, 11) and all(find_spec(m) for m in ("mpi4py", "petsc4py", "h5py"))))
PY
}

find_python() {
  local candidate
  for candidate in ${PLEXUS_PYTHON:-} "$(command -v python3 || true)" /usr/bin/python3; do
    if [ -x "$(command -v "$candidate" || true)" ] && has_stack "$candidate"; then
      command -v "$candidate"
      return
    fi
  done
}

missing_packages() {
  local p
  for p in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || echo "$p"
  done
}

install_packages() {
  local missing as=()
  missing=$(missing_packages | tr '\n' ' ')
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" != 0 ]; then
    as=(sudo -n)
    command -v sudo >/dev/null && sudo -n true 2>/dev/null ||
      stop "these Debian packages are missing and neither root nor sudo is at hand: $missing"
  fi
  say "installing Debian packages: $missing"
  "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  # shellcheck disable=SC2086
  "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

python=$(find_python)
if [ -z "$python" ] || [ "$python" = /usr/bin/python3 ]; then
  if command -v apt-get >/dev/null && grep -qs '^ID.*debian' /etc/os-release; then
    install_packages
    python=$(find_python)
  fi
fi
# PETSc's direct solvers factorise four times as fast as with the plain BLAS that Debian takes otherwise.
if [ "$python" = /usr/bin/python3 ] && grep -qs '^ID.*debian' /etc/os-release && command -v apt-get >/dev/null; then
  (packages=(libopenblas0-serial) && install_packages) || say "no OpenBLAS could be installed: MUMPS will be slower"
fi
# Tests of job scripts start a SLURM of their own, which needs root; without it they are skipped.
if [ "$stage" != run ] && [ "$(id -u)" = 0 ] && grep -qs '^ID.*debian' /etc/os-release &&
  command -v apt-get >/dev/null; then
  (packages=(slurm-wlm munge) && install_packages) || say "no SLURM could be installed: its tests will be skipped"
fi
[ -n "$python" ] || stop "no Python >= 3.11 with mpi4py, petsc4py and h5py found; load your site's modules or
       set PLEXUS_PYTHON. On Debian 12 these packages bring them: ${packages[*]}"
say "MPI, PETSc and HDF5 come from $python"

# Where a Python finds the three modules, without importing them.
origins() {
  "$1" - <<'PY' 2>/dev/null
from importlib.util import find_spec
print(*(spec and spec.origin for spec in map(find_spec, ("mpi4py", "petsc4py", "h5py"))))
PY
}

# A venv made by the Python of another venv sees the system's packages, not those of that venv: name their folder.
create_venv() {
  local folder='import sysconfig; print(sysconfig.get_path("platlib"))'
  if "$python" -c 'import sys; sys.exit(sys.prefix == sys.base_prefix)'; then
    "$python" -m venv --clear .venv
    "$python" -c "$folder" > "$(.venv/bin/python -c "$folder")/stack.pth"
  else
    "$python" -m venv --clear --system-site-packages .venv
  fi
}

if ! .venv/bin/python -m pip --version >/dev/null 2>&1 ||
  [ "$(origins .venv/bin/python)" != "$(origins "$python")" ]; then
  say "creating .venv"
  create_venv
fi
say "installing Python packages into .venv"
.venv/bin/python scripts/requirements.py "${extras[@]}" > .venv/requirements.txt
.venv/bin/python -m pip install -q --disable-pip-version-check -r .venv/requirements.txt
.venv/bin/python -m pip install -q --disable-pip-version-check --no-deps -e .

say "checking that MPI, PETSc and HDF5 fit together"
OMP_NUM_THREADS=1 H5PY_ALWAYS_USE_MPI=1 .venv/bin/python - <<'PY'
import h5py, numpy
from mpi4py import MPI
from petsc4py import PETSc
if not h5py.get_config().mpi:
    print("    note: this h5py has no MPI; rank 0 will write files alone")
print(f"    PETSc {'.'.join(map(str, PETSc.Sys.getVersion()))}, {MPI.Get_library_version().split(',')[0]},"
      f" HDF5 {h5py.version.hdf5_version}, NumPy {numpy.__version__}")
PY
if [ "$stage" != run ]; then
  say "compiling kernels (otherwise each is compiled when it is first used)"
  .venv/bin/python -m plexus_kernels.native.build | sed 's/^/    /'
fi
say "ready: .venv/bin/plexus --help"
