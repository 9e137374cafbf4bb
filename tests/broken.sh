#!/usr/bin/env bash
# Breaks the product on purpose, one promise at a time, and shows that the checks which are to catch it do.
#
#   bash tests/broken.sh [NAME]... [--work FOLDER] [--no-checker] [--table FILE]
#
# Each tests/broken/NAME.patch is a broken build; without names all are tried. What its header says:
#   Test:    PROJECT CLASS.METHOD              a test that must fail on it
#   Checker: PROJECT CLASS.METHOD => WORDS     a test that loads a real process and has the checker judge it; its output must have these words
# HEAD is cloned to a temporary folder (or FOLDER, which is kept and used again), and all named checks must pass there first: a check that fails on
# the good build proves nothing. Then each patch is applied, built, judged and taken back; a patch changes bodies only, so that of all that is built
# just the libraries that it touches are exchanged. --no-checker leaves the checkers out, which take most of the time. --table writes
# what was seen as a table in Markdown. Exit code: 0 every broken build was caught by every check that its header names, 1 not so, 2 usage.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
export CI=${CI:-true} DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
work= kinds='Test|Checker' names=() table=/dev/null
while [ $# -gt 0 ]; do
  case $1 in
    --work) [ $# -gt 1 ] || { echo "--work needs a folder" >&2; exit 2; }; work=$2; shift ;;
    --table) [ $# -gt 1 ] || { echo "--table needs a file" >&2; exit 2; }; table=$2; shift ;;
    --no-checker) kinds=Test ;;
    -*) echo "Unknown: $1" >&2; exit 2 ;;
    *) [ -f "$root/tests/broken/$1.patch" ] || { echo "There is no tests/broken/$1.patch" >&2; exit 2; }; names+=("$1") ;;
  esac
  shift
done
if [ ${#names[@]} = 0 ]; then
  for patch in "$root"/tests/broken/*.patch; do names+=("$(basename "$patch" .patch)"); done
fi

keep=$work
[ -n "$work" ] || work=$(mktemp -d)
# A compiler of our own that stays warm between the builds.
compiler=broken-$$-$RANDOM
end() {
  local server
  for server in $(pgrep -f -- "-pipename:$compiler"); do kill "$server" 2>/dev/null; done
  [ -n "$keep" ] || rm -rf "$work"
}
trap end EXIT
mkdir -p "$work/out"
tree=$work/tree
[ -d "$tree/.git" ] || git clone --quiet --no-checkout "$root" "$tree" || exit 2
git -C "$tree" fetch --quiet "$root" HEAD && git -C "$tree" checkout --quiet --force --detach FETCH_HEAD || exit 2

patch_of() { echo "$root/tests/broken/$1.patch"; }
header() { sed '/^diff --git/,$d' "$(patch_of "$1")"; }
checks() { header "$1" | sed -nE "s/^($kinds): (.*)/\1 \2/p"; } # kind project test [=> words]

# Whether the code is in style is not asked here; and another commit alone does not change what is built.
build() { # project [option]...
  dotnet build "$tree/$1" "${@:2}" -m:1 --nologo -v quiet -clp:NoSummary -p:RunAnalyzers=false -p:EnforceCodeStyleInBuild=false -p:TreatWarningsAsErrors=false \
    -p:GenerateDocumentationFile=false -p:IncludeSourceRevisionInInformationalVersion=false -p:UseSharedCompilation=true -p:SharedCompilationId="$compiler" >"$work/out/build.txt" 2>&1 || { grep -m 5 'error' "$work/out/build.txt"; return 1; }
}

touched() { sed -nE 's#^\+\+\+ b/(src/[^/]+)/.*#\1#p' "$(patch_of "$1")" | sort -u; } # projects of a patch

spread() { # library file: puts it wherever it stands
  local copy
  while read -r copy; do cmp -s "$2" "$copy" || cp "$2" "$copy"; done < <(find "$tree" -path "*/bin/*/$1.dll")
}

run() { # project test... : runs them, prints what was said
  local project=$1 filter= test
  shift
  for test; do filter+=${filter:+|}FullyQualifiedName~$test; done
  timeout 900 dotnet test "$tree/tests/$project/bin/Debug/net10.0/$project.dll" --nologo --filter "$filter" --logger 'console;verbosity=normal' 2>&1
}

# Of what a test run said: the lines of one test's result; of a theory, of its first case that failed.
said_of() { # test < output
  awk -v test="$1" '
    /^ *(Passed|Failed|Skipped) [A-Za-z_.]+/ { if (taken) exit; here = $1 == "Failed" && index($0, test); if (here) taken = 1 }
    here { print }'
}

message() { # one line of what a failed test said: what the checker found, else the assertion
  local found
  found=$(grep -m 1 -A 1 -E 'VIOLATED +[A-Z] |BROKEN: ' <<<"$1" | sed -E 's/^ *//' | tr '\n' ' ')
  [ -n "$found" ] || found=$(sed -n '/Error Message:/,/Stack Trace:/p' <<<"$1" | sed -E '1d;$d;s/^ *//' | grep . | head -n 3 | tr '\n' ' ')
  echo "${found:0:300}"
}

mapfile -t all < <(for name in "${names[@]}"; do checks "$name"; done | sed 's/ => .*//' | cut -d ' ' -f 2- | sort -u)
mapfile -t projects < <(printf '%s\n' "${all[@]}" | cut -d ' ' -f 1 | sort -u)
echo "== The good build ($(git -C "$tree" rev-parse --short HEAD)): ${#all[@]} checks"
for project in "${projects[@]}"; do build "tests/$project" || { echo "The good build does not build."; exit 1; }; done
for project in "${projects[@]}"; do
  mapfile -t tests < <(printf '%s\n' "${all[@]}" | sed -n "s/^$project //p")
  run "$project" "${tests[@]}" >"$work/out/good-$project.txt"
  for test in "${tests[@]}"; do
    # Every case of it passed, and there was one.
    if ! grep -qE "^ *Passed .*$test" "$work/out/good-$project.txt" || grep -qE "^ *(Failed|Skipped) .*$test" "$work/out/good-$project.txt"; then
      echo "  $test does not pass on the good build, so that it proves nothing:"
      message "$(said_of "$test" <"$work/out/good-$project.txt")"
      keep=$work
      echo "  What was said: $work/out/good-$project.txt"
      exit 1
    fi
  done
done
echo "  all pass"

missed=0
printf '%s\n' '| broken build | what is broken | caught by | with |' '|---|---|---|---|' >"$table"
for name in "${names[@]}"; do
  echo
  echo "== $name: $(header "$name" | head -n 1)"
  if ! git -C "$tree" apply "$(patch_of "$name")"; then
    echo "  NOT TRIED: the patch does not apply"; missed=$((missed + 1)); continue
  fi

  caught=true
  for project in $(touched "$name"); do
    library=$(basename "$project") built=$tree/$project/bin/Debug/net10.0/$(basename "$project").dll
    mkdir -p "$work/good" && cp "$built" "$work/good/$library.dll"
    build "$project" --no-dependencies --no-restore && spread "$library" "$built" || { echo "  NOT TRIED: it does not build"; caught=false; break; }
  done
  if [ "$caught" = true ]; then
    for project in $(checks "$name" | cut -d ' ' -f 2 | sort -u); do
      mapfile -t tests < <(checks "$name" | sed -nE "s/^[A-Za-z]+ $project ([^ ]+).*/\1/p")
      run "$project" "${tests[@]}" >"$work/out/$name-$project.txt"
    done

    while read -r kind project test words; do
      said=$(said_of "$test" <"$work/out/$name-$project.txt")
      words=${words#=> }
      if [ -n "$said" ] && grep -qF -- "$(tr -s ' ' <<<"$words")" <(tr -s ' ' <<<"$said"); then
        echo "  caught by ${kind,,} $test"
        echo "      $(message "$said")"
        echo "| $name | $(header "$name" | head -n 1) | ${kind,,} \`$test\` | $(message "$said" | tr '|' '/') |" >>"$table"
      else
        echo "  NOT CAUGHT by ${kind,,} $test${said:+, which failed, but not with '$words': $(message "$said")}"
        echo "| $name | $(header "$name" | head -n 1) | **not caught** by ${kind,,} \`$test\` | |" >>"$table"
        caught=false
      fi
    done < <(checks "$name")
  fi

  git -C "$tree" checkout --quiet --force
  for project in $(touched "$name"); do spread "$(basename "$project")" "$work/good/$(basename "$project").dll"; done
  [ "$caught" = true ] || missed=$((missed + 1))
done

echo
echo "$((${#names[@]} - missed)) of ${#names[@]} broken builds were caught by every check that they name"
[ "$missed" = 0 ]
