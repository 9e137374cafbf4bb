#!/usr/bin/env bash
# Loads a real host process, kills it with -9 at random times while it works, restarts it, lets the callers repeat with the same request ids,
# and has the checker and `journal verify` judge what is left.
#
#   tests/soak.sh [--seconds 60] [--kills 3] [--callers 200] [--cmos 64] [--seed 1] [--out FOLDER] [--set KEY=VALUE]...
#
# --kills 0 runs the load alone. --set goes to the host, for example --set Storage:Provider=Postgres. The data lives in a temporary folder that
# goes when all holds; FOLDER gets the log of every call, the reports and the host's output. CONFIGURATION (Debug) says which build is run.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
seconds=60 kills=3 callers=200 cmos=64 seed=1 out= settings=()
while [ $# -gt 0 ]; do
  case $1 in
    --seconds) seconds=$2 ;; --kills) kills=$2 ;; --callers) callers=$2 ;; --cmos) cmos=$2 ;; --seed) seed=$2 ;; --out) out=$2 ;;
    --set) settings+=(--set "$2") ;;
    *) echo "Unknown: $1" >&2; exit 2 ;;
  esac
  shift 2
done

configuration=${CONFIGURATION:-Debug}
host=$root/src/AgencyPlatform.Host/bin/$configuration/net10.0/AgencyPlatform.Host.dll
tester=$root/src/AgencyPlatform.LoadTest/bin/$configuration/net10.0/AgencyPlatform.LoadTest.dll
for dll in "$host" "$tester"; do
  [ -f "$dll" ] || { echo "$dll is not there: dotnet build -c $configuration" >&2; exit 2; }
done

work=$(mktemp -d)
out=${out:-$work/out}
mkdir -p "$out"
free_port() { # a port that nobody listens on now
  local port
  while :; do
    port=$((20000 + RANDOM % 20000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}
grpc=$(free_port) http=$(free_port)
rm -f "$out/calls.jsonl"
pid=
start_host() {
  local started=$SECONDS
  : >"$work/host.out"
  dotnet "$host" --environment Development --grpc-port "$grpc" --http-port "$http" --data "$work/data" "${settings[@]}" >"$work/host.out" 2>>"$out/host.err" &
  pid=$!
  until grep -q "Ctrl+C" "$work/host.out"; do
    kill -0 "$pid" 2>/dev/null || { echo "The host ended before it served:" >&2; cat "$work/host.out" "$out/host.err" >&2; exit 1; }
    [ $((SECONDS - started)) -lt 120 ] || { echo "The host does not serve." >&2; exit 1; }
    sleep 0.1
  done
}
stop() { [ -z "$pid" ] || { kill -9 "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; pid=; }; }
trap 'stop' EXIT

start_host
dotnet "$tester" run capacity --address "http://127.0.0.1:$grpc" --seconds "$seconds" --callers "$callers" --cmos "$cmos" --seed "$seed" \
  --log "$out/calls.jsonl" --report "$out/report.json" &
load=$!

# Kill at random times while calls are made, not in the first and last tenth of that time.
RANDOM=$seed
now_ms() { echo "${EPOCHREALTIME%???}" | tr -d '.,'; }
until [ -s "$out/calls.jsonl" ] || ! kill -0 "$load" 2>/dev/null; do sleep 0.1; done
begin=$(now_ms)
for ((n = 1; n <= kills; n++)); do
  at=$((begin + seconds * 100 + seconds * 800 / kills * (n - 1) + RANDOM % (seconds * 800 / kills)))
  wait_ms=$((at - $(now_ms)))
  [ "$wait_ms" -le 0 ] || sleep "$((wait_ms / 1000)).$(printf %03d $((wait_ms % 1000)))"
  kill -0 "$load" 2>/dev/null || break
  kill -9 "$pid"; wait "$pid" 2>/dev/null
  killed=$(now_ms)
  start_host
  echo "kill -9 number $n, $((killed - begin)) ms into the load; the host serves again after $(($(now_ms) - killed)) ms"
done

status=0
wait "$load" || status=$?
echo "run: exit code $status"
if [ "$status" = 0 ]; then
  # What it says after one more kill and start is the same: the checker alone, on the log.
  stop; start_host
  dotnet "$tester" check --address "http://127.0.0.1:$grpc" --log "$out/calls.jsonl" --report "$out/check.json" || status=$?
  echo "check after a restart: exit code $status"
fi
stop
dotnet "$host" journal verify --data "$work/data" "${settings[@]}" || status=1
echo "report: $out"
if [ "$status" = 0 ]; then
  case $out in "$work"/*) rm -rf "$work" ;; *) rm -rf "$work/data" "$work/host.out" ;; esac
fi
exit "$status"
