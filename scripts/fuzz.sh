#!/usr/bin/env bash
# Fuzzes one kind of file with SharpFuzz and AFL++, and says how many files were tried and what was found. Builds a
# copy of the program, in which check sums always hold, and instruments that; the solution's own build is left alone.
# Uses one core at the lowest priority. What it finds stays in runs/fuzz/TARGET (DATA2VEC_FUZZ_OUT overrides runs/fuzz),
# and a second run goes on from there.
# Needs the .NET 10 SDK and afl-fuzz (Debian: apt-get install afl++).
#
# usage: scripts/fuzz.sh TARGET MINUTES
#   TARGET    wav, flac, image, safetensors, configuration, tar or npy
#   MINUTES   how long files are tried, at least 1
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() { echo "fuzz.sh: $*" >&2; exit 1; }
usage() { sed -n 's/^# \{0,1\}//; /^usage:/,/^  MINUTES/p' "$0" >&2; exit 2; }

[[ $# == 2 && $1 =~ ^(wav|flac|image|safetensors|configuration|tar|npy)$ && $2 =~ ^[1-9][0-9]*$ ]] || usage
target=$1 minutes=$2
for program in dotnet afl-fuzz; do
    [[ $(type -P "$program") ]] ||
        fail "$program is missing; needed are the .NET 10 SDK and afl++ (apt-get install afl++)."
done

out=${DATA2VEC_FUZZ_OUT:-runs/fuzz}
build=$out/build plain=$out/plain program=$out/instrumented
mkdir -p "$out"
export DOTNET_CLI_TELEMETRY_OPTOUT=1

# ---- A build of its own, and an instrumented copy of it.
dotnet tool restore > /dev/null
dotnet publish Data2Vec.Fuzz -c Release -p:Fuzzing=true --artifacts-path "$build" -o "$plain" --nologo -v quiet
rm -rf "$program"
cp -r "$plain" "$program"
for assembly in Data2Vec.Engine Data2Vec.Models YamlDotNet; do
    dotnet sharpfuzz "$program/$assembly.dll" > "$program/$assembly.instrumented"
    cmp -s "$plain/$assembly.dll" "$program/$assembly.dll" && fail "$assembly was not instrumented."
done

# ---- Files to begin from, words of the format.
rm -rf "${out:?}/$target.seeds"
dotnet "$plain/Data2Vec.Fuzz.dll" seeds "$target" Data2Vec.Tests/Fixtures "$out/$target.seeds"

# Files for readers that want a path lie in memory where there is such a place.
[[ -w /dev/shm ]] && export TMPDIR=/dev/shm
# The runtime refuses memory beyond 512 MiB, so that what a reader takes at once is bounded too.
export DOTNET_GCHeapHardLimit=0x20000000 DOTNET_GCgen0size=0x400000 DOTNET_gcConcurrent=0
export DOTNET_TieredPGO=0 DOTNET_EnableDiagnostics=0
export AFL_SKIP_BIN_CHECK=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_NO_UI=1 AFL_AUTORESUME=1
export AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_FORKSRV_INIT_TMOUT=60000 AFL_FAST_CAL=1

# A file may take 5 s; one that takes longer counts as a crash, for the process is killed then. At most 64 KiB each.
nice -n 19 afl-fuzz -V $((minutes * 60)) -t 5000 -m none -G 65536 \
    -i "$out/$target.seeds" -x "$out/$target.seeds.words" -o "$out/$target" \
    -- dotnet "$program/Data2Vec.Fuzz.dll" afl "$target" > "$out/$target.log" 2>&1 ||
    { tail -20 "$out/$target.log" >&2; fail "afl-fuzz failed; its whole log is $out/$target.log."; }

# ---- What came of it.
stats=$out/$target/default/fuzzer_stats
value() { sed -n "s/^$1 *: *//p" "$stats"; }
echo "$target: $(value execs_done) executions in $(value run_time) s ($(value execs_per_sec) a second)," \
    "$(value corpus_count) files kept, $(value edges_found) edges, stability $(value stability)," \
    "$(value saved_crashes) crashes, $(value saved_hangs) hangs"
shopt -s nullglob
crashes=("$out/$target"/default/{crashes,hangs}/id:*)
((${#crashes[@]} == 0)) && exit 0
for crash in "${crashes[@]:0:10}"; do
    said=$(timeout 60 dotnet "$plain/Data2Vec.Fuzz.dll" replay "$target" "$crash" 2>&1) && code=0 || code=$?
    echo "$said" | head -3
    ((code < 2)) || echo "$crash: ends the process with code $code"
done
exit 3
