// Computes       with q = log-softmax of a row of logits: (1 - s) w[t] * -q[t] + s / classes * sum_c w[c] * -q[c], 0
//                where the target is the ignored one; per row, summed, or divided by the sum of w[t]. Backward: dx =
//                dloss * ((1 - s) w[t] (p - [c = t]) + s / classes * (p sum(w) - w)).
// Tensors        x, dx [rows, classes], weight [classes], loss of `element`; target [rows] int32 or int64; log_sum_exp
//                [rows], total_weight [1], sums [rows] float32. Null pointers are absent operands.
// Accumulates in float32 per row; double over rows.
// Work split     _warp: a warp takes a row, for few classes; general: a block takes a row. A row is read twice, the
//                second time from the first cache.
// Shared memory  256 bytes.
// Requires       nothing.
// Determinism    sums in an order fixed by the shape.
// Numerics       distances are taken from the largest logit, not from the log-sum-exp, which may have lost its last
//                digits.
// Launched by    Data2Vec.Kernels/CrossEntropy/CrossEntropy.Cuda.cs
// Tested by      Data2Vec.Tests/Gpu/CudaLossTests.cs; verify crossentropy --device emulator
// Source         Szegedy et al. 2016 (label smoothing); weights and reductions as PyTorch's cross_entropy.
#include "common/element.cuh"
#include "common/fault.cuh"
#include "common/indices.cuh"
#include "common/reduce.cuh"

enum Reduction : int
{
    PerElement = 0,
    PerRow = 1,
    Sum = 2,
    Mean = 3,
};

// In backward the loss is its gradient.
struct CrossEntropyArgs
{
    const element* x;
    const element* weight;
    element* loss;
    element* dx;
    float* log_sum_exp;
    float* total_weight;
    float* sums;
    Indices target;
    Fault* fault;
    long long rows, ignore;
    int classes, reduction;
    // hard: 1 - smoothing; share: smoothing / classes.
    float smoothing, hard, share, reserved;

    __device__ __forceinline__ bool per_row() const { return reduction == PerElement || reduction == PerRow; }
    __device__ __forceinline__ float weight_of(long long c) const
    {
        return weight == nullptr ? 1.0f : widen(weight[c]);
    }
};

template <class Group>
__device__ __forceinline__ void loss_of_row(const CrossEntropyArgs& a)
{
    const long long row = Group::index();
    if (row >= a.rows) return;
    const element* x = a.x + row * a.classes;
    float max = __int_as_float(0xff800000);
    for (int c = Group::rank(); c < a.classes; c += Group::size()) max = larger(max, widen(x[c]));
    max = Group::max(max);
    float sum = 0.0f, distances = 0.0f, weights = 0.0f;
    for (int c = Group::rank(); c < a.classes; c += Group::size())
    {
        const float value = widen(x[c]);
        sum += expf(value - max);
        if (!(a.smoothing > 0.0f)) continue;
        const float w = a.weight_of(c);
        distances = fmaf(w, max - value, distances);
        weights += w;
    }
    sum = Group::sum(sum);
    if (a.smoothing > 0.0f)
    {
        distances = Group::sum(distances);
        weights = Group::sum(weights);
    }
    if (Group::rank() != 0) return;
    const float log = max - max == 0.0f ? logf(sum) : 0.0f;
    a.log_sum_exp[row] = max + log;
    const long long target = a.target[row];
    float loss = 0.0f;
    if (target != a.ignore && admits(a.fault, CrossEntropyTarget, target, row, a.classes))
    {
        loss = a.hard * a.weight_of(target) * (log + (max - widen(x[target])));
        if (a.smoothing > 0.0f) loss += a.share * (distances + log * weights);
    }
    a.sums[row] = loss;
    if (a.per_row()) a.loss[row] = narrow<element>(loss);
}

template <class Group>
__device__ __forceinline__ void slopes_of_row(const CrossEntropyArgs& a)
{
    const long long row = Group::index();
    if (row >= a.rows) return;
    const element* x = a.x + row * a.classes;
    element* dx = a.dx + row * a.classes;
    const long long target = a.target[row];
    if (target == a.ignore || target < 0 || target >= a.classes)
    {
        for (int c = Group::rank(); c < a.classes; c += Group::size()) dx[c] = narrow<element>(0.0f);
        return;
    }
    float all = a.classes;
    if (a.smoothing > 0.0f && a.weight != nullptr)
    {
        all = 0.0f;
        for (int c = Group::rank(); c < a.classes; c += Group::size()) all += widen(a.weight[c]);
        all = Group::sum(all);
    }
    float factor = widen(a.loss[a.per_row() ? row : 0]);
    if (a.reduction == Mean) factor /= a.total_weight[0];
    const float hard = factor * a.hard * a.weight_of(target);
    const float smooth = factor * a.share;
    const float log_sum_exp = a.log_sum_exp[row];
    for (int c = Group::rank(); c < a.classes; c += Group::size())
    {
        const float p = expf(widen(x[c]) - log_sum_exp);
        float slope = hard * (c == target ? p - 1.0f : p);
        if (a.smoothing > 0.0f) slope += smooth * (p * all - a.weight_of(c));
        dx[c] = narrow<element>(slope);
    }
}

extern "C"
{
__global__ void __launch_bounds__(256) cross_entropy_fwd_warp(const __grid_constant__ CrossEntropyArgs a)
{
    loss_of_row<WarpGroup>(a);
}

__global__ void __launch_bounds__(256, 4) cross_entropy_fwd(const __grid_constant__ CrossEntropyArgs a)
{
    loss_of_row<BlockGroup>(a);
}

// One block: the total weight, and the reduced loss.
__global__ void __launch_bounds__(1024) cross_entropy_fwd_finish(const __grid_constant__ CrossEntropyArgs a)
{
    double total = 0.0, weights = 0.0;
    for (long long row = threadIdx.x; row < a.rows; row += blockDim.x)
    {
        const long long target = a.target[row];
        if (target == a.ignore || target < 0 || target >= a.classes) continue;
        total += a.sums[row];
        weights += a.weight_of(target);
    }
    total = BlockGroup::sum(total);
    weights = BlockGroup::sum(weights);
    if (threadIdx.x != 0) return;
    a.total_weight[0] = static_cast<float>(weights);
    if (!a.per_row()) a.loss[0] = narrow<element>(static_cast<float>(a.reduction == Sum ? total : total / weights));
}

__global__ void __launch_bounds__(256) cross_entropy_bwd_warp(const __grid_constant__ CrossEntropyArgs a)
{
    slopes_of_row<WarpGroup>(a);
}

__global__ void __launch_bounds__(256) cross_entropy_bwd(const __grid_constant__ CrossEntropyArgs a)
{
    slopes_of_row<BlockGroup>(a);
}
}
