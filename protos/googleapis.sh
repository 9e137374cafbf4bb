#!/usr/bin/env bash
# Puts the google protos that ours import beside them, into artifacts/googleapis, where buf.yaml expects them. They come with a NuGet package: needs a restored solution.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/.*Include="Google.Api.CommonProtos" Version="\([^"]*\)".*/\1/p' Directory.Packages.props)
package=$(dotnet nuget locals global-packages --list | sed 's/^[^:]*: //')/google.api.commonprotos/$version
rm -rf artifacts/googleapis
mkdir -p artifacts/googleapis
cp -r "${package//\/\///}/content/protos/google" artifacts/googleapis/
