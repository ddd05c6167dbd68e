#!/bin/bash
# Runs the contract suites on a real control plane with stand-in kubelets, and stops it afterwards.
#   KUBE_TOOLS (folder of start.sh and stop.sh; default beside the repository)   RUN (state, default a new folder)
#   PORT=18443 (PORT..PORT+10 used)   PY (a Python with the checks' requirements)   SUITES (default: all contracts)
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/../../.." && pwd)
KUBE_TOOLS=${KUBE_TOOLS:-$ROOT/../shared/tools/kube}
export PY=${PY:-$ROOT/.venv/bin/python} PORT=${PORT:-18443} RUN=${RUN:-$(mktemp -d)}
mkdir -p "$RUN" && export TMPDIR=$RUN  # what the control plane keeps in files stays together
[ -x "$KUBE_TOOLS/start.sh" ] || { echo "no control plane to start: set KUBE_TOOLS to the folder of start.sh"; exit 2; }
"$KUBE_TOOLS/build.sh" > /dev/null 2>&1 || { echo "the control plane could not be built: see $KUBE_TOOLS/build.sh"; exit 2; }
trap 'WIPE=1 "$KUBE_TOOLS/stop.sh"' EXIT
"$KUBE_TOOLS/start.sh"
cd "$ROOT"
KUBE_CONTRACT_KUBECONFIG=$RUN/admin.kubeconfig "$PY" -m pytest -rs ${SUITES:-tests/contract/kube} "$@"
