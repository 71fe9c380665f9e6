#!/usr/bin/env bash
# A run in the background of this machine, without a batch system; `plexus submit --profile workstation` starts
# it. By hand: nohup slurm/templates/workstation.sh deck.yaml & — TERM or USR1 lead to a checkpoint and code 75.

# >>> settings: by hand, edit the lines up to the next mark; `plexus submit` writes its own
export PLEXUS_LAUNCHER=${PLEXUS_LAUNCHER:-mpirun}
ranks=${RANKS:-4} chain=none max_links=1
plexus=("$(command -v plexus || echo .venv/bin/plexus)")
command=(run "$@")
# <<< settings

# HDF5 locks the files that it opens, which network file systems may refuse; Plexus keeps a second run out itself.
export HDF5_USE_FILE_LOCKING=FALSE
exec "${plexus[@]}" link -n "$ranks" --chain "$chain" --max-links "$max_links" -- "${command[@]}"
