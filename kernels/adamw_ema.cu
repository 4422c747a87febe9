// Computes       norm of the gradients, clip factor and finite check; one update of Adam in its three published forms;
//                the teacher's moving average; the last two in one pass over memory, bfloat16 copies of what they
//                write included.
// Tensors        parameters, gradients, moments, teacher: flat float32 buffers; bfloat16 copies of parameters and
//                teacher, or none; a table of segments in the order of their offsets; StepValues, of which the factor,
//                the rates and the check are read on the device.
// Accumulates in double for the norm; rates of a segment in double, an element's update in float32.
// Work split     a block takes a chunk of the flat buffer and the segments that it meets; four elements a transaction.
// Shared memory  256 bytes (norm).
// Requires       nothing: a range that does not begin at a multiple of four elements is taken one by one.
// Determinism    no two threads write one place; sums of the norm in an order fixed by the buffer's length.
// Numerics       as Data2Vec.Kernels/Optimizer/Optimizer.Reference.cs, elements in float32.
// Launched by    Data2Vec.Kernels/Optimizer/Optimizer.Cuda.cs
// Tested by      Data2Vec.Tests/Gpu/CudaOptimizerTests.cs; verify adam --device emulator
// Source         Loshchilov and Hutter 2019; fairseq 3d262bb, optim/adam.py; Baevski et al. 2022, section 3.2.
#include "common/reduce.cuh"
#include "common/step_values.cuh"
#include "common/vector.cuh"

// Data2Vec.Kernels/Optimizer/Optimizer.cs, field by field.
struct Segment
{
    long long offset, length, teacher_offset;
    double learning_rate_scale, weight_decay;
    int step_count, has_gradient, teacher_copies, reserved;
};

static_assert(sizeof(Segment) == 56, "the struct of Data2Vec.Kernels/Optimizer/Optimizer.cs");

enum AdamVariant : int
{
    AdamW = 0,
    AdamL2 = 1,
    Fairseq = 2,
};

// What the formulas come to for one segment of one update.
struct AdamRates
{
    // Decay that is added to the gradient; 1 - lr wd; factor on m / root; factor on the root of v.
    float coupled, shrink, rate, root_scale;
};

struct AdamRateArgs
{
    Segment* segments;
    const StepValues* step;
    AdamRates* rates;
    double beta1, beta2;
    int segment_count, variant;
};

struct FlatUpdateArgs
{
    float* p;
    const float* g;
    float* m;
    float* v;
    float* teacher;
    // Copies of p and teacher; null for none.
    bf16* rounded;
    bf16* rounded_teacher;
    const Segment* segments;
    const StepValues* step;
    const AdamRates* rates;
    int segment_count;
    // 1 when every buffer begins at a multiple of 16 bytes.
    int aligned;
    float beta1, beta2, rest1, rest2, epsilon, reserved;
};

struct GradientNormArgs
{
    const float* gradients;
    const Segment* segments;
    StepValues* step;
    // [chunks]
    double* partial;
    int segment_count, chunks, aligned, reserved;
};

constexpr int UpdateChunk = 4096, NormChunk = 16384, Threads = 256;

// The first segment that ends behind a position. All threads look at once, each at its own segments: a search by halves
// would wait for memory again and again.
__device__ __forceinline__ int first_behind(const Segment* segments, int count, long long position)
{
    int before = 0;
    for (int from = 0; from < count; from += Threads)
    {
        const int s = from + static_cast<int>(threadIdx.x);
        const int here = __syncthreads_count(s < count && segments[s].offset + segments[s].length <= position);
        before += here;
        if (here < Threads) break;
    }
    return before;
}

// What a segment and a chunk have in common.
struct Range
{
    long long from, to;
    // Up to here four elements at a time; `from` when that cannot be.
    long long end_of_fours;

    __device__ __forceinline__ Range(const Segment& segment, long long start, int chunk)
    {
        const long long end = segment.offset + segment.length;
        from = segment.offset > start ? segment.offset : start;
        to = end < start + chunk ? end : start + chunk;
        end_of_fours = from;
    }

    __device__ __forceinline__ void use_fours(bool aligned)
    {
        if (aligned && (from & 3) == 0 && to > from) end_of_fours = to & ~3ll;
    }
};

__device__ __forceinline__ double power(double x, int n)
{
    double result = 1.0;
    for (int left = n; left > 0; left >>= 1)
    {
        if ((left & 1) != 0) result *= x;
        x *= x;
    }
    return result;
}

// The next pass reads it: an ordinary store, which leaves the second cache as much of it as streams leave room for.
__device__ __forceinline__ void store_rounded(bf16* to, const Pack<float>& p)
{
    *reinterpret_cast<uint2*>(to) = {narrow_pair(p[0], p[1]), narrow_pair(p[2], p[3])};
}

struct Moved
{
    float p, m, v;
};

__device__ __forceinline__ Moved moved(
    const FlatUpdateArgs& a, const AdamRates& r, float factor, float p, float gradient, float m, float v)
{
    const float g = fmaf(p, r.coupled, gradient * factor);
    m = fmaf(m, a.beta1, g * a.rest1);
    v = fmaf(v, a.beta2, g * g * a.rest2);
    return {p * r.shrink - r.rate * m / fmaf(sqrtf(v), r.root_scale, a.epsilon), m, v};
}

template <bool Updates, bool Averages>
__device__ __forceinline__ void update_chunk(const FlatUpdateArgs& a)
{
    if (a.step->non_finite != 0) return;
    const long long start = static_cast<long long>(blockIdx.x) * UpdateChunk;
    for (int s = first_behind(a.segments, a.segment_count, start); s < a.segment_count; ++s)
    {
        const Segment segment = a.segments[s];
        if (segment.offset >= start + UpdateChunk) break;
        const bool updates = Updates && segment.has_gradient != 0;
        const bool averages = Averages && segment.teacher_offset >= 0;
        if (!updates && !averages) continue;
        AdamRates rates = {};
        float factor = 0.0f;
        if (updates)
        {
            rates = a.rates[s];
            factor = static_cast<float>(a.step->gradient_factor);
        }
        const double decay = averages && segment.teacher_copies == 0 ? a.step->ema_decay : 0.0;
        const float kept = static_cast<float>(decay), rest = static_cast<float>(1.0 - decay);
        const bool copies = kept == 0.0f;
        const long long shift = averages ? segment.teacher_offset - segment.offset : 0;
        Range range(segment, start, UpdateChunk);
        range.use_fours(a.aligned != 0 && (shift & 3) == 0);

        for (long long i = range.from + 4 * threadIdx.x; i < range.end_of_fours; i += 4 * Threads)
        {
            Pack<float> p = unpack<float>(load_streamed(a.p + i)), g, m, v, teacher;
            if (updates)
            {
                g = unpack<float>(load_streamed(a.g + i));
                m = unpack<float>(load_streamed(a.m + i));
                v = unpack<float>(load_streamed(a.v + i));
            }
            if (averages && !copies) teacher = unpack<float>(load_streamed(a.teacher + i + shift));
            if (updates)
            {
#pragma unroll
                for (int j = 0; j < 4; ++j)
                {
                    const Moved now = moved(a, rates, factor, p[j], g[j], m[j], v[j]);
                    p[j] = now.p;
                    m[j] = now.m;
                    v[j] = now.v;
                }
                store_streamed(a.p + i, pack(p));
                store_streamed(a.m + i, pack(m));
                store_streamed(a.v + i, pack(v));
                if (a.rounded != nullptr) store_rounded(a.rounded + i, p);
            }
            if (!averages) continue;
            if (!copies)
            {
#pragma unroll
                for (int j = 0; j < 4; ++j) p[j] = fmaf(teacher[j], kept, p[j] * rest);
            }
            store_streamed(a.teacher + i + shift, pack(p));
            if (a.rounded_teacher != nullptr) store_rounded(a.rounded_teacher + i + shift, p);
        }
        for (long long i = range.end_of_fours + threadIdx.x; i < range.to; i += Threads)
        {
            float p = a.p[i];
            if (updates)
            {
                const Moved now = moved(a, rates, factor, p, a.g[i], a.m[i], a.v[i]);
                p = now.p;
                a.p[i] = now.p;
                a.m[i] = now.m;
                a.v[i] = now.v;
                if (a.rounded != nullptr) a.rounded[i] = narrow<bf16>(p);
            }
            if (!averages) continue;
            if (!copies) p = fmaf(a.teacher[i + shift], kept, p * rest);
            a.teacher[i + shift] = p;
            if (a.rounded_teacher != nullptr) a.rounded_teacher[i + shift] = narrow<bf16>(p);
        }
    }
}

__device__ __forceinline__ void squares_of_chunk(const GradientNormArgs& a)
{
    const long long start = static_cast<long long>(blockIdx.x) * NormChunk;
    double sums[4] = {0.0, 0.0, 0.0, 0.0};
    for (int s = first_behind(a.segments, a.segment_count, start); s < a.segment_count; ++s)
    {
        const Segment segment = a.segments[s];
        if (segment.offset >= start + NormChunk) break;
        if (segment.has_gradient == 0) continue;
        Range range(segment, start, NormChunk);
        range.use_fours(a.aligned != 0);
#pragma unroll 4
        for (long long i = range.from + 4 * threadIdx.x; i < range.end_of_fours; i += 4 * Threads)
        {
            const Pack<float> g = unpack<float>(load_streamed(a.gradients + i));
#pragma unroll
            for (int j = 0; j < 4; ++j) sums[j] = fma(static_cast<double>(g[j]), static_cast<double>(g[j]), sums[j]);
        }
        for (long long i = range.end_of_fours + threadIdx.x; i < range.to; i += Threads)
        {
            const double g = a.gradients[i];
            sums[0] = fma(g, g, sums[0]);
        }
    }
    const double sum = BlockGroup::sum(sums[0] + sums[1] + (sums[2] + sums[3]));
    if (threadIdx.x == 0) a.partial[blockIdx.x] = sum;
}

extern "C"
{
// One thread a segment: its rates, and its count.
__global__ void __launch_bounds__(256) adam_rates(const __grid_constant__ AdamRateArgs a)
{
    if (a.step->non_finite != 0) return;
    const int s = blockIdx.x * Threads + threadIdx.x;
    if (s >= a.segment_count || a.segments[s].has_gradient == 0) return;
    const int k = a.segments[s].step_count + 1;
    a.segments[s].step_count = k;
    const double rate = a.step->learning_rate * a.segments[s].learning_rate_scale;
    const double decay = a.segments[s].weight_decay * a.step->weight_decay_scale;
    const double c1 = 1.0 - power(a.beta1, k);
    const double root = sqrt(1.0 - power(a.beta2, k));
    const bool coupled = a.variant == AdamL2, fairseq = a.variant == Fairseq;
    a.rates[s] = {coupled ? static_cast<float>(decay) : 0.0f, coupled ? 1.0f : static_cast<float>(1.0 - rate * decay),
        static_cast<float>(fairseq ? rate * root / c1 : rate / c1), fairseq ? 1.0f : static_cast<float>(1.0 / root)};
}

__global__ void __launch_bounds__(256) adam_update(const __grid_constant__ FlatUpdateArgs a)
{
    update_chunk<true, false>(a);
}

__global__ void __launch_bounds__(256) ema_update(const __grid_constant__ FlatUpdateArgs a)
{
    update_chunk<false, true>(a);
}

__global__ void __launch_bounds__(256) adam_ema_update(const __grid_constant__ FlatUpdateArgs a)
{
    update_chunk<true, true>(a);
}

__global__ void __launch_bounds__(256) gradient_norm_squares(const __grid_constant__ GradientNormArgs a)
{
    squares_of_chunk(a);
}

// As Data2Vec.Kernels/Optimizer/Optimizer.Reference.cs, GradientClip.
__global__ void __launch_bounds__(1024) gradient_norm_finish(const __grid_constant__ GradientNormArgs a)
{
    double total = 0.0;
#pragma unroll 8
    for (int i = threadIdx.x; i < a.chunks; i += blockDim.x) total += a.partial[i];
    total = BlockGroup::sum(total);
    if (threadIdx.x != 0) return;
    const double norm = sqrt(total) / a.step->gradient_divisor;
    const double limit = a.step->max_gradient_norm;
    double clip = 1.0;
    if (limit > 0.0)
    {
        // Not "less than 1": the factor of a norm that is not a number is not one either.
        clip = limit / (norm + 1e-6);
        if (clip >= 1.0) clip = 1.0;
    }
    a.step->gradient_norm = norm;
    a.step->gradient_factor = clip / a.step->gradient_divisor;
    // What is infinite or not a number does not give 0 here.
    a.step->non_finite = norm - norm == 0.0 ? 0 : 1;
}
}
