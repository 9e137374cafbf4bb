#!/usr/bin/env bash
# Lints the protos, and refuses a change that would break a client of the released API: protos/lint.sh [path of buf] [--release].
# --release instead makes the API of this checkout the released one (protos/released.binpb), which later changes are held against.
# Needs a restored solution (protos/googleapis.sh).
set -euo pipefail
cd "$(dirname "$0")/.."
buf=${1:-artifacts/tools/node_modules/.bin/buf}
bash protos/googleapis.sh
"$buf" lint --path protos/agencyplatform
if [ "${2:-}" = --release ]; then
  "$buf" build protos --exclude-source-info -o protos/released.binpb
else
  "$buf" breaking protos --against protos/released.binpb
fi
