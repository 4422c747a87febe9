// Computes       connectionist temporal classification: alphas of every frame and state, the loss of every sample,
//                reduced; its gradient dx = dloss * (exp x - posterior of the class), from alphas and betas.
// Tensors        x, dx [batch, time, classes] log-probabilities, loss of `element`; targets [batch, max_target],
//                lengths [batch] int32; sample_loss [batch], alpha, beta [batch, time, 2 max_target + 1] float32 (beta
//                is scratch).
// Accumulates in float32 in logarithms, less the largest of each frame; what was taken off adds up in double.
// Work split     a block takes a sample, frame after frame: one thread a state, the frame before in shared memory, one
//                barrier a frame, emissions on their way four frames ahead. _long: threads take states in turn, alphas
//                and betas are read back from memory. The gradient takes a block for every frame of every sample.
// Shared memory  8.3 KiB.
// Requires       not _long: 2 max_target + 1 <= 1024.
// Determinism    fixed order.
// Numerics       the largest of a frame is known after its barrier: it is taken off when the next frame reads.
// Launched by    Data2Vec.Kernels/CtcLoss/CtcLoss.Cuda.cs
// Tested by      Data2Vec.Tests/Gpu/CudaLossTests.cs; verify ctcloss --device emulator
// Source         Graves et al. 2006, section 4.1; blanks, lengths and reductions as PyTorch's ctc_loss.
#include "common/element.cuh"
#include "common/fault.cuh"
#include "common/reduce.cuh"

enum Reduction : int
{
    PerElement = 0,
    PerRow = 1,
    Sum = 2,
    Mean = 3,
};

constexpr int MostStates = 1024, Ahead = 4;

#define NEGATIVE_INFINITY __int_as_float(0xff800000)
#define POSITIVE_INFINITY __int_as_float(0x7f800000)

// In backward the loss is its gradient.
struct CtcArgs
{
    const element* x;
    element* loss;
    element* dx;
    const int* targets;
    const int* input_lengths;
    const int* target_lengths;
    float* sample_loss;
    float* alpha;
    float* beta;
    Fault* fault;
    int batch, time, classes, max_target, blank, zero_infinity, reduction, reserved;

    // States of a frame in memory.
    __device__ __forceinline__ int width() const { return 2 * max_target + 1; }

    // Where the states of a frame begin.
    __device__ __forceinline__ long long states_at(int sample, int frame) const
    {
        return (static_cast<long long>(sample) * time + frame) * width();
    }

    // Class of a state: blanks around every label.
    __device__ __forceinline__ int class_of(int sample, int state) const
    {
        return (state & 1) == 0 ? blank : targets[static_cast<long long>(sample) * max_target + (state >> 1)];
    }

    // State s may follow state s - 2: a label that is not the one before it.
    __device__ __forceinline__ bool may_skip(int sample, int state) const
    {
        if (state < 3 || (state & 1) == 0) return false;
        const int label = class_of(sample, state);
        return label != blank && label != class_of(sample, state - 2);
    }

    // Log-probability of a class at a frame; what is no class was noted by the forward call and must not be read here.
    __device__ __forceinline__ float emission(int sample, int frame, int label) const
    {
        if (label < 0 || label >= classes) return NEGATIVE_INFINITY;
        return widen(x[(static_cast<long long>(sample) * time + frame) * classes + label]);
    }

    __device__ __forceinline__ bool per_sample() const { return reduction == PerElement || reduction == PerRow; }
};

// log(e^a + e^b + e^c); -infinity when all three are.
__device__ __forceinline__ float log_sum(float a, float b, float c)
{
    const float largest = larger(a, larger(b, c));
    if (largest == NEGATIVE_INFINITY) return largest;
    return largest + logf(expf(a - largest) + expf(b - largest) + expf(c - largest));
}

// Notes lengths and labels that reach outside the operands; the same answer for every thread of the block.
__device__ __forceinline__ bool admits_sample(const CtcArgs& a, int b, int frames, int labels)
{
    if (!admits(a.fault, CtcFrames, frames, b, a.time + 1ll)) return false;
    if (!admits(a.fault, CtcLabels, labels, b, a.max_target + 1ll)) return false;
    int right = 1;
    const int* targets = a.targets + static_cast<long long>(b) * a.max_target;
    for (int i = threadIdx.x; i < labels; i += blockDim.x)
        if (!admits(a.fault, CtcLabel, targets[i], b, a.classes)) right = 0;
    return __syncthreads_and(right) != 0;
}

// Leaves a sample out as backward will understand it.
__device__ __forceinline__ void refuse_sample(const CtcArgs& a, int b)
{
    if (threadIdx.x == 0) a.sample_loss[b] = POSITIVE_INFINITY;
}

// False for impossible targets, and for lengths that the forward call has noted as faults.
__device__ __forceinline__ bool is_possible(const CtcArgs& a, int b, int frames, int labels)
{
    return frames >= 0 && frames <= a.time && labels >= 0 && labels <= a.max_target
        && a.sample_loss[b] != POSITIVE_INFINITY;
}

// The states of two frames in turn, with room for two that can never be on either side, and the largest of each warp.
struct Frames
{
    float states[2][MostStates + 4];
    float largest[2][32];

    __device__ __forceinline__ void clear(int states_of_sample)
    {
        if (threadIdx.x < 2)
        {
            for (int i = 0; i < 2; ++i)
            {
                states[i][threadIdx.x] = NEGATIVE_INFINITY;
                states[i][2 + states_of_sample + threadIdx.x] = NEGATIVE_INFINITY;
            }
        }
        __syncthreads();
    }

    // Keeps what this thread's state holds and gives the largest of `measured` over all; one barrier.
    __device__ __forceinline__ float keep(int frame, int s, bool exists, float held, float measured)
    {
        const int turn = frame & 1;
        if (exists) states[turn][2 + s] = held;
        const float most = warp_max(measured);
        if ((threadIdx.x & 31) == 0) largest[turn][threadIdx.x >> 5] = most;
        __syncthreads();
        float all = largest[turn][0];
        for (int i = 1; i < blockDim.x >> 5; ++i) all = larger(all, largest[turn][i]);
        return all;
    }
};

// What is taken off a frame: its largest, unless nothing is possible.
__device__ __forceinline__ float taken_off(float largest) { return largest == NEGATIVE_INFINITY ? 0.0f : largest; }

__device__ __forceinline__ void alphas(const CtcArgs& a)
{
    __shared__ Frames memory;
    const int b = blockIdx.x, s = threadIdx.x;
    const int frames = a.input_lengths[b], labels = a.target_lengths[b];
    if (!admits_sample(a, b, frames, labels)) return refuse_sample(a, b);
    const int states = 2 * labels + 1;
    const bool exists = s < states;
    const int label = exists ? a.class_of(b, s) : a.blank;
    const bool skips = exists && a.may_skip(b, s);
    memory.clear(states);

    float coming[Ahead];
#pragma unroll
    for (int i = 0; i < Ahead; ++i) coming[i] = exists && i < frames ? a.emission(b, i, label) : 0.0f;
    double offset = 0.0;
    float largest = 0.0f;
    for (int from = 0; from < frames; from += Ahead)
    {
#pragma unroll
        for (int i = 0; i < Ahead; ++i)
        {
            const int t = from + i;
            if (t >= frames) break;
            const float emission = coming[i];
            if (exists && t + Ahead < frames) coming[i] = a.emission(b, t + Ahead, label);
            // Two states a frame at most: the others cannot reach the end, or be reached.
            float value = NEGATIVE_INFINITY;
            if (exists && s >= states - 2 * (frames - t) && s < 2 * t + 2)
            {
                const float* before = memory.states[(t + 1) & 1] + 2 + s;
                value = emission;
                if (t > 0)
                {
                    value += log_sum(before[0], before[-1], skips ? before[-2] : NEGATIVE_INFINITY)
                        - taken_off(largest);
                }
            }
            largest = memory.keep(t, s, exists, value, value);
            offset += largest;
            if (exists) a.alpha[a.states_at(b, t) + s] = value - taken_off(largest);
        }
    }
    if (s != 0) return;
    if (frames == 0)
    {
        a.sample_loss[b] = labels == 0 ? 0.0f : POSITIVE_INFINITY;
        return;
    }
    const float* last = memory.states[(frames - 1) & 1] + 2 + states - 1;
    const float less = taken_off(largest);
    const float sum = expf(last[0] - less) + (labels > 0 ? expf(last[-1] - less) : 0.0f);
    a.sample_loss[b] = static_cast<float>(-(offset + logf(sum)));
}

__device__ __forceinline__ void alphas_long(const CtcArgs& a)
{
    const int b = blockIdx.x;
    const int frames = a.input_lengths[b], labels = a.target_lengths[b];
    if (!admits_sample(a, b, frames, labels)) return refuse_sample(a, b);
    const int states = 2 * labels + 1;
    double offset = 0.0;
    for (int t = 0; t < frames; ++t)
    {
        float* now = a.alpha + a.states_at(b, t);
        const float* before = now - a.width();
        float largest = NEGATIVE_INFINITY;
        for (int s = threadIdx.x; s < states; s += blockDim.x)
        {
            float value = NEGATIVE_INFINITY;
            if (s >= states - 2 * (frames - t) && s < 2 * t + 2)
            {
                value = t == 0 ? 0.0f : log_sum(before[s], s > 0 ? before[s - 1] : NEGATIVE_INFINITY,
                    a.may_skip(b, s) ? before[s - 2] : NEGATIVE_INFINITY);
                value += a.emission(b, t, a.class_of(b, s));
            }
            now[s] = value;
            largest = larger(largest, value);
        }
        largest = BlockGroup::max(largest);
        offset += largest;
        for (int s = threadIdx.x; s < states; s += blockDim.x) now[s] -= taken_off(largest);
        __syncthreads();
    }
    if (threadIdx.x != 0) return;
    if (frames == 0)
    {
        a.sample_loss[b] = labels == 0 ? 0.0f : POSITIVE_INFINITY;
        return;
    }
    const float* last = a.alpha + a.states_at(b, frames - 1) + states - 1;
    const float sum = expf(last[0]) + (labels > 0 ? expf(last[-1]) : 0.0f);
    a.sample_loss[b] = static_cast<float>(-(offset + logf(sum)));
}

// Beta of every frame and state, less the largest of its frame. What is handed on to the frame before is beta and
// emission.
__device__ __forceinline__ void betas(const CtcArgs& a)
{
    __shared__ Frames memory;
    const int b = blockIdx.x, s = threadIdx.x;
    const int frames = a.input_lengths[b], labels = a.target_lengths[b];
    if (!is_possible(a, b, frames, labels)) return;
    const int states = 2 * labels + 1;
    const bool exists = s < states;
    const int label = exists ? a.class_of(b, s) : a.blank;
    const bool skips = s + 2 < states && a.may_skip(b, s + 2);
    memory.clear(states);

    float coming[Ahead];
#pragma unroll
    for (int i = 0; i < Ahead; ++i) coming[i] = exists && i < frames ? a.emission(b, frames - 1 - i, label) : 0.0f;
    float largest = 0.0f;
    for (int from = frames - 1; from >= 0; from -= Ahead)
    {
#pragma unroll
        for (int i = 0; i < Ahead; ++i)
        {
            const int t = from - i;
            if (t < 0) break;
            const float emission = coming[i];
            if (exists && t >= Ahead) coming[i] = a.emission(b, t - Ahead, label);
            float value = NEGATIVE_INFINITY;
            if (exists && t == frames - 1) value = s >= states - 2 ? 0.0f : NEGATIVE_INFINITY;
            else if (exists)
            {
                const float* after = memory.states[(t + 1) & 1] + 2 + s;
                value = log_sum(after[0], after[1], skips ? after[2] : NEGATIVE_INFINITY) - taken_off(largest);
            }
            largest = memory.keep(t, s, exists, value + emission, value);
            if (exists) a.beta[a.states_at(b, t) + s] = value - taken_off(largest);
        }
    }
}

__device__ __forceinline__ void betas_long(const CtcArgs& a)
{
    const int b = blockIdx.x;
    const int frames = a.input_lengths[b], labels = a.target_lengths[b];
    if (!is_possible(a, b, frames, labels)) return;
    const int states = 2 * labels + 1;
    for (int t = frames - 1; t >= 0; --t)
    {
        float* now = a.beta + a.states_at(b, t);
        const float* after = now + a.width();
        float largest = NEGATIVE_INFINITY;
        for (int s = threadIdx.x; s < states; s += blockDim.x)
        {
            float value = s >= states - 2 ? 0.0f : NEGATIVE_INFINITY;
            if (t < frames - 1)
            {
                value = log_sum(after[s] + a.emission(b, t + 1, a.class_of(b, s)),
                    s + 1 < states ? after[s + 1] + a.emission(b, t + 1, a.class_of(b, s + 1)) : NEGATIVE_INFINITY,
                    s + 2 < states && a.may_skip(b, s + 2) ? after[s + 2] + a.emission(b, t + 1, a.class_of(b, s + 2))
                        : NEGATIVE_INFINITY);
            }
            now[s] = value;
            largest = larger(largest, value);
        }
        largest = BlockGroup::max(largest);
        for (int s = threadIdx.x; s < states; s += blockDim.x) now[s] -= taken_off(largest);
        __syncthreads();
    }
}

__device__ __forceinline__ float gradient_of_loss(const CtcArgs& a, int b, int labels)
{
    const float dloss = widen(a.loss[a.per_sample() ? b : 0]);
    return a.reduction == Mean ? dloss / a.batch / (labels > 1 ? labels : 1) : dloss;
}

// dx of a frame; overwrites its betas by posteriors.
__device__ __forceinline__ void slopes(const CtcArgs& a)
{
    const int t = blockIdx.x, b = blockIdx.y;
    const int frames = a.input_lengths[b], labels = a.target_lengths[b];
    const long long row = (static_cast<long long>(b) * a.time + t) * a.classes;
    if (t >= frames || !is_possible(a, b, frames, labels))
    {
        const float value = t < frames && a.zero_infinity == 0 ? __int_as_float(0x7fc00000) : 0.0f;
        for (int c = threadIdx.x; c < a.classes; c += blockDim.x) a.dx[row + c] = narrow<element>(value);
        return;
    }
    const int states = 2 * labels + 1;
    const float* alpha = a.alpha + a.states_at(b, t);
    float* beta = a.beta + a.states_at(b, t);
    float largest = NEGATIVE_INFINITY;
    for (int s = threadIdx.x; s < states; s += blockDim.x) largest = larger(largest, alpha[s] + beta[s]);
    largest = BlockGroup::max(largest);
    float total = 0.0f, blanks = 0.0f;
    for (int s = threadIdx.x; s < states; s += blockDim.x)
    {
        const float share = expf(alpha[s] + beta[s] - largest);
        beta[s] = share;
        total += share;
        if ((s & 1) == 0) blanks += share;
    }
    // The barriers of the sums also make the shares known to the block.
    total = BlockGroup::sum(total);
    blanks = BlockGroup::sum(blanks);
    const float dloss = gradient_of_loss(a, b, labels);
    const int* targets = a.targets + static_cast<long long>(b) * a.max_target;
    for (int c = threadIdx.x; c < a.classes; c += blockDim.x)
    {
        float posterior = c == a.blank ? blanks : 0.0f;
        for (int i = 0; i < labels; ++i)
            if (targets[i] == c) posterior += beta[2 * i + 1];
        a.dx[row + c] = narrow<element>(dloss * (expf(widen(a.x[row + c])) - posterior / total));
    }
}

extern "C"
{
__global__ void __launch_bounds__(1024) ctc_loss_fwd(const __grid_constant__ CtcArgs a) { alphas(a); }

__global__ void __launch_bounds__(1024, 1) ctc_loss_fwd_long(const __grid_constant__ CtcArgs a) { alphas_long(a); }

// One block: the reduced loss.
__global__ void __launch_bounds__(256) ctc_loss_fwd_finish(const __grid_constant__ CtcArgs a)
{
    double total = 0.0;
    for (int b = threadIdx.x; b < a.batch; b += blockDim.x)
    {
        float loss = a.sample_loss[b];
        if (a.zero_infinity != 0 && loss == POSITIVE_INFINITY) loss = 0.0f;
        if (a.per_sample()) a.loss[b] = narrow<element>(loss);
        const int labels = a.target_lengths[b];
        total += a.reduction == Mean && labels > 1 ? static_cast<double>(loss) / labels : static_cast<double>(loss);
    }
    total = BlockGroup::sum(total);
    if (threadIdx.x != 0 || a.per_sample()) return;
    a.loss[0] = narrow<element>(static_cast<float>(a.reduction == Mean ? total / a.batch : total));
}

__global__ void __launch_bounds__(1024) ctc_loss_bwd_betas(const __grid_constant__ CtcArgs a) { betas(a); }

__global__ void __launch_bounds__(1024) ctc_loss_bwd_betas_long(const __grid_constant__ CtcArgs a) { betas_long(a); }

__global__ void __launch_bounds__(256) ctc_loss_bwd(const __grid_constant__ CtcArgs a) { slopes(a); }
}
