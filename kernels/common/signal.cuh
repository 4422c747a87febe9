// The convolution of a signal of one channel to many (the first layer of speech): 2 bytes in for every 1000 out, so nothing
// counts but that stores are wide and no instruction too many. The taps, at most 16, are the inner extent of one product.
//
// A warp keeps the weights of 128 channels as right operands (32 registers) and goes through frames, 16 at a time:
//
//   signal in shared memory --8 loads of 2 bytes--> 16 frames x 16 taps (left) x weights --16 mma--> 16 frames x 128 channels
//
// Which channel is which column of an operand is free: column 2t + e of product q is channel 8t + 2q + e of 32, so that the
// sums of four products are eight neighbouring channels of a thread, which leave in one store of 16 bytes: to y, or where the
// rows are normalised first, to shared memory.
#pragma once
#include "common/mma.cuh"
#include "common/normed_rows.cuh"

constexpr int SignalThreads = 128, SignalFrames = 64, SignalChannels = 128;

struct SignalArgs
{
    const bf16* x;
    // [out, kernel].
    const bf16* w;
    // [out]; or null.
    const bf16* bias;
    // Takes the sums before the activation or the norm; or null.
    bf16* sums;
    // Null where a norm follows, which knows its own.
    bf16* y;
    int time, frames, out, kernel, stride, padding, dilation, activation;
};

// What becomes of 16 frames: row and channel are those of a block's, `frame` is the first one's row of y.
struct SignalToMemory
{
    static constexpr int SharedBytes = 0;
    const SignalArgs& a;

    __device__ __forceinline__ void take(long long frame, int row, int channel, Pack<bf16>& v) const
    {
        const long long at = (frame + row) * a.out + channel;
        if (a.sums != nullptr) store_raw(a.sums + at, pack(v));
        if (a.activation != Identity)
        {
#pragma unroll
            for (int n = 0; n < 8; ++n) v[n] = activate(a.activation, v[n]);
        }
        store_raw(a.y + at, pack(v));
    }

    __device__ __forceinline__ void finish(long long, int) const {}
};

// The rows are whole when all warps are there; then each warp normalises every fourth. Of two tiles one is written while
// slower warps still read the other one.
struct SignalToNorm
{
    static constexpr int SharedBytes = 2 * 16 * 512 * sizeof(bf16);
    const SignalArgs& a;
    const RowNorm& norm;
    unsigned int tile, other;

    __device__ __forceinline__ void take(long long, int row, int channel, const Pack<bf16>& v) const
    {
        NormedRows<512>::write(tile, row, channel / 8, pack(v));
    }

    __device__ __forceinline__ void finish(long long frame, int rows)
    {
        __syncthreads();
        NormedRows<512>::normalise<SignalThreads / 32>(norm, a.sums, tile, frame, rows);
        const unsigned int done = tile;
        tile = other;
        other = done;
    }
};

// 16 frames from frame m of a run on: 128 channels of a warp.
template <class End>
__device__ __forceinline__ void convolve_frames(
    const SignalArgs& a, const unsigned short* signal, int m, int frames, int channel, const unsigned int (&weights)[4][4][2],
    const int (&taps)[4], long long row, const End& end)
{
    const int lane = threadIdx.x & 31, g = lane >> 2, t = lane & 3;
    unsigned int left[4];
#pragma unroll
    for (int i = 0; i < 4; ++i)
    {
        const int at = (m + g + 8 * (i & 1)) * a.stride, low = taps[i / 2 * 2], high = taps[i / 2 * 2 + 1];
        left[i] = (low >= 0 ? signal[at + low] : 0u) | (high >= 0 ? static_cast<unsigned int>(signal[at + high]) : 0u) << 16;
    }
#pragma unroll
    for (int i = 0; i < 4; ++i)
    {
        float sums[4][4] = {};
#pragma unroll
        for (int q = 0; q < 4; ++q) mma_bf16(sums[q], left, weights[i][q][0], weights[i][q][1]);
        const int c = channel + 32 * i + 8 * t;
        float bias[8] = {};
        if (a.bias != nullptr)
        {
            const Pack<bf16> held = unpack<bf16>(load_shared_by_all(a.bias + c));
#pragma unroll
            for (int n = 0; n < 8; ++n) bias[n] = held[n];
        }
#pragma unroll
        for (int half = 0; half < 2; ++half)
        {
            const int of_frame = g + 8 * half;
            if (m + of_frame >= frames) continue;
            Pack<bf16> v;
#pragma unroll
            for (int n = 0; n < 8; ++n) v[n] = sums[n / 2][2 * half + n % 2] + bias[n];
            end.take(row, of_frame, c, v);
        }
    }
}

// blockIdx.x = run of frames, y = sample, z = 512 channels. Dynamic shared memory: that of the end, then what the frames of a
// run see.
template <class End>
__device__ __forceinline__ void convolve_signal(const SignalArgs& a, unsigned char* memory, End end)
{
    unsigned short* const signal = reinterpret_cast<unsigned short*>(memory + End::SharedBytes);
    const int lane = threadIdx.x & 31, g = lane >> 2, t = lane & 3;
    const int first = blockIdx.x * SignalFrames, frames = min(SignalFrames, a.frames - first);
    const long long begin = static_cast<long long>(first) * a.stride - a.padding;
    const int seen = (SignalFrames - 1) * a.stride + (a.kernel - 1) * a.dilation + 1;
    const bf16* const x = a.x + static_cast<long long>(blockIdx.y) * a.time;
    for (int i = threadIdx.x; i < seen; i += SignalThreads)
    {
        const long long at = begin + i;
        signal[i] = at >= 0 && at < a.time ? x[at].bits : 0;
    }
    const int channel = (blockIdx.z * 4 + (threadIdx.x >> 5)) * SignalChannels;
    unsigned int weights[4][4][2];
    if (channel < a.out)
    {
#pragma unroll
        for (int i = 0; i < 4; ++i)
#pragma unroll
            for (int q = 0; q < 4; ++q)
#pragma unroll
                for (int half = 0; half < 2; ++half)
                {
                    const bf16* from = a.w + static_cast<long long>(channel + 32 * i + 8 * (g >> 1) + 2 * q + (g & 1)) * a.kernel;
                    const int tap = 8 * half + 2 * t;
                    const unsigned int low = tap < a.kernel ? from[tap].bits : 0, high = tap + 1 < a.kernel ? from[tap + 1].bits : 0;
                    weights[i][q][half] = low | high << 16;
                }
    }
    __syncthreads();
    // Taps that there are not read the first number: their weights are 0. NaN must not come of it, so it is left out.
    int taps[4];
#pragma unroll
    for (int i = 0; i < 4; ++i)
    {
        const int tap = i / 2 * 8 + 2 * t + i % 2;
        taps[i] = tap < a.kernel ? tap * a.dilation : -1;
    }
#pragma unroll 1
    for (int m = 0; m < frames; m += 16)
    {
        const long long row = static_cast<long long>(blockIdx.y) * a.frames + first + m;
        if (channel < a.out) convolve_frames(a, signal, m, frames, channel, weights, taps, row, end);
        end.finish(row, min(16, frames - m));
    }
}
