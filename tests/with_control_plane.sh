#!/bin/bash
# Runs a command with a real Kubernetes control plane and stand-in kubelets beside it, and stops them afterwards:
#   tests/with_control_plane.sh COMMAND…      KUBE_CONTRACT_KUBECONFIG tells the command how to reach it
#   KUBE_TOOLS (folder of start.sh and stop.sh; default beside the repository)   RUN (state, default a new folder)
#   PORT=18443 (PORT..PORT+10 used)   PY (a Python with the checks' requirements)
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/.." && pwd)
KUBE_TOOLS=${KUBE_TOOLS:-$ROOT/../shared/tools/kube}
export PY=${PY:-$ROOT/.venv/bin/python} PORT=${PORT:-18443} RUN=${RUN:-$(mktemp -d)}
mkdir -p "$RUN" && export TMPDIR=$RUN  # what the control plane keeps in files stays together
[ -x "$KUBE_TOOLS/start.sh" ] || { echo "no control plane to start: set KUBE_TOOLS to the folder of start.sh"; exit 2; }
"$KUBE_TOOLS/build.sh" > "$RUN/build.log" 2>&1 || { tail -3 "$RUN/build.log"; echo "the control plane could not be built"; exit 2; }
trap 'WIPE=1 "$KUBE_TOOLS/stop.sh"' EXIT
"$KUBE_TOOLS/start.sh"
cd "$ROOT" && KUBE_CONTRACT_KUBECONFIG=$RUN/admin.kubeconfig "$@"
