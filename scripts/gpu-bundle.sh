#!/usr/bin/env bash
# Builds one archive that checks and times Data2Vec on a GPU machine on which no .NET SDK is installed: both programs with
# their runtime, the recorded fixtures of the tests, and scripts/gpu-check.sh. Needs the .NET SDK here, and nothing there but
# bash, tar and the NVIDIA driver; where python3 has PyTorch, its script (app/peers) is timed side by side.
#
# usage: scripts/gpu-bundle.sh ARCHIVE.tar.gz
# then, over there: tar xzf ARCHIVE.tar.gz && data2vec-gpu/gpu-check.sh LOGS [DEVICE...]
set -euo pipefail

fail() { echo "gpu-bundle.sh: $*" >&2; exit 1; }
[[ $# -eq 1 && $1 == *.tar.gz ]] || { sed -n 's/^# \{0,1\}//; /^usage/,/^then/p' "$0" >&2; exit 2; }
archive=$(realpath -m "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

most=$((60 * 1000 * 1000))
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bundle=$work/data2vec-gpu
mkdir -p "$bundle"
# In a copy without lock files: they are for building here, not for another platform's runtime.
mkdir -p "$work/source"
git ls-files -z -co --exclude-standard | grep -zv 'packages.lock.json$' | tar -c --null -T - | tar -x -C "$work/source"
for project in Data2Vec.Cli Data2Vec.Bench; do
    (cd "$work/source" && dotnet publish "$project" -c Release -r linux-x64 --self-contained -o "$bundle/app" --nologo \
        -v quiet -p:InvariantGlobalization=true -p:DebugType=none -p:SatelliteResourceLanguages=en \
        -p:RestorePackagesWithLockFile=false -p:RestoreLockedMode=false) || fail "$project could not be published"
done
find "$bundle/app" \( -name '*.pdb' -o -name '*.xml' \) -delete
# Nobody debugs over there, and nobody there runs Windows.
rm -rf "$bundle"/app/{amd64,arm64,x86} "$bundle"/app/lib{mscordaccore,mscordbi,coreclrtraceptprovider}.so
[[ -f $bundle/app/peers/pytorch_peer.py ]] || fail "the script that times PyTorch is not in the bundle"
cp -r Data2Vec.Tests/Fixtures "$bundle/fixtures"
cp scripts/gpu-check.sh "$bundle/"
git rev-parse HEAD > "$bundle/COMMIT" 2> /dev/null || echo unknown > "$bundle/COMMIT"
tar -C "$work" -czf "$archive" data2vec-gpu
bytes=$(stat -c %s "$archive")
((bytes <= most)) || fail "$archive has $bytes bytes; $most is the most"
echo "$archive: $bytes bytes"
