#!/usr/bin/env bash
# Lints the protos, and refuses a change that would break a client of the released API: protos/lint.sh [path of buf] [--release].
# --release instead makes the API of this checkout the released one (protos/released.binpb), which later changes are held against.
# Needs a restored solution (the google protos come with a NuGet package).
set -euo pipefail
cd "$(dirname "$0")/.."
buf=${1:-artifacts/tools/node_modules/.bin/buf}
version=$(sed -n 's/.*Include="Google.Api.CommonProtos" Version="\([^"]*\)".*/\1/p' Directory.Packages.props)
package=$(dotnet nuget locals global-packages --list | sed 's/^[^:]*: //')/google.api.commonprotos/$version
rm -rf artifacts/googleapis
mkdir -p artifacts/googleapis
cp -r "${package//\/\///}/content/protos/google" artifacts/googleapis/
"$buf" lint --path protos/agencyplatform
if [ "${2:-}" = --release ]; then
  "$buf" build protos --exclude-source-info -o protos/released.binpb
else
  "$buf" breaking protos --against protos/released.binpb
fi
