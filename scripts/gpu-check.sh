#!/usr/bin/env bash
# Checks, then times, a GPU backend, from the bundle of scripts/gpu-bundle.sh: doctor, every case of the catalogue against
# double precision, the recorded runs of published implementations, timings, and 200 updates of each tiny preset whose loss
# curves are compared with the cpu's. Where compute-sanitizer is installed, the tiny cases run under its four tools too, and
# where python3 has PyTorch, our times are compared with PyTorch's on the same GPU. All logs go into one folder; the last
# lines say what passed and what was skipped for which reason. Nothing is installed.
#
# usage: gpu-check.sh LOGS [DEVICE]     DEVICE: cuda:N, ilgpu:N; default the first that doctor finds
# To try the script itself without a GPU, DEVICE can be emulator or ilgpu:cpu, with DATA2VEC_CHECK_SIZE=tiny,
# DATA2VEC_CHECK_STEPS=4, DATA2VEC_CHECK_SETTINGS="batch_size=2 micro_batches=1" for the runs and DATA2VEC_CHECK_FIXTURES=a
# small folder of recorded cases.
set -uo pipefail

[[ $# -ge 1 && $# -le 2 ]] || { sed -n 's/^# \{0,1\}//; /^usage/p' "$0" >&2; exit 2; }
logs=$(realpath -m "$1") device=${2-}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
data2vec=$here/app/data2vec bench=$here/app/Data2Vec.Bench
steps=${DATA2VEC_CHECK_STEPS:-200} size=${DATA2VEC_CHECK_SIZE:-all} fixtures=${DATA2VEC_CHECK_FIXTURES:-$here/fixtures}
mkdir -p "$logs" || exit 1

passed=() failed=() skipped=()
# A step: its name, then the command; its output goes into a log of that name.
step() {
    local name=$1 start=$SECONDS
    shift
    echo "== $name: $*"
    if "$@" > "$logs/$name.log" 2>&1; then passed+=("$name"); else failed+=("$name"); fi
    tail -n 1 "$logs/$name.log"
    echo "   $((SECONDS - start)) s"
}

skip() { # name, reason
    echo "== $1: skipped: $2"
    skipped+=("$1 ($2)")
}

{
    echo "commit $(cat "$here/COMMIT")"
    echo "date   $(date -u +%Y-%m-%dT%H:%M:%SZ)"
    nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm --format=csv 2> /dev/null || echo "no nvidia-smi"
} | tee "$logs/machine.log"

step doctor "$data2vec" doctor
if [[ -z $device ]]; then
    device=$(grep -oE '^ +cuda:0' "$logs/doctor.log" | tr -d ' ') || device=ilgpu:0
fi
echo "device $device" | tee -a "$logs/machine.log"

for type in float32 bfloat16; do
    step "verify-$type" "$bench" verify --device "$device" --size "$size" --dtype "$type" --json "$logs/verify-$type.json"
done
step conformance "$bench" conformance "$fixtures" --device "$device" --json "$logs/conformance.json"

sanitizer=$(type -P compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2> /dev/null)
for tool in memcheck racecheck initcheck synccheck; do
    if [[ -z $sanitizer ]]; then skip "$tool" "compute-sanitizer is not installed"
    else step "$tool" "$sanitizer" --tool "$tool" --error-exitcode 9 "$bench" verify --device "$device" --size tiny
    fi
done

step time "$bench" time --device "$device" --size "$size" --json "$logs/time.json"
if [[ $device != cuda:* ]]; then skip peer "PyTorch is compared with cuda:N devices, not with $device"
elif ! python3 -c 'import torch; torch.zeros(1, device="cuda")' 2> "$logs/peer.log"; then
    skip peer "python3 has no PyTorch that sees a GPU: $(tail -n 1 "$logs/peer.log")"
else step peer "$bench" time --device "$device" --peer pytorch --json "$logs/peer.json"
fi

train() { # name, modality, device, seed
    step "$1" "$data2vec" pretrain "$2" --device "$3" --out "$logs/runs/$1" \
        seed="$4" steps="$steps" warmup_steps=$((steps / 5)) log_every=$((steps < 20 ? 1 : steps / 20)) save_every=0 \
        probes=false ${DATA2VEC_CHECK_SETTINGS-}
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
printf 'skipped: %s\n' "${skipped[@]-none}"
echo "failed: ${failed[*]-none}"
((${#failed[@]} == 0))
