#!/usr/bin/env bash
# Checks, then times, GPU backends, from the bundle of scripts/gpu-bundle.sh or from a built tree: doctor, every case of the
# catalogue against double precision in float32 and bfloat16, NVIDIA's compute-sanitizer over the tiny ones, the recorded runs
# of published implementations, timings, PyTorch side by side, whole updates, and 200 updates of each tiny preset whose loss
# curves are compared with the cpu's. What the machine lacks is skipped with its reason. All logs go into one folder; the last
# lines say what passed, failed and was skipped. Nothing is installed.
#
# usage: gpu-check.sh LOGS [DEVICE...]   DEVICE: cuda:N, ilgpu:N; default cuda:0 where doctor lists it, else ilgpu:0
#
# For a try-out without a GPU (DEVICE emulator or ilgpu:cpu), by environment variables:
#   DATA2VEC_CHECK_SIZE=tiny          cases of size tiny, and no whole updates of base models; default all
#   DATA2VEC_CHECK_CASES=NAME         verify, sanitizer and time only cases whose name contains this
#   DATA2VEC_CHECK_PEER=NAME          the same for what is timed beside PyTorch
#   DATA2VEC_CHECK_CONFORMANCE=NAME   the same for recorded runs
#   DATA2VEC_CHECK_FIXTURES=FOLDER    other recorded runs
#   DATA2VEC_CHECK_STEPS=N            updates of a training run; default 200
#   DATA2VEC_CHECK_MODALITIES="text"  default "text vision audio"
#   DATA2VEC_CHECK_SETTINGS="hidden=32 layers=2"   further settings of the training runs
#   DATA2VEC_CHECK_PYTHON=FILE        interpreter that has PyTorch; default python3
set -uo pipefail

usage() { sed -n '/^# usage/,/^# For/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; exit 2; }
[[ $# -ge 1 && $1 != -* ]] || usage
logs=$(realpath -m "$1")
shift
devices=("$@")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [[ -d $here/app ]]; then
    data2vec=$here/app/data2vec bench=$here/app/Data2Vec.Bench fixtures=$here/fixtures commit=$(cat "$here/COMMIT")
else
    tree=$(dirname "$here")
    data2vec=$tree/Data2Vec.Cli/bin/Release/net10.0/data2vec bench=$tree/Data2Vec.Bench/bin/Release/net10.0/Data2Vec.Bench
    fixtures=$tree/Data2Vec.Tests/Fixtures commit="$(git -C "$tree" rev-parse HEAD 2> /dev/null || echo unknown) (built tree)"
fi
for program in "$data2vec" "$bench"; do
    [[ -x $program ]] || { echo "gpu-check.sh: there is no $program: build the tree (dotnet build -c Release), or unpack a bundle" >&2; exit 1; }
done
size=${DATA2VEC_CHECK_SIZE:-all} steps=${DATA2VEC_CHECK_STEPS:-200} python=${DATA2VEC_CHECK_PYTHON:-python3}
[[ $size == tiny || $size == all ]] || { echo "gpu-check.sh: DATA2VEC_CHECK_SIZE must be tiny or all; got $size" >&2; exit 2; }
[[ $steps =~ ^[0-9]+$ && $steps -ge 1 ]] || { echo "gpu-check.sh: DATA2VEC_CHECK_STEPS must be at least 1; got $steps" >&2; exit 2; }
read -ra modalities <<< "${DATA2VEC_CHECK_MODALITIES:-text vision audio}"
read -ra settings <<< "${DATA2VEC_CHECK_SETTINGS:-}"
fixtures=${DATA2VEC_CHECK_FIXTURES:-$fixtures}
cases=(${DATA2VEC_CHECK_CASES:+"$DATA2VEC_CHECK_CASES"})
mkdir -p "$logs" || exit 1

passed=() failed=() skipped=()
# A step: its name, then the command; its output goes into a log of that name.
step() {
    local name=$1 start=$SECONDS
    shift
    echo "== $name: $*"
    mkdir -p "$(dirname "$logs/$name.log")"
    if "$@" > "$logs/$name.log" 2>&1; then passed+=("$name"); else failed+=("$name"); fi
    tail -n 1 "$logs/$name.log"
    echo "   $((SECONDS - start)) s"
}
skip() { # name, why
    echo "== $1: skipped, $2"
    skipped+=("$1 ($2)")
}
is_gpu() { [[ $1 =~ ^(cuda|ilgpu):[0-9]+$ ]]; }

{
    echo "commit $commit"
    echo "date   $(date -u +%Y-%m-%dT%H:%M:%SZ)"
    nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm --format=csv 2> /dev/null || echo "no nvidia-smi"
} | tee "$logs/machine.log"

step doctor "$data2vec" doctor
if ((${#devices[@]} == 0)); then
    # Lines of devices that open are "  cuda:0     cuda (NVIDIA ..., sm_90, ...)".
    if grep -q '^ *cuda:0 ' "$logs/doctor.log"; then devices=(cuda:0); else devices=(ilgpu:0); fi
fi
echo "devices ${devices[*]}" | tee -a "$logs/machine.log"

sanitize() { # device, name of its logs
    local sanitizer tool type
    if ! is_gpu "$1"; then
        skip "$2/sanitizer" "$1 is no GPU"
    elif ! sanitizer=$(command -v compute-sanitizer || command -v /usr/local/cuda/bin/compute-sanitizer); then
        skip "$2/sanitizer" "compute-sanitizer is not installed"
    else
        for tool in memcheck racecheck initcheck synccheck; do
            for type in float32 bfloat16; do
                step "$2/$tool-$type" "$sanitizer" --tool "$tool" --error-exitcode 86 \
                    "$bench" verify "${cases[@]}" --device "$1" --size tiny --dtype "$type"
            done
        done
    fi
}

compare() { # device, name of its logs
    local why
    # The last line of what Python says is the reason.
    if ! command -v "$python" > /dev/null; then
        skip "$2/peer" "there is no $python"
    elif ! why=$("$python" -c 'import torch' 2>&1); then
        skip "$2/peer" "$python has no PyTorch: ${why##*$'\n'}"
    elif is_gpu "$1" && ! why=$("$python" -c 'import torch; torch.zeros(1, device="cuda")' 2>&1); then
        skip "$2/peer" "PyTorch of $python cannot use a CUDA device: ${why##*$'\n'}"
    else
        step "$2/peer" "$bench" time ${DATA2VEC_CHECK_PEER:+"$DATA2VEC_CHECK_PEER"} --device "$1" --size "$size" \
            --peer pytorch --peer-python "$python" --json "$logs/$2/peer.json"
    fi
}

train() { # name, modality, device, seed
    local log_every=$((steps / 20))
    step "$1" "$data2vec" pretrain "$2" --device "$3" --out "$logs/runs/$1" \
        seed="$4" steps="$steps" warmup_steps=$((steps / 5)) log_every=$((log_every > 0 ? log_every : 1)) save_every=0 \
        probes=false "${settings[@]}"
}
for modality in "${modalities[@]}"; do
    for seed in 1 2 3; do train "cpu/$modality-$seed" "$modality" cpu "$seed"; done
done

for device in "${devices[@]}"; do
    name=${device//:/-}
    mkdir -p "$logs/$name"
    step "$name/verify" "$bench" verify "${cases[@]}" --device "$device" --size "$size" --json "$logs/$name/verify.json"
    step "$name/verify-bfloat16" "$bench" verify "${cases[@]}" --device "$device" --size "$size" --dtype bfloat16 \
        --json "$logs/$name/verify-bfloat16.json"
    sanitize "$device" "$name"
    step "$name/conformance" "$bench" conformance "$fixtures" ${DATA2VEC_CHECK_CONFORMANCE:+"$DATA2VEC_CHECK_CONFORMANCE"} \
        --device "$device" --json "$logs/$name/conformance.json"
    for modality in "${modalities[@]}"; do
        train "$name/$modality" "$modality" "$device" 1
        step "$name/$modality-curves" "$bench" curves "$logs/runs/$name/$modality" \
            --seeds "$logs/runs/cpu/$modality-1" "$logs/runs/cpu/$modality-2" "$logs/runs/cpu/$modality-3"
    done
    for type in float32 bfloat16; do
        step "$name/time-$type" "$bench" time "${cases[@]}" --device "$device" --size "$size" --dtype "$type" \
            --json "$logs/$name/time-$type.json"
    done
    if [[ $size == all ]]; then
        step "$name/updates" "$bench" steps --device "$device" --json "$logs/$name/updates.json"
    else
        skip "$name/updates" "whole updates of base models are for DATA2VEC_CHECK_SIZE=all"
    fi
    compare "$device" "$name"
done

find "$logs" -name '*.log' -print0 | sort -z | xargs -0 cat | sha256sum | sed 's/ .*//; s/^/sha256 of the logs: /' | tee "$logs/SHA256"
{
    echo "passed: ${passed[*]-}"
    echo "failed: ${failed[*]-none}"
    if ((${#skipped[@]} == 0)); then echo "skipped: none"; else printf 'skipped: %s\n' "${skipped[@]}"; fi
} | tee "$logs/summary"
((${#failed[@]} == 0))
