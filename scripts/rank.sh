#!/usr/bin/env bash
# rank.sh FOLDER COMMAND…: runs a command; ranks other than 0 write into FOLDER/rank.<n>.
folder=$1
shift
rank=${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-${PMIX_RANK:-${SLURM_PROCID:-0}}}}
[ "$rank" = 0 ] || exec >"$folder/rank.$rank" 2>&1
exec "$@"
