// Computes       y = mean over layers k of norm(x_k), norm = nothing, layer norm over channels or instance norm over
//                time, without affine parts; then, if asked for, layer norm of the mean. What the student learns to
//                predict.
// Tensors        x_k [batch, time, channels] of `element`, at most 32 of them; y as they, float32; statistics [layers,
//                batch, 2, channels] float32, for instance norm.
// Accumulates in float32; variances around means.
// Work split     _w256 ... _w1024: a warp takes a position and holds it in registers while the layers go by, each on
//                its way while the one before is worked on: every number is read once. General: a block takes a
//                position. Instance norm: targets_statistics takes a stripe of channels of one layer of one sample over
//                all of time, targets_instance a stripe of channels of a few frames over all layers: every number is
//                read twice.
// Shared memory  17 KiB (statistics).
// Requires       _w*: channels a multiple of 16 bytes and at most the number. _w* and _packs: every pointer a multiple
//                of 16 bytes, channels a multiple of 16 bytes.
// Determinism    sums in an order fixed by the shape.
// Numerics       as norms and mean in Data2Vec.Kernels/Targets/Targets.Reference.cs, in float32.
// Launched by    Data2Vec.Kernels/Targets/Targets.Cuda.cs
// Tested by      Data2Vec.Tests/Gpu/CudaTargetsTests.cs; verify targets --device emulator
// Source         Baevski et al. 2022, section 3.3; Welford 1962; Chan, Golub and LeVeque 1983.
#include "common/reduce.cuh"
#include "common/vector.cuh"

enum Norm : int
{
    NoNorm = 0,
    LayerNorm = 1,
    InstanceNorm = 2,
};

constexpr int MostLayers = 32;

struct TargetsArgs
{
    const element* layers[MostLayers];
    float* y;
    float* statistics;
    // batch * time
    long long rows;
    int layer_count, batch, time, channels, norm, final_norm;
    float eps, reserved;
};

constexpr int Width = Pack<element>::Width;

__device__ __forceinline__ float deviation_to_scale(float variance, float eps)
{
    // Rounding can take the variance of equal numbers below 0.
    return 1.0f / sqrtf((variance < 0.0f ? 0.0f : variance) + eps);
}

// Normalises what the lanes of a warp hold of a row, in place.
template <int Packs>
__device__ __forceinline__ void normalise_held(float (&s)[Packs][Width], int lane, int channels, float eps)
{
    float mean = 0.0f;
#pragma unroll
    for (int k = 0; k < Packs; ++k)
#pragma unroll
        for (int i = 0; i < Width; ++i) mean += s[k][i];
    const float share = 1.0f / channels;
    mean = warp_sum(mean) * share;
    float rest = 0.0f, squares = 0.0f;
#pragma unroll
    for (int k = 0; k < Packs; ++k)
    {
        if ((k * 32 + lane) * Width >= channels) continue;
#pragma unroll
        for (int i = 0; i < Width; ++i)
        {
            s[k][i] -= mean;
            rest += s[k][i];
            squares = fmaf(s[k][i], s[k][i], squares);
        }
    }
    rest = warp_sum(rest) * share;
    const float scale = deviation_to_scale(fmaf(-rest, rest, warp_sum(squares) * share), eps);
#pragma unroll
    for (int k = 0; k < Packs; ++k)
    {
        // Lanes behind the end hold zeros, which the next sum must find again.
        if ((k * 32 + lane) * Width >= channels) continue;
#pragma unroll
        for (int i = 0; i < Width; ++i) s[k][i] = (s[k][i] - rest) * scale;
    }
}

template <int Packs>
__device__ __forceinline__ void load_row(Raw (&raw)[Packs], const element* x, int lane, int channels)
{
#pragma unroll
    for (int k = 0; k < Packs; ++k)
    {
        const int c = (k * 32 + lane) * Width;
        raw[k] = c < channels ? load_streamed(x + c) : Raw{0, 0, 0, 0};
    }
}

template <int Packs>
__device__ __forceinline__ void average_held(const TargetsArgs& a)
{
    const long long row = WarpGroup::index();
    if (row >= a.rows) return;
    const int lane = WarpGroup::rank();
    const long long start = row * a.channels;
    float sum[Packs][Width];
#pragma unroll
    for (int k = 0; k < Packs; ++k)
#pragma unroll
        for (int i = 0; i < Width; ++i) sum[k][i] = 0.0f;
    Raw next[Packs];
    load_row<Packs>(next, a.layers[0] + start, lane, a.channels);
    for (int layer = 0; layer < a.layer_count; ++layer)
    {
        float s[Packs][Width];
#pragma unroll
        for (int k = 0; k < Packs; ++k)
        {
            const Pack<element> numbers = unpack<element>(next[k]);
#pragma unroll
            for (int i = 0; i < Width; ++i) s[k][i] = numbers[i];
        }
        if (layer + 1 < a.layer_count) load_row<Packs>(next, a.layers[layer + 1] + start, lane, a.channels);
        if (a.norm == LayerNorm) normalise_held<Packs>(s, lane, a.channels, a.eps);
#pragma unroll
        for (int k = 0; k < Packs; ++k)
#pragma unroll
            for (int i = 0; i < Width; ++i) sum[k][i] += s[k][i];
    }
    const float share = 1.0f / a.layer_count;
#pragma unroll
    for (int k = 0; k < Packs; ++k)
#pragma unroll
        for (int i = 0; i < Width; ++i) sum[k][i] *= share;
    if (a.final_norm != 0) normalise_held<Packs>(sum, lane, a.channels, a.eps);
#pragma unroll
    for (int k = 0; k < Packs; ++k)
    {
        const int c = (k * 32 + lane) * Width;
        if (c >= a.channels) continue;
#pragma unroll
        for (int i = 0; i < Width; i += 4)
            store_raw(a.y + start + c + i, pack(Pack<float>{{sum[k][i], sum[k][i + 1], sum[k][i + 2], sum[k][i + 3]}}));
    }
}

// Mean and scale of a row that a block reads twice.
struct RowStatistics
{
    float mean, scale;

    template <class T>
    __device__ __forceinline__ RowStatistics(const T* x, int columns, float eps)
    {
        float sum = 0.0f;
        for (int c = threadIdx.x; c < columns; c += blockDim.x) sum += widen(x[c]);
        mean = BlockGroup::sum(sum) / columns;
        float rest = 0.0f, squares = 0.0f;
        for (int c = threadIdx.x; c < columns; c += blockDim.x)
        {
            const float d = widen(x[c]) - mean;
            rest += d;
            squares = fmaf(d, d, squares);
        }
        rest = BlockGroup::sum(rest) / columns;
        scale = deviation_to_scale(fmaf(-rest, rest, BlockGroup::sum(squares) / columns), eps);
        mean += rest;
    }
};

// Any width and alignment; a thread finds what it has added so far in y.
__device__ __forceinline__ void average_row(const TargetsArgs& a)
{
    const long long start = blockIdx.x * static_cast<long long>(a.channels);
    float* y = a.y + start;
    for (int layer = 0; layer < a.layer_count; ++layer)
    {
        const element* x = a.layers[layer] + start;
        float mean = 0.0f, scale = 1.0f;
        if (a.norm == LayerNorm)
        {
            const RowStatistics statistics(x, a.channels, a.eps);
            mean = statistics.mean;
            scale = statistics.scale;
        }
        for (int c = threadIdx.x; c < a.channels; c += blockDim.x)
        {
            float value = (widen(x[c]) - mean) * scale;
            if (layer > 0) value += y[c];
            y[c] = layer + 1 == a.layer_count ? value / a.layer_count : value;
        }
    }
    if (a.final_norm == 0) return;
    const RowStatistics statistics(y, a.channels, a.eps);
    for (int c = threadIdx.x; c < a.channels; c += blockDim.x) y[c] = (y[c] - statistics.mean) * statistics.scale;
}

// What a thread of a stripe reads: Wide neighbouring channels. A stripe has Lanes such threads side by side, and so
// many of them one below the other as a block has.
template <int Wide>
struct Neighbours
{
    float v[Wide];

    __device__ __forceinline__ void load(const element* x)
    {
        if constexpr (Wide == 1) v[0] = widen(*x);
        else
        {
            const Pack<element> numbers = unpack<element>(load_streamed(x));
#pragma unroll
            for (int i = 0; i < Wide; ++i) v[i] = numbers[i];
        }
    }
};

constexpr int StripeThreads = 256;

// Where a channel of a slot lies in shared memory. Eight lanes of eight channels go twice round the banks: the second four
// lanes take their halves in turn, or they would meet the first four.
__device__ __forceinline__ int stripe_place(int channel) { return channel ^ (channel >> 3 & 4); }

template <int Wide, int Lanes>
__device__ __forceinline__ void statistics_of_stripe(const TargetsArgs& a)
{
    constexpr int Slots = StripeThreads / Lanes, Channels = Lanes * Wide;
    __shared__ float means[Slots][Channels + 1], squares[Slots][Channels + 1];
    const int lane = threadIdx.x % Lanes, slot = threadIdx.x / Lanes;
    const int first = blockIdx.x * Channels, c = first + lane * Wide;
    const long long sample = blockIdx.z * static_cast<long long>(a.batch) + blockIdx.y;
    const element* x = a.layers[blockIdx.z] + static_cast<long long>(blockIdx.y) * a.time * a.channels + c;

    // Mean and squares around it, one number after the other.
    float mean[Wide], square[Wide];
#pragma unroll
    for (int i = 0; i < Wide; ++i) mean[i] = square[i] = 0.0f;
    if (c < a.channels)
    {
        float seen = 0.0f;
#pragma unroll 4
        for (int t = slot; t < a.time; t += Slots)
        {
            Neighbours<Wide> numbers;
            numbers.load(x + static_cast<long long>(t) * a.channels);
            seen += 1.0f;
            const float share = 1.0f / seen;
#pragma unroll
            for (int i = 0; i < Wide; ++i)
            {
                const float d = numbers.v[i] - mean[i];
                mean[i] = fmaf(d, share, mean[i]);
                square[i] = fmaf(d, numbers.v[i] - mean[i], square[i]);
            }
        }
    }
#pragma unroll
    for (int i = 0; i < Wide; ++i)
    {
        means[slot][stripe_place(lane * Wide + i)] = mean[i];
        squares[slot][stripe_place(lane * Wide + i)] = square[i];
    }
    __syncthreads();
    const int own = first + static_cast<int>(threadIdx.x);
    if (threadIdx.x >= Channels || own >= a.channels) return;
    float all = 0.0f, middle = 0.0f, spread = 0.0f;
    const int place = stripe_place(threadIdx.x);
    for (int i = 0; i < Slots && i < a.time; ++i)
    {
        const float more = static_cast<float>((a.time - i + Slots - 1) / Slots);
        const float d = means[i][place] - middle;
        all += more;
        const float share = more / all;
        middle = fmaf(d, share, middle);
        spread += fmaf(d * d, share * (all - more), squares[i][place]);
    }
    float* target = a.statistics + sample * 2 * a.channels + own;
    target[0] = middle;
    target[a.channels] = deviation_to_scale(spread / a.time, a.eps);
}

template <int Wide, int Lanes>
__device__ __forceinline__ void average_stripe(const TargetsArgs& a)
{
    constexpr int Slots = StripeThreads / Lanes, Frames = 4;
    const int lane = threadIdx.x % Lanes, slot = threadIdx.x / Lanes;
    const int c = (blockIdx.x * Lanes + lane) * Wide;
    if (c >= a.channels) return;
    const int t = blockIdx.y * Slots * Frames + slot;
    float sum[Frames][Wide];
#pragma unroll
    for (int f = 0; f < Frames; ++f)
#pragma unroll
        for (int i = 0; i < Wide; ++i) sum[f][i] = 0.0f;
    const long long start = static_cast<long long>(blockIdx.z) * a.time * a.channels + c;
    for (int layer = 0; layer < a.layer_count; ++layer)
    {
        const element* x = a.layers[layer] + start;
        Neighbours<Wide> numbers[Frames] = {};
#pragma unroll
        for (int f = 0; f < Frames; ++f)
            if (t + f * Slots < a.time) numbers[f].load(x + static_cast<long long>(t + f * Slots) * a.channels);
        const float* mean = a.statistics + (layer * static_cast<long long>(a.batch) + blockIdx.z) * 2 * a.channels + c;
        const float* scale = mean + a.channels;
#pragma unroll
        for (int i = 0; i < Wide; ++i)
        {
            const float m = mean[i], k = scale[i];
#pragma unroll
            for (int f = 0; f < Frames; ++f) sum[f][i] += (numbers[f].v[i] - m) * k;
        }
    }
    const float share = 1.0f / a.layer_count;
#pragma unroll
    for (int f = 0; f < Frames; ++f)
    {
        if (t + f * Slots >= a.time) continue;
        float* y = a.y + start + static_cast<long long>(t + f * Slots) * a.channels;
        if constexpr (Wide == 1) y[0] = sum[f][0] * share;
        else
        {
#pragma unroll
            for (int i = 0; i < Wide; i += 4)
                store_raw(y + i, pack(Pack<float>{{sum[f][i] * share, sum[f][i + 1] * share, sum[f][i + 2] * share,
                    sum[f][i + 3] * share}}));
        }
    }
}

extern "C"
{
#define TARGETS_OF_WIDTH(columns) \
    __global__ void __launch_bounds__(128) targets_fwd_w##columns(const __grid_constant__ TargetsArgs a) \
    { \
        average_held<columns / (32 * Width)>(a); \
    }

TARGETS_OF_WIDTH(256)
TARGETS_OF_WIDTH(512)
TARGETS_OF_WIDTH(768)
TARGETS_OF_WIDTH(1024)

__global__ void __launch_bounds__(256) targets_fwd(const __grid_constant__ TargetsArgs a) { average_row(a); }

__global__ void __launch_bounds__(256) targets_statistics_packs(const __grid_constant__ TargetsArgs a)
{
    statistics_of_stripe<Width, 8>(a);
}

__global__ void __launch_bounds__(256) targets_statistics(const __grid_constant__ TargetsArgs a)
{
    statistics_of_stripe<1, 32>(a);
}

__global__ void __launch_bounds__(256) targets_instance_packs(const __grid_constant__ TargetsArgs a)
{
    average_stripe<Width, 8>(a);
}

__global__ void __launch_bounds__(256) targets_instance(const __grid_constant__ TargetsArgs a)
{
    average_stripe<1, 32>(a);
}
}
