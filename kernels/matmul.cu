// Computes       C = activation(alpha op(A) op(B) + bias), or C += ...: batches of matrix products, linear layers and their
//                gradients; g = dy activation'(sums) and the column sums of g for the backward of a layer; or
//                g = (A B) activation'(sums) where dy is such a product itself (matmul_slopes_*).
// Tensors        A, B, C as Data2Vec.Kernels/MatMul/MatMul.cs says; one type, bf16 or float32.
// Accumulates in float32.
// Work split     a block per tile of C (128 x 128 or 64 x 64) and part of K; parts are added in order by matmul_parts.
// Shared memory  48 KiB (128 x 128) or 24 KiB: three stages of 64 bytes depth of both tiles; sums go out through the same.
// Requires       of the letters n (contiguous along K for A, along N for B) and t: addresses and steps in multiples of 16
//                bytes. matmul_any and matmul_slopes_any take every stride and every address.
// Determinism    fixed order: a sum runs over K of its part, parts in order. No atomics.
// Numerics       bf16 operands are multiplied exactly and added in float32 by the tensor cores; float32 operands by fused
//                multiply-adds; with -DTENSOR_FLOAT32=1 they are rounded to 10 digits for the tensor cores: only when asked for.
// Launched by    Data2Vec.Kernels/MatMul/MatMul.Cuda.cs, Data2Vec.Kernels/Linear/Linear.Cuda.cs
// Tested by      Data2Vec.Tests/Gpu/CudaMatMulTests.cs; verify matmul, linear
// Source         docs/kernels.md, "Products"
#include "common/partial_sums.cuh"
#include "common/product.cuh"
#include "common/product_cores.cuh"

using MatMulArgs = ProductArgs<MatrixOperand, MatrixOperand>;
using SlopeProductArgs = ProductArgs<MatrixOperand, MatrixOperand, SlopeEnd>;

// Element (row, k) of A at row * ARow + k * AColumn: contiguous along the inner extent or along the rows.
template <bool Inner, int Lines, int Threads>
struct MatrixLoad
{
    using Type = MatrixByLines<Lines, Threads>;
};

template <int Lines, int Threads>
struct MatrixLoad<false, Lines, Threads>
{
    using Type = MatrixByInners<Lines, Threads>;
};

template <template <int, int, bool, bool> class Core, int Rows, int Columns, bool LeftInner, bool RightInner, class Args>
__device__ __forceinline__ void multiply_matrices(const Args& a)
{
    using Tile = Core<Rows, Columns, LeftInner, RightInner>;
    multiply<Tile, typename MatrixLoad<LeftInner, Rows, Tile::Threads>::Type,
        typename MatrixLoad<RightInner, Columns, Tile::Threads>::Type>(a);
}

// A and B each as they lie (n) or transposed (t).
#define MATMUL(name, left_inner, right_inner, args)                                                                       \
    extern "C" __global__ __launch_bounds__(LargeThreads, LargeBlocks) void matmul_##name##_128(                          \
        const __grid_constant__ args a)                                                                                   \
    {                                                                                                                     \
        multiply_matrices<ProductCore, 128, 128, left_inner, right_inner>(a);                                             \
    }                                                                                                                     \
    extern "C" __global__ __launch_bounds__(SmallThreads, SmallBlocks) void matmul_##name##_64(                           \
        const __grid_constant__ args a)                                                                                   \
    {                                                                                                                     \
        multiply_matrices<ProductCore, 64, 64, left_inner, right_inner>(a);                                               \
    }

MATMUL(nn, true, false, MatMulArgs)
MATMUL(nt, true, true, MatMulArgs)
MATMUL(tn, false, false, MatMulArgs)
MATMUL(tt, false, true, MatMulArgs)
// Gradients of a layer's output times its weights as they lie.
MATMUL(slopes, true, false, SlopeProductArgs)

// What does not multiply by tensor cores is the same for all float32 operands.
#if !TENSOR_FLOAT32
template <class Args>
__device__ __forceinline__ void multiply_any(const Args& a)
{
    using Tile = ProductCore<64, 64, true, true>;
    using Load = Elementwise<64, SmallThreads, MatrixOperand>;
    multiply<Tile, Load, Load>(a);
}

extern "C" __global__ __launch_bounds__(SmallThreads, SmallBlocks) void matmul_any(const __grid_constant__ MatMulArgs a)
{
    multiply_any(a);
}

extern "C" __global__ __launch_bounds__(SmallThreads, SmallBlocks) void matmul_slopes_any(
    const __grid_constant__ SlopeProductArgs a)
{
    multiply_any(a);
}

extern "C" __global__ __launch_bounds__(256) void matmul_parts(const __grid_constant__ ProductSumArgs<ProductEnd> a)
{
    add_parts(a);
}

extern "C" __global__ __launch_bounds__(256) void matmul_slopes_parts(const __grid_constant__ ProductSumArgs<SlopeEnd> a)
{
    add_parts(a);
}

// dy, sums and g are [rows, columns], contiguous.
struct LinearSlopeArgs
{
    const element* dy;
    const element* sums;
    element* g;
    // Takes the column sums of the parts [parts, columns]; or null.
    float* partial;
    int rows, columns;
    // Rows of a part.
    int part_rows;
    int activation;
    // 1 = rows are whole units at multiples of 16 bytes.
    int wide, reserved;
};

// g = dy activation'(sums), and its column sums while it passes: a block takes a run of columns of a part of the rows, each
// warp every eighth row; warps are added in order, parts by linear_bwd_bias.
extern "C" __global__ __launch_bounds__(256) void linear_bwd_slope(const __grid_constant__ LinearSlopeArgs a)
{
    constexpr int Width = Pack<element>::Width, Run = 32 * Width, Warps = 8;
    __shared__ __align__(16) float held[Warps][Run];
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    const int column = blockIdx.x * Run + lane * Width;
    const int count = min(max(a.columns - column, 0), Width);
    const int end = min(a.rows, (static_cast<int>(blockIdx.y) + 1) * a.part_rows);
    Pack<element> total = {};
    for (int row = blockIdx.y * a.part_rows + warp; row < end && count > 0; row += Warps)
    {
        const long long at = static_cast<long long>(row) * a.columns + column;
        Pack<element> slope = {}, sum = {};
        if (a.wide != 0)
        {
            slope = unpack<element>(load_streamed(a.dy + at));
            if (a.activation != Identity) sum = unpack<element>(load_streamed(a.sums + at));
        }
        else
        {
#pragma unroll
            for (int i = 0; i < Width; ++i)
            {
                if (i >= count) continue;
                slope[i] = widen(a.dy[at + i]);
                if (a.activation != Identity) sum[i] = widen(a.sums[at + i]);
            }
        }
        if (a.activation != Identity)
        {
#pragma unroll
            for (int i = 0; i < Width; ++i) slope[i] *= activation_slope(a.activation, sum[i]);
            if (a.wide != 0) store_raw(a.g + at, pack(slope));
            else
            {
#pragma unroll
                for (int i = 0; i < Width; ++i)
                    if (i < count) a.g[at + i] = narrow<element>(slope[i]);
            }
        }
#pragma unroll
        for (int i = 0; i < Width; ++i) total[i] += slope[i];
    }
    if (a.partial == nullptr) return;
#pragma unroll
    for (int i = 0; i < Width; i += 4)
    {
        // The first four columns of all lanes, then the second four: neighbouring lanes write to neighbouring banks.
        float4* to = reinterpret_cast<float4*>(&held[warp][i * 32 + lane * 4]);
        *to = make_float4(total[i], total[i + 1], total[i + 2], total[i + 3]);
    }
    __syncthreads();
    for (int i = threadIdx.x; i < Run; i += 256)
    {
        float sum = 0.0f;
#pragma unroll
        for (int w = 0; w < Warps; ++w) sum += held[w][i];
        const int c = blockIdx.x * Run + i % 128 / 4 * Width + i / 128 * 4 + i % 4;
        if (c < a.columns) a.partial[static_cast<long long>(blockIdx.y) * a.columns + c] = sum;
    }
}

extern "C" __global__ __launch_bounds__(1024) void linear_bwd_bias(const __grid_constant__ PartialSumArgs a) { add_partials(a); }
#endif
