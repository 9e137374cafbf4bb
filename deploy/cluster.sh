#!/usr/bin/env bash
# A cluster on this machine's loopback: three silos and two gateways on PostgreSQL, to try things out. Build first: dotnet build src/AgencyPlatform.Host
#
#   bash deploy/cluster.sh                                    # with a PostgreSQL of its own (its binaries must be installed)
#   bash deploy/cluster.sh "Host=…;Database=…;Username=…"     # on a database of yours
#
# SILOS and GATEWAYS say how many. One log a process in artifacts/cluster (or DIR). Ctrl+C stops everything that it has started. Its own
# database is in the same folder and is there again the next time; delete the folder for a new one.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
dir=${DIR:-$root/artifacts/cluster}
silos=${SILOS:-3} gateways=${GATEWAYS:-2}
connection=${1:-}
mkdir -p "$dir/logs"

host=
for configuration in Release Debug; do
  dll=$root/src/AgencyPlatform.Host/bin/$configuration/net10.0/AgencyPlatform.Host.dll
  if [ -f "$dll" ]; then host=$dll; break; fi
done
[ -n "$host" ] || { echo "Build first: dotnet build src/AgencyPlatform.Host"; exit 1; }

pids=() postgres=
stop() {
  trap - EXIT INT TERM
  echo "Stopping"
  # Gateways first, so that what is under way ends on silos that are there.
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do kill -TERM "${pids[i]}" 2>/dev/null || true; wait "${pids[i]}" 2>/dev/null || true; done
  if [ -n "$postgres" ]; then exec 9>&-; wait "$postgres" 2>/dev/null || true; fi
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -z "$connection" ]; then
  bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1) || true
  [ -n "$bin" ] || bin=$(dirname "$(command -v postgres)" 2>/dev/null) || true
  [ -x "$bin/postgres" ] || { echo "PostgreSQL's server (15 or later) is not installed: install it, or give a connection string."; exit 1; }
  port=${PGPORT:-54329}
  data=$dir/postgres
  as=(sh)
  if [ "$(id -u)" = 0 ]; then
    # PostgreSQL refuses to run as root.
    data=${TMPDIR:-/tmp}/agencyplatform-cluster-postgres
    as=(setpriv --reuid postgres --regid postgres --init-groups sh)
  fi
  # Its standard input is the lease: it ends when this script does, whichever way. In a session of its own: Ctrl+C is for the others first.
  rm -f "$dir/lease"; mkfifo "$dir/lease"
  cd /
  ( trap '' INT; exec setsid "${as[@]}" -c '
      set -e
      [ -f "$2/PG_VERSION" ] || "$1/initdb" -D "$2" -U postgres -A trust -E UTF8 --locale=C >/dev/null
      "$1/postgres" -D "$2" -h 127.0.0.1 -p "$3" -k "" -c max_connections=400 2>&1 &
      server=$!
      cat >/dev/null || true
      kill -INT $server; wait $server || true' postgres "$bin" "$data" "$port" ) <"$dir/lease" >"$dir/logs/postgres.log" 2>&1 &
  postgres=$!
  exec 9>"$dir/lease"
  for _ in $(seq 100); do "$bin/pg_isready" -q -h 127.0.0.1 -p "$port" -U postgres && break; kill -0 "$postgres" 2>/dev/null || break; sleep 0.2; done
  "$bin/pg_isready" -q -h 127.0.0.1 -p "$port" -U postgres || { echo "PostgreSQL does not start: see $dir/logs/postgres.log (PGPORT takes another port)"; exit 1; }
  "$bin/psql" -h 127.0.0.1 -p "$port" -U postgres -Atc "SELECT 1 FROM pg_database WHERE datname = 'agencyplatform'" | grep -q 1 ||
    "$bin/createdb" -h 127.0.0.1 -p "$port" -U postgres agencyplatform
  connection="Host=127.0.0.1;Port=$port;Database=agencyplatform;Username=postgres"
fi

common=(--environment Development --set Storage:Provider=Postgres --set "Storage:ConnectionString=$connection")
dotnet "$host" migrate "${common[@]}" >"$dir/logs/migrate.log" 2>&1 || { cat "$dir/logs/migrate.log"; exit 1; }

start() { # name argument...
  local name=$1; shift
  dotnet "$host" "${common[@]}" "$@" 9>&- >"$dir/logs/$name.log" 2>&1 &
  pids+=($!)
  names+=("$name")
}

ready() { # name pid
  for _ in $(seq 300); do
    if grep -q '^Ctrl+C stops it' "$dir/logs/$1.log" 2>/dev/null; then return 0; fi
    kill -0 "$2" 2>/dev/null || break
    sleep 0.2
  done
  echo "$1 does not start:"; tail -n 20 "$dir/logs/$1.log"; exit 1
}

names=()
for ((i = 1; i <= silos; i++)); do start "silo-$i" --role silo --http-port $((5100 + i)); done
for ((i = 1; i <= gateways; i++)); do start "gateway-$i" --role gateway --grpc-port $((5081 + 10 * (i - 1))) --http-port $((5080 + 10 * (i - 1))); done
for ((i = 0; i < ${#pids[@]}; i++)); do ready "${names[i]}" "${pids[i]}"; done

for ((i = 0; i < ${#pids[@]}; i++)); do
  name=${names[i]} log=$dir/logs/${names[i]}.log
  case $name in
    silo*) where="silo $(sed -n 's/^ *silo  *//p' "$log" | head -n 1), health $(sed -n 's/^ *health.* \(http[^ ]*\)health.*/\1health/p' "$log" | head -n 1)" ;;
    *) where="gRPC $(sed -n 's/^ *gRPC (HTTP.2, reflection)  *//p' "$log" | head -n 1), JSON $(sed -n 's/^ *JSON, gRPC-Web  *//p' "$log" | head -n 1)" ;;
  esac
  printf '%-10s pid %-7s %s\n' "$name" "${pids[i]}" "$where"
done
cat <<END

Logs: $dir/logs
Ready to paste (the development key of the platform's operator):
  curl -s http://127.0.0.1:5080/v1/agencies -H 'authorization: Bearer apo_development'
Kill a silo and ask again: kill -9 ${pids[0]}

Ctrl+C stops everything.
END
# Until Ctrl+C; a process that ends is said.
while wait -n -p ended "${pids[@]}" 2>/dev/null || true; do
  for ((i = 0; i < ${#pids[@]}; i++)); do
    if [ "${pids[i]}" = "${ended:-}" ]; then
      echo "${names[i]} (pid ${pids[i]}) has ended"
      unset 'pids[i]' 'names[i]'
      pids=("${pids[@]}"); names=("${names[@]}")
      break
    fi
  done
  ended=
  [ ${#pids[@]} -gt 0 ] || { echo "Nothing is left."; exit 1; }
done
