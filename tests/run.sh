#!/usr/bin/env bash
# The whole test run, on a new machine too: installs what is missing, builds with warnings as errors, checks the format,
# lints the protos, runs every test project, and ends with one line "N passed, N failed[, N skipped]".
# A suite that did not run is a failure.
set -uo pipefail
cd "$(dirname "$0")/.."
root=$PWD
results=$root/artifacts/test-results
export CI=${CI:-true} DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
# Programs here are started often and run shortly: gathering profiles for a later, better compilation costs a tenth and pays off never.
export DOTNET_TieredPGO=0
rm -rf "$results"; mkdir -p "$results"

say() { printf '\n== %s\n' "$*"; }
fail() { printf '\n%s\n0 passed, 1 failed\n' "$*"; exit 1; }

install_debian() { # package...
  command -v apt-get >/dev/null || fail "Please install: $*"
  local sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "$@" >/dev/null || fail "Could not install: $*"
}

say "Tools"
command -v dotnet >/dev/null || fail "The .NET SDK (see global.json) is needed."
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || install_debian postgresql
command -v npm >/dev/null || install_debian npm
command -v chromium >/dev/null || install_debian chromium
tools=$root/artifacts/tools
[ -x "$tools/node_modules/.bin/buf" ] || npm install --silent --no-fund --no-audit --prefix "$tools" @bufbuild/buf@1.75.0 >/dev/null || fail "Could not install buf."

say "Build (warnings are errors)"
dotnet build AgencyPlatform.sln --nologo -v quiet -clp:NoSummary || fail "The build failed."

say "Format"
# Style is checked by the build (EnforceCodeStyleInBuild); this checks white space and the order of usings.
dotnet format whitespace AgencyPlatform.sln --verify-no-changes --no-restore || fail "Run 'dotnet format whitespace' and commit."

say "Protos"
bash protos/lint.sh "$tools/node_modules/.bin/buf" || fail "The protos are not clean, or would break clients of the released API."

# Two suites at a time: most wait for processes, databases and browsers as much as they compute. The longest first.
suite() { # project
  local name; name=$(basename "$1" .csproj)
  local from=$SECONDS
  timeout 1500 dotnet test "$1" --no-build --nologo --logger "trx;LogFileName=$name.trx" --results-directory "$results" >"$results/$name.log" 2>&1 || echo "$name" >>"$results/failed"
  [ -f "$results/$name.trx" ] || { echo "$name did not run" >>"$results/$name.log"; echo "$name" >>"$results/failed"; }
  say "$name ($((SECONDS - from)) s)"; cat "$results/$name.log"
}
export -f suite say; export results
say "Tests"
longest="Host Gateway Dashboard Grains Storage"
projects=$(for name in $longest; do ls "tests/AgencyPlatform.$name.Tests/AgencyPlatform.$name.Tests.csproj"; done; ls tests/*.Tests/*.csproj)
projects=$(awk '!seen[$0]++' <<<"$projects")
xargs -P 2 -I{} bash -c 'suite {}' <<<"$projects"
ran=$(wc -l <<<"$projects")
status=0
[ ! -s "$results/failed" ] || status=1

# The totals come from the result files; a suite without tests counts as a failure.
passed=0 failed=0 skipped=0 empty=0
for trx in "$results"/*.trx; do
  counters=$(grep -o '<Counters [^>]*' "$trx" | head -n 1)
  count() { sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p" <<<"$counters"; }
  total=$(count total) executed=$(count executed) good=$(count passed)
  passed=$((passed + ${good:-0}))
  failed=$((failed + ${executed:-0} - ${good:-0}))
  skipped=$((skipped + ${total:-0} - ${executed:-0}))
  [ "${total:-0}" -gt 0 ] || empty=1
done
files=$(ls "$results"/*.trx 2>/dev/null | wc -l)
[ "$files" = "$ran" ] && [ "$empty" = 0 ] || { echo "A suite did not run."; failed=$((failed + 1)); }
[ "$status" = 0 ] || [ "$failed" -gt 0 ] || failed=1

if [ "$skipped" -gt 0 ]; then
  # Nothing may be skipped here: what a laptop leaves out, this script has installed.
  echo "$passed passed, $((failed + skipped)) failed"; exit 1
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
