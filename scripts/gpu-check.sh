#!/usr/bin/env bash
# Checks, then times, a GPU backend, from the bundle of scripts/gpu-bundle.sh: doctor, every case of the catalogue against
# double precision, the recorded runs of published implementations, timings, and 200 updates of each tiny preset whose loss
# curves are compared with the cpu's. All logs go into one folder; the last lines say what passed. Nothing is installed.
#
# usage: gpu-check.sh LOGS [DEVICE]     DEVICE: default ilgpu:0
set -uo pipefail

[[ $# -ge 1 && $# -le 2 ]] || { sed -n 's/^# \{0,1\}//; /^usage/p' "$0" >&2; exit 2; }
logs=$(realpath -m "$1") device=${2:-ilgpu:0}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
data2vec=$here/app/data2vec bench=$here/app/Data2Vec.Bench
steps=${DATA2VEC_CHECK_STEPS:-200}
mkdir -p "$logs" || exit 1

passed=() failed=()
# A step: its name, then the command; its output goes into a log of that name.
step() {
    local name=$1 start=$SECONDS
    shift
    echo "== $name: $*"
    if "$@" > "$logs/$name.log" 2>&1; then passed+=("$name"); else failed+=("$name"); fi
    tail -n 1 "$logs/$name.log"
    echo "   $((SECONDS - start)) s"
}

{
    echo "commit $(cat "$here/COMMIT")"
    echo "date   $(date -u +%Y-%m-%dT%H:%M:%SZ)"
    nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm --format=csv 2> /dev/null || echo "no nvidia-smi"
} | tee "$logs/machine.log"

step doctor "$data2vec" doctor
step verify "$bench" verify --device "$device" --size all --json "$logs/verify.json"
step conformance "$bench" conformance "$here/fixtures" --device "$device" --json "$logs/conformance.json"
step time "$bench" time --device "$device" --size all --json "$logs/time.json"

train() { # name, modality, device, seed
    step "$1" "$data2vec" pretrain "$2" --device "$3" --out "$logs/runs/$1" \
        seed="$4" steps="$steps" warmup_steps=$((steps / 5)) log_every=$((steps / 20)) save_every=0 probes=false
}
for modality in text vision audio; do
    train "$modality-device" "$modality" "$device" 1
    seeds=()
    for seed in 1 2 3; do
        train "$modality-cpu-$seed" "$modality" cpu "$seed"
        seeds+=("$logs/runs/$modality-cpu-$seed")
    done
    step "$modality-curves" "$bench" curves "$logs/runs/$modality-device" --seeds "${seeds[@]}"
done

cat "$logs"/*.log | sha256sum | sed 's/ .*//; s/^/sha256 of the logs: /' | tee "$logs/SHA256"
echo "passed: ${passed[*]-}"
echo "failed: ${failed[*]-none}"
((${#failed[@]} == 0))
