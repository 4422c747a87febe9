#!/usr/bin/env bash
# Fetches what compiles kernels without a GPU: NVRTC 12.4 (and its builtins) and ptxas, from Debian 13's non-free component,
# into a cache folder (DATA2VEC_GPU_TOOLCHAIN overrides it). The system's own packages and lists stay untouched.
# Safe to run again. Prints the folder with the libraries.
set -euo pipefail

cache=${DATA2VEC_GPU_TOOLCHAIN:-${XDG_CACHE_HOME:-$HOME/.cache}/data2vec/gpu-toolchain}
libraries=$cache/root/usr/lib/x86_64-linux-gnu
fail() { echo "gpu-toolchain.sh: $*" >&2; exit 1; }

if [[ -e $libraries/libnvrtc.so.12 && -x $cache/root/usr/bin/ptxas ]]; then
    echo "$libraries"
    exit 0
fi
[[ $(uname -sm) == "Linux x86_64" ]] || fail "only Linux x64 is supported, this is $(uname -sm)"
command -v apt-get > /dev/null && command -v dpkg > /dev/null || fail "apt-get and dpkg are needed to fetch and unpack packages"
[[ -f /etc/apt/sources.list.d/debian.sources ]] || fail "/etc/apt/sources.list.d/debian.sources was not found"

work=$cache/apt
rm -rf "$work" "$cache/root.new"
mkdir -p "$work/sources" "$work/lists/partial" "$work/archives/partial" "$cache/root.new"
sed -e 's/bookworm/trixie/g' -e 's/^Components:.*/Components: main contrib non-free/' \
    /etc/apt/sources.list.d/debian.sources > "$work/sources/trixie.sources"
apt=(apt-get -qq -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work" -o Dir::Etc::sourcelist=/dev/null
    -o Dir::Etc::sourceparts="$work/sources" -o APT::Sandbox::User=root)
"${apt[@]}" update >&2 || fail "the package lists could not be read"
(cd "$work" && "${apt[@]}" download libnvrtc12 libnvrtc-builtins12.4 nvidia-cuda-toolkit >&2) \
    || fail "the packages could not be downloaded"
for package in "$work"/*.deb; do
    dpkg -x "$package" "$cache/root.new" || fail "could not unpack $package"
done
rm -rf "$cache/root" "$work"
mv "$cache/root.new" "$cache/root"
echo "$libraries"
