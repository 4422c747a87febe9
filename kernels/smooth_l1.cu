// Computes       loss[i] = scale * sum_c f(x[rows[i], c] - target[i, c]) and dx[rows[i], c] = scale * f'(...), in one pass;
//                f(d) = d^2 / (2 beta) if |d| < beta, else |d| - beta / 2; beta = 0: d^2.
// Tensors        x, dx [x_rows, columns], target [count, columns], loss [count] float32; rows [count] int32, distinct.
// Accumulates in float32, per row.
// Work split     one block of 256 threads per listed row; threads stride over the columns.
// Shared memory  32 bytes (one float per warp).
// Requires       dx zeroed by the caller: rows that are not listed are not visited.
// Determinism    fixed order: shuffles, then warps in order.
// Numerics       as Data2Vec.Kernels/SmoothL1/SmoothL1.Reference.cs, in float32.
// Launched by    nothing yet: compiled and assembled in tests.
// Tested by      Data2Vec.Tests/Gpu/NvrtcTests.cs
// Source         Girshick 2015; Baevski et al. 2022, section 3.3.
#include "common/reduce.cuh"

extern "C" __global__ void __launch_bounds__(256) smooth_l1_fwd_bwd(
    const float* __restrict__ x, const int* __restrict__ rows, const float* __restrict__ target, float* __restrict__ loss,
    float* __restrict__ dx, int columns, float beta, float scale)
{
    const long long from = static_cast<long long>(rows[blockIdx.x]) * columns;
    const long long to = static_cast<long long>(blockIdx.x) * columns;
    float sum = 0.0f;
    for (int c = threadIdx.x; c < columns; c += 256)
    {
        const float d = x[from + c] - target[to + c];
        const float distance = fabsf(d);
        const bool inside = distance < beta;
        sum += beta == 0.0f ? d * d : inside ? 0.5f * d * d / beta : distance - 0.5f * beta;
        const float slope = beta == 0.0f ? 2.0f * d : inside ? d / beta : copysignf(1.0f, d);
        dx[from + c] = scale * slope;
    }
    const float total = block_sum<256>(sum);
    if (threadIdx.x == 0) loss[blockIdx.x] = scale * total;
}
