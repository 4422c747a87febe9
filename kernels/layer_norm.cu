// Computes       s = dropout(x) + residual; y = activation((s - mean) * rstd * gamma + beta); and its gradients: with h
//                = (s - mean) * rstd, a = dy * activation'(h * gamma + beta), g = a * gamma: ds = rstd * (g - mean(g) -
//                h * mean(g h)), dresidual = ds, dx = ds * keep / (1 - p), dgamma (+)= sum over rows of a h, dbeta (+)=
//                sum of a.
// Tensors        x, residual, y, sum, dy, dx, dresidual [rows, columns], gamma, beta, dgamma, dbeta [columns] of
//                `element`; mean, rstd [rows] float32; partial [blocks, 2, columns] float32. Null pointers are absent
//                operands.
// Accumulates in float32; the variance around the mean, with what rounding left of the mean put right.
// Work split     _w256 ... _w1024: a warp takes a row and holds it in registers. Backward: every block takes a run of
//                rows, its warps in turn, and adds up dgamma and dbeta in registers; partial_sums adds the blocks'
//                rows. General: a block takes a row (forward, _bwd_rows), a thread a column of a run of rows
//                (_bwd_sums).
// Shared memory  32 KiB in _bwd_w1024, 24 in _w768, 16 in _w512, 8 in _w256; 128 bytes elsewhere.
// Requires       _w*: columns a multiple of 16 bytes and at most the number; every pointer a multiple of 16 bytes; no
//                activation, or GELU in _gelu_w*.
// Determinism    sums by exchange inside a warp, then by shape alone; the runs of rows do not depend on the device.
// Numerics       s is rounded to its type before it is normalised, as backward will read it.
// Launched by    Data2Vec.Kernels/LayerNorm/LayerNorm.Cuda.cs
// Tested by      Data2Vec.Tests/Gpu/CudaLayerNormTests.cs; verify layernorm --device emulator
// Source         Ba et al. 2016; Chan, Golub and LeVeque 1983 (two passes with a correction).
#include "common/dropout.cuh"
#include "common/partial_sums.cuh"
#include "common/row_norm.cuh"

struct LayerNormArgs
{
    const element* x;
    const element* residual;
    element* sum;
    RowNorm norm;
    Dropout dropout;
    long long rows;
    int activation;
    // 1 with dropout or a residual: s is another tensor than x, and kept.
    int fused;
};

struct LayerNormBackwardArgs
{
    const element* sum;
    const element* gamma;
    const element* beta;
    const element* dy;
    element* dx;
    element* dresidual;
    const float* mean;
    const float* rstd;
    // Null when neither dgamma nor dbeta is wanted.
    float* partial;
    Dropout dropout;
    long long rows;
    int columns, activation;
    // Rows of a block's run; in the fast kernels a multiple of its warps.
    int run_rows;
    // 0, as nobody but the host knows.
    unsigned int zero;
};

constexpr int Width = Pack<element>::Width;

// A row of at most Packs * 32 packs: lane l holds packs l, l + 32, ...
template <int Packs, bool Active>
__device__ __forceinline__ void normalise_held(const LayerNormArgs& a)
{
    const long long row = WarpGroup::index();
    if (row >= a.rows) return;
    const int lane = WarpGroup::rank();
    const long long start = row * a.norm.columns;

    Raw raw[Packs];
#pragma unroll
    for (int k = 0; k < Packs; ++k)
    {
        const int c = (k * 32 + lane) * Width;
        raw[k] = c < a.norm.columns ? load_streamed(a.x + start + c) : Raw{0, 0, 0, 0};
    }
    if (a.fused != 0)
    {
        Raw residual[Packs];
        if (a.residual != nullptr)
        {
#pragma unroll
            for (int k = 0; k < Packs; ++k)
            {
                const int c = (k * 32 + lane) * Width;
                residual[k] = c < a.norm.columns ? load_streamed(a.residual + start + c) : Raw{0, 0, 0, 0};
            }
        }
#pragma unroll
        for (int k = 0; k < Packs; ++k)
        {
            const int c = (k * 32 + lane) * Width;
            if (c >= a.norm.columns) continue;
            Pack<element> s = unpack<element>(raw[k]);
            a.dropout.apply(s.v, start + c);
            if (a.residual != nullptr)
            {
                const Pack<element> r = unpack<element>(residual[k]);
#pragma unroll
                for (int i = 0; i < Width; ++i) s[i] += r[i];
            }
            raw[k] = pack(s);
            store_raw(a.sum + start + c, raw[k]);
        }
    }

    normalise_row<Packs, Active>(a.norm, row, raw);
}

// Any width and alignment; what a thread has written to the sum, or x, is read again from the cache.
__device__ __forceinline__ void normalise(const LayerNormArgs& a)
{
    const long long row = BlockGroup::index();
    const long long start = row * a.norm.columns;
    const element* s = a.fused != 0 ? a.sum : a.x;
    float mean = 0.0f;
    for (int c = BlockGroup::rank(); c < a.norm.columns; c += BlockGroup::size())
    {
        if (a.fused != 0)
        {
            float value = widen(a.x[start + c]) * a.dropout.factor(start + c);
            if (a.residual != nullptr) value += widen(a.residual[start + c]);
            a.sum[start + c] = narrow<element>(value);
        }
        mean += widen(s[start + c]);
    }
    const float share = 1.0f / a.norm.columns;
    mean = BlockGroup::sum(mean) * share;
    float rest = 0.0f, squares = 0.0f;
    for (int c = BlockGroup::rank(); c < a.norm.columns; c += BlockGroup::size())
    {
        const float d = widen(s[start + c]) - mean;
        rest += d;
        squares = fmaf(d, d, squares);
    }
    rest = BlockGroup::sum(rest) * share;
    squares = BlockGroup::sum(squares) * share;
    const float rstd = finish_statistics(a.norm, row, BlockGroup::rank() == 0, mean, rest, squares);
    for (int c = BlockGroup::rank(); c < a.norm.columns; c += BlockGroup::size())
    {
        float h = (widen(s[start + c]) - mean - rest) * rstd;
        if (a.norm.gamma != nullptr) h *= widen(a.norm.gamma[c]);
        if (a.norm.beta != nullptr) h += widen(a.norm.beta[c]);
        a.norm.y[start + c] = narrow<element>(activate(a.activation, h));
    }
}

// The gradient before the activation, whose argument is computed again as the forward call did.
__device__ __forceinline__ float before_activation(const LayerNormBackwardArgs& a, int c, float h, float dy)
{
    if (a.activation == Identity) return dy;
    if (a.gamma != nullptr) h *= widen(a.gamma[c]);
    if (a.beta != nullptr) h += widen(a.beta[c]);
    return dy * activation_slope(a.activation, h);
}

// A run of rows, warp after warp; dgamma and dbeta of the lane's columns stay in registers.
template <int Packs, int Warps, bool Active>
__device__ __forceinline__ void slopes_held(const LayerNormBackwardArgs& a)
{
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    const long long first = static_cast<long long>(blockIdx.x) * a.run_rows;
    const long long end = first + a.run_rows < a.rows ? first + a.run_rows : a.rows;
    const float share = 1.0f / a.columns;

    float dgamma[Packs * Width], dbeta[Packs * Width];
#pragma unroll
    for (int i = 0; i < Packs * Width; ++i) dgamma[i] = dbeta[i] = 0.0f;

    for (long long row = first + warp; row < end; row += Warps)
    {
        const long long start = row * a.columns;
        const float mean = a.mean[row], rstd = a.rstd[row];
        Raw sum[Packs], dy[Packs];
#pragma unroll
        for (int k = 0; k < Packs; ++k)
        {
            const int c = (k * 32 + lane) * Width;
            sum[k] = c < a.columns ? load_streamed(a.sum + start + c) : Raw{0, 0, 0, 0};
            dy[k] = c < a.columns ? load_streamed(a.dy + start + c) : Raw{0, 0, 0, 0};
        }
        float mean_g = 0.0f, mean_gh = 0.0f;
        // With an activation what came before it is kept: its slope costs more than registers.
        Pack<element> before[Active ? Packs : 1];
#pragma unroll
        for (int k = 0; k < Packs; ++k)
        {
            const int c = (k * 32 + lane) * Width;
            if (c >= a.columns) continue;
            const Pack<element> s = unpack<element>(sum[k]);
            Pack<element> g = unpack<element>(dy[k]);
            Pack<element> h;
#pragma unroll
            for (int i = 0; i < Width; ++i) h[i] = (s[i] - mean) * rstd;
            if constexpr (Active)
            {
                Pack<element> y = h;
                if (a.gamma != nullptr)
                {
                    const Pack<element> gamma = unpack<element>(load_shared_by_all(a.gamma + c));
#pragma unroll
                    for (int i = 0; i < Width; ++i) y[i] *= gamma[i];
                }
                if (a.beta != nullptr)
                {
                    const Pack<element> beta = unpack<element>(load_shared_by_all(a.beta + c));
#pragma unroll
                    for (int i = 0; i < Width; ++i) y[i] += beta[i];
                }
#pragma unroll
                for (int i = 0; i < Width; ++i) g[i] *= gelu_slope(y[i]);
                before[k] = g;
            }
#pragma unroll
            for (int i = 0; i < Width; ++i)
            {
                dgamma[k * Width + i] = fmaf(g[i], h[i], dgamma[k * Width + i]);
                dbeta[k * Width + i] += g[i];
            }
            if (a.gamma != nullptr)
            {
                const Pack<element> gamma = unpack<element>(load_shared_by_all(a.gamma + c));
#pragma unroll
                for (int i = 0; i < Width; ++i) g[i] *= gamma[i];
            }
#pragma unroll
            for (int i = 0; i < Width; ++i)
            {
                mean_g += g[i];
                mean_gh = fmaf(g[i], h[i], mean_gh);
            }
        }
        mean_g = warp_sum(mean_g) * share;
        mean_gh = warp_sum(mean_gh) * share;
        // From the raw row once more, and not before the sums are known: it takes half the registers of what was made
        // of it.
        const unsigned int zero = __float_as_uint(mean_g) & a.zero;
#pragma unroll
        for (int k = 0; k < Packs; ++k)
        {
            const int c = (k * 32 + lane) * Width;
            if (c >= a.columns) continue;
            forget(sum[k], zero);
            const Pack<element> s = unpack<element>(sum[k]);
            Pack<element> ds;
            if constexpr (Active) ds = before[k];
            else
            {
                forget(dy[k], zero);
                ds = unpack<element>(dy[k]);
            }
            Pack<element> gamma;
            if (a.gamma != nullptr) gamma = unpack<element>(load_shared_by_all(a.gamma + c));
#pragma unroll
            for (int i = 0; i < Width; ++i)
            {
                const float h = (s[i] - mean) * rstd;
                if (a.gamma != nullptr) ds[i] *= gamma[i];
                ds[i] = (ds[i] - mean_g - h * mean_gh) * rstd;
            }
            if (a.dresidual != nullptr) store_raw(a.dresidual + start + c, pack(ds));
            if (a.dx == nullptr) continue;
            a.dropout.apply(ds.v, start + c);
            store_raw(a.dx + start + c, pack(ds));
        }
    }
    if (a.partial == nullptr) return;
    float* target = a.partial + 2ll * blockIdx.x * a.columns;
    add_warps<Packs, Warps>(dgamma, dbeta, target, a.columns);
}

// dx and dresidual of a row, any width and alignment: read twice.
__device__ __forceinline__ void slopes_of_row(const LayerNormBackwardArgs& a)
{
    const long long row = BlockGroup::index();
    const long long start = row * a.columns;
    const float mean = a.mean[row], rstd = a.rstd[row];
    float mean_g = 0.0f, mean_gh = 0.0f;
    for (int c = BlockGroup::rank(); c < a.columns; c += BlockGroup::size())
    {
        const float h = (widen(a.sum[start + c]) - mean) * rstd;
        float g = before_activation(a, c, h, widen(a.dy[start + c]));
        if (a.gamma != nullptr) g *= widen(a.gamma[c]);
        mean_g += g;
        mean_gh = fmaf(g, h, mean_gh);
    }
    const float share = 1.0f / a.columns;
    mean_g = BlockGroup::sum(mean_g) * share;
    mean_gh = BlockGroup::sum(mean_gh) * share;
    for (int c = BlockGroup::rank(); c < a.columns; c += BlockGroup::size())
    {
        const float h = (widen(a.sum[start + c]) - mean) * rstd;
        float g = before_activation(a, c, h, widen(a.dy[start + c]));
        if (a.gamma != nullptr) g *= widen(a.gamma[c]);
        const float ds = (g - mean_g - h * mean_gh) * rstd;
        if (a.dresidual != nullptr) a.dresidual[start + c] = narrow<element>(ds);
        if (a.dx != nullptr) a.dx[start + c] = narrow<element>(ds * a.dropout.factor(start + c));
    }
}

// What a run of rows adds to dgamma and dbeta of a column, any width and alignment.
__device__ __forceinline__ void sums_of_column(const LayerNormBackwardArgs& a)
{
    const int c = blockIdx.y * blockDim.x + threadIdx.x;
    if (c >= a.columns) return;
    const long long first = static_cast<long long>(blockIdx.x) * a.run_rows;
    const long long end = first + a.run_rows < a.rows ? first + a.run_rows : a.rows;
    float dgamma = 0.0f, dbeta = 0.0f;
    for (long long row = first; row < end; ++row)
    {
        const float h = (widen(a.sum[row * a.columns + c]) - a.mean[row]) * a.rstd[row];
        const float g = before_activation(a, c, h, widen(a.dy[row * a.columns + c]));
        dgamma = fmaf(g, h, dgamma);
        dbeta += g;
    }
    float* target = a.partial + 2ll * blockIdx.x * a.columns;
    target[c] = dgamma;
    target[a.columns + c] = dbeta;
}

// Blocks of the backward kernel that a multiprocessor is to hold: two, where registers suffice.
constexpr __device__ int blocks_of(int columns) { return columns * sizeof(element) <= 768 * 2 ? 2 : 1; }

extern "C"
{
#define LAYER_NORM_OF_WIDTH(columns) \
    __global__ void __launch_bounds__(128) layer_norm_fwd_w##columns(const __grid_constant__ LayerNormArgs a) \
    { \
        normalise_held<columns / (32 * Width), false>(a); \
    } \
    __global__ void __launch_bounds__(128) layer_norm_fwd_gelu_w##columns(const __grid_constant__ LayerNormArgs a) \
    { \
        normalise_held<columns / (32 * Width), true>(a); \
    } \
    __global__ void __launch_bounds__(256, blocks_of(columns)) \
        layer_norm_bwd_w##columns(const __grid_constant__ LayerNormBackwardArgs a) \
    { \
        slopes_held<columns / (32 * Width), 8, false>(a); \
    } \
    __global__ void __launch_bounds__(256) \
        layer_norm_bwd_gelu_w##columns(const __grid_constant__ LayerNormBackwardArgs a) \
    { \
        slopes_held<columns / (32 * Width), 8, true>(a); \
    }

LAYER_NORM_OF_WIDTH(256)
LAYER_NORM_OF_WIDTH(512)
LAYER_NORM_OF_WIDTH(768)
LAYER_NORM_OF_WIDTH(1024)

__global__ void __launch_bounds__(256) layer_norm_fwd(const __grid_constant__ LayerNormArgs a) { normalise(a); }

__global__ void __launch_bounds__(256) layer_norm_bwd_rows(const __grid_constant__ LayerNormBackwardArgs a)
{
    slopes_of_row(a);
}

__global__ void __launch_bounds__(256) layer_norm_bwd_sums(const __grid_constant__ LayerNormBackwardArgs a)
{
    sums_of_column(a);
}

__global__ void __launch_bounds__(1024) layer_norm_bwd_finish(const __grid_constant__ PartialSumArgs a)
{
    add_partials(a);
}
}
