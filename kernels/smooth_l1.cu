// Computes       with d = x[rows[i]] - target[i]: f(d) = d^2 / (2 beta) if |d| < beta, else |d| - beta / 2; beta = 0:
//                d^2; per element, summed over a row, or over everything. Backward: dx[rows[i]] += g, dtarget[i] = -g,
//                g = dloss f'(d); rows of dx that are not listed become 0.
// Tensors        x, dx [x_rows, columns], target, dtarget [count, columns] of `element`; rows [count] int32 or int64,
//                or none; sums [count] float32; owners [2, x_rows] int32. Null pointers are absent operands.
// Accumulates in float32 per row; double over rows.
// Work split     _packs: a warp takes a row and reads the row of the other tensor where it lies, so that nothing is
//                gathered before. General: a block takes a row. Backward goes by rows of dx, each written once.
// Shared memory  128 to 256 bytes.
// Requires       _packs: columns a multiple of 16 bytes, every pointer a multiple of 16 bytes.
// Determinism    sums in an order fixed by the shape; a row that is listed twice adds in the order of the list. The
//                owners of rows are found by atomics on integers, whose outcome does not depend on their order.
// Numerics       as Data2Vec.Kernels/SmoothL1/SmoothL1.Reference.cs, in float32.
// Launched by    Data2Vec.Kernels/SmoothL1/SmoothL1.Cuda.cs
// Tested by      Data2Vec.Tests/Gpu/CudaLossTests.cs; verify smoothl1 --device emulator
// Source         Girshick 2015; Baevski et al. 2022, section 3.3.
#include "common/fault.cuh"
#include "common/indices.cuh"
#include "common/loss_sums.cuh"
#include "common/reduce.cuh"
#include "common/vector.cuh"

struct SmoothL1Args
{
    const element* x;
    const element* target;
    // One of the three is given: the loss of every element, of every row, or float32 sums of rows for loss_sums.
    element* elements;
    element* per_row;
    float* sums;
    Indices rows;
    Fault* fault;
    long long count, x_rows;
    int columns;
    // inverse: 1 / beta, or 0.
    float beta, inverse, scale;
};

struct RowOwnerArgs
{
    // [0, limit): count minus the first position that names a row, 0 if none does; [limit, 2 limit): how many do.
    // Zeroed.
    int* owners;
    Indices rows;
    Fault* fault;
    long long count, limit;
    int op, reserved;
};

struct SmoothL1BackwardArgs
{
    const element* x;
    const element* target;
    const element* dloss;
    element* dx;
    element* dtarget;
    // As row_owners found them; null without a list.
    const int* owners;
    Indices rows;
    long long count, x_rows;
    int columns;
    // Of dloss: its distance from element to element and from row to row; 0, 0 for a single number.
    int element_step, row_step;
    float beta, inverse, scale;
};

constexpr int Width = Pack<element>::Width;

__device__ __forceinline__ float loss_of(float difference, float beta, float inverse)
{
    const float d = fabsf(difference);
    return beta == 0.0f ? d * d : d < beta ? 0.5f * inverse * d * d : d - 0.5f * beta;
}

__device__ __forceinline__ float slope_of(float difference, float beta, float inverse)
{
    if (beta == 0.0f) return 2.0f * difference;
    if (fabsf(difference) < beta) return difference * inverse;
    // What is neither above nor below 0 here is not a number, and stays it.
    return difference > 0.0f ? 1.0f : difference < 0.0f ? -1.0f : difference;
}

template <class Group>
__device__ __forceinline__ void keep_row_loss(const SmoothL1Args& a, long long i, float sum)
{
    if (a.per_row == nullptr && a.sums == nullptr) return;
    sum = Group::sum(sum);
    if (Group::rank() != 0) return;
    if (a.per_row != nullptr) a.per_row[i] = narrow<element>(sum * a.scale);
    else a.sums[i] = sum;
}

__device__ __forceinline__ void loss_of_packs(const SmoothL1Args& a)
{
    const long long i = WarpGroup::index();
    if (i >= a.count) return;
    const long long row = a.rows[i];
    if (!admits(a.fault, SmoothL1Row, row, i, a.x_rows)) return keep_row_loss<WarpGroup>(a, i, 0.0f);
    const element* x = a.x + row * a.columns;
    const element* target = a.target + i * a.columns;
    float sum = 0.0f;
#pragma unroll 4
    for (int c = WarpGroup::rank() * Width; c < a.columns; c += 32 * Width)
    {
        const Pack<element> xs = unpack<element>(load_streamed(x + c));
        const Pack<element> ts = unpack<element>(load_streamed(target + c));
        Pack<element> loss;
#pragma unroll
        for (int j = 0; j < Width; ++j)
        {
            loss[j] = loss_of(xs[j] - ts[j], a.beta, a.inverse);
            sum += loss[j];
        }
        if (a.elements == nullptr) continue;
#pragma unroll
        for (int j = 0; j < Width; ++j) loss[j] *= a.scale;
        store_raw(a.elements + i * a.columns + c, pack(loss));
    }
    keep_row_loss<WarpGroup>(a, i, sum);
}

__device__ __forceinline__ void loss_of_row(const SmoothL1Args& a)
{
    const long long i = BlockGroup::index();
    const long long row = a.rows[i];
    if (!admits(a.fault, SmoothL1Row, row, i, a.x_rows)) return keep_row_loss<BlockGroup>(a, i, 0.0f);
    float sum = 0.0f;
    for (int c = BlockGroup::rank(); c < a.columns; c += BlockGroup::size())
    {
        const float d = widen(a.x[row * a.columns + c]) - widen(a.target[i * a.columns + c]);
        const float loss = loss_of(d, a.beta, a.inverse);
        if (a.elements != nullptr) a.elements[i * a.columns + c] = narrow<element>(loss * a.scale);
        sum += loss;
    }
    keep_row_loss<BlockGroup>(a, i, sum);
}

// What the list says of a row of dx: the first position that names it, and how many do.
struct Named
{
    long long first;
    int left;
};

__device__ __forceinline__ Named named_by(const SmoothL1BackwardArgs& a, long long row)
{
    if (a.owners == nullptr) return {row, 1};
    return {a.count - a.owners[row], a.owners[a.x_rows + row]};
}

// What the slopes of a row of the target are multiplied by; gradients of single elements come on top.
__device__ __forceinline__ float factor_of(const SmoothL1BackwardArgs& a, long long i)
{
    return a.element_step != 0 ? a.scale : a.scale * widen(a.dloss[i * a.row_step]);
}

__device__ __forceinline__ void slopes_of_packs(const SmoothL1BackwardArgs& a)
{
    const long long row = WarpGroup::index();
    if (row >= a.x_rows) return;
    const Named named = named_by(a, row);
#pragma unroll 2
    for (int c = WarpGroup::rank() * Width; c < a.columns; c += 32 * Width)
    {
        Pack<element> sum = {};
        if (named.left > 0)
        {
            const Pack<element> x = unpack<element>(load_streamed(a.x + row * a.columns + c));
            long long i = named.first;
            for (int left = named.left; left > 0; ++i)
            {
                if (a.rows[i] != row) continue;
                --left;
                const long long at = i * a.columns + c;
                const float factor = factor_of(a, i);
                const Pack<element> target = unpack<element>(load_streamed(a.target + at));
                Pack<element> g;
#pragma unroll
                for (int j = 0; j < Width; ++j) g[j] = factor * slope_of(x[j] - target[j], a.beta, a.inverse);
                if (a.element_step != 0)
                {
                    const Pack<element> dloss = unpack<element>(load_streamed(a.dloss + at));
#pragma unroll
                    for (int j = 0; j < Width; ++j) g[j] *= dloss[j];
                }
#pragma unroll
                for (int j = 0; j < Width; ++j)
                {
                    sum[j] += g[j];
                    g[j] = -g[j];
                }
                if (a.dtarget != nullptr) store_raw(a.dtarget + at, pack(g));
            }
        }
        if (a.dx != nullptr) store_raw(a.dx + row * a.columns + c, pack(sum));
    }
}

__device__ __forceinline__ void slopes_of_row(const SmoothL1BackwardArgs& a)
{
    const long long row = BlockGroup::index();
    const Named named = named_by(a, row);
    for (int c = BlockGroup::rank(); c < a.columns; c += BlockGroup::size())
    {
        const float x = named.left > 0 ? widen(a.x[row * a.columns + c]) : 0.0f;
        float sum = 0.0f;
        long long i = named.first;
        for (int left = named.left; left > 0; ++i)
        {
            if (a.rows[i] != row) continue;
            --left;
            const long long at = i * a.columns + c;
            float g = factor_of(a, i) * slope_of(x - widen(a.target[at]), a.beta, a.inverse);
            if (a.element_step != 0) g *= widen(a.dloss[at]);
            sum += g;
            if (a.dtarget != nullptr) a.dtarget[at] = narrow<element>(-g);
        }
        if (a.dx != nullptr) a.dx[row * a.columns + c] = narrow<element>(sum);
    }
}

extern "C"
{
__global__ void __launch_bounds__(256) smooth_l1_fwd_packs(const __grid_constant__ SmoothL1Args a) { loss_of_packs(a); }

__global__ void __launch_bounds__(256) smooth_l1_fwd(const __grid_constant__ SmoothL1Args a) { loss_of_row(a); }

__global__ void __launch_bounds__(1024) smooth_l1_fwd_finish(const __grid_constant__ LossSumArgs a) { add_losses(a); }

__global__ void __launch_bounds__(256) smooth_l1_bwd_owners(const __grid_constant__ RowOwnerArgs a)
{
    for (long long i = blockIdx.x * 256ll + threadIdx.x; i < a.count; i += gridDim.x * 256ll)
    {
        const long long row = a.rows[i];
        if (!admits(a.fault, static_cast<IndexedOp>(a.op), row, i, a.limit)) continue;
        atomicMax(a.owners + row, static_cast<int>(a.count - i));
        atomicAdd(a.owners + a.limit + row, 1);
    }
}

__global__ void __launch_bounds__(256) smooth_l1_bwd_packs(const __grid_constant__ SmoothL1BackwardArgs a)
{
    slopes_of_packs(a);
}

__global__ void __launch_bounds__(256) smooth_l1_bwd(const __grid_constant__ SmoothL1BackwardArgs a)
{
    slopes_of_row(a);
}
}
