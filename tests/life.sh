#!/usr/bin/env bash
# Random lives of engagements by several callers, with crashes and repeated requests, against a plain model in memory. See docs/engagement-life.md.
#
#   tests/life.sh [--sequences 10000] [--seed N] [--rounds 24] [--parallel 8]
#
# Ends with the totals and 0 when every sequence was as the model says. CONFIGURATION (Debug) says which build is run.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
configuration=${CONFIGURATION:-Debug}
tester=$root/tests/AgencyPlatform.Life.Tests/bin/$configuration/net10.0/AgencyPlatform.Life.Tests.dll
[ -f "$tester" ] || { echo "$tester is not there: dotnet build -c $configuration" >&2; exit 2; }
exec dotnet "$tester" "$@"
