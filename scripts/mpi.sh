# Sourced: mpi RANKS COMMAND… runs a command with what the launcher at hand needs.
mpi() {
  local ranks=$1 launcher=${PLEXUS_LAUNCHER:-} flags=()
  shift
  [ -n "$launcher" ] || launcher=$(command -v mpirun || command -v mpiexec || command -v srun) || return 1
  if $launcher --version 2>&1 | grep -qE 'Open MPI|OpenRTE'; then
    flags=(--quiet --timeout 1500 --bind-to none)
    [ "$ranks" -le "$(nproc)" ] || flags+=(--oversubscribe)
    if [ "$(id -u)" = 0 ]; then
      export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
      export PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
    fi
  fi
  H5PY_ALWAYS_USE_MPI=1 $launcher "${flags[@]}" -n "$ranks" "$@"
}
