// Computes       o = dropout(softmax(scale q kT + bias - slope |i - j|, masked)) v without a matrix of all scores, and its
//                gradients by recomputation from the log of the sums.
// Tensors        q, k, v, o and their gradients as Data2Vec.Kernels/Attention/Attention.cs says, bf16; LogSumExp float32.
// Accumulates in float32; probabilities and ds are rounded to bf16 as operands of the second product.
// Work split     attention_fwd, attention_bwd_query: a block per 128 queries (64 for heads above 64) of a head, keys pass by;
//                attention_fwd_resident: a block per head of at most 256 keys, which stay; attention_bwd_key: a block per 64
//                keys, queries pass by; attention_bwd_query_bias, attention_bwd_bias: a block per 64 queries (and 64 keys) of a
//                head, samples pass by.
// Shared memory  48 to 96 KiB: the tile that stays, two stages of the tiles that pass.
// Requires       heads of 32, 64, 80 or 128 elements; rows and addresses of q, k, v, o in multiples of 16 bytes.
// Determinism    fixed order: every gradient has one block that adds it up. No atomics.
// Numerics       running maximum; exponentials by ex2.approx (2 ulp).
// Launched by    Data2Vec.Kernels/Attention/Attention.Cuda.cs
// Tested by      Data2Vec.Tests/Gpu/CudaAttentionTests.cs; verify attention
// Source         Dao et al. 2022; Dao 2023; Milakov and Gimelshein 2018; docs/kernels.md, "Attention"
#include "common/attention_rows.cuh"

constexpr int AttentionThreads = 128;
constexpr int AttentionKeys = 64;

// Four warps, each with Down x 16 queries: scores and outputs in registers; 64 keys and values pass by.
//
//            64 keys                      Q 128 x D   K 64 x D, V 64 x D (two stages)
//   warp 0 | 32 x 64 |
//   warp 1 | 32 x 64 |  --> maximum, exponentials, sums --> P as left operand --> O 32 x D += P V
//   warp 2 | 32 x 64 |
//   warp 3 | 32 x 64 |
template <int D, int Down>
__device__ __forceinline__ void attention_forward(const AttentionArgs& a)
{
    using Tile = HeadTile<D>;
    constexpr int WarpRows = 16 * Down, Rows = 4 * WarpRows;
    constexpr unsigned int QBytes = Rows * Tile::RowBytes, KBytes = AttentionKeys * Tile::RowBytes;
    extern __shared__ __align__(1024) unsigned char memory[];
    const AttentionScores& s = a.scores;
    const HeadPlace place(a.tiles, s.heads, Rows);
    const int warp_row = (threadIdx.x >> 5) * WarpRows, first = place.first + warp_row;
    const unsigned int q_tile = shared_address(memory), stages = q_tile + QBytes;
    const bf16* const q = a.q + head_at(place, s.queries, place.first, a.q_row, D);
    const bf16* const k = a.k + head_at(place, s.keys, 0, a.k_row, D);
    const bf16* const v = a.v + head_at(place, s.keys, 0, a.v_row, D);

    Tile::template load<Rows, AttentionThreads>(q_tile, q, a.q_row, s.queries - place.first);
    Tile::template load<AttentionKeys, AttentionThreads>(stages, k, a.k_row, s.keys);
    Tile::template load<AttentionKeys, AttentionThreads>(stages + KBytes, v, a.v_row, s.keys);
    cp_async_commit();
    AttentionRows<D, Down> rows;
    rows.clear();
#pragma unroll 1
    for (int j = 0, stage = 0; j < s.keys; j += AttentionKeys, stage ^= 1)
    {
        cp_async_wait<0>();
        // This tile is there, and nobody reads the one before any more.
        __syncthreads();
        if (j + AttentionKeys < s.keys)
        {
            const int next = j + AttentionKeys;
            const unsigned int to = stages + (stage ^ 1) * 2 * KBytes;
            Tile::template load<AttentionKeys, AttentionThreads>(to, k + next * a.k_row, a.k_row, s.keys - next);
            Tile::template load<AttentionKeys, AttentionThreads>(to + KBytes, v + next * a.v_row, a.v_row, s.keys - next);
        }
        cp_async_commit();
        const unsigned int k_tile = stages + stage * 2 * KBytes;
        if (first < s.queries)
            rows.template add<4>(s, place.b, place.h, first, j, q_tile, warp_row, k_tile, k_tile + KBytes, 0);
    }
    if (first < s.queries) rows.finish(a, place, first, q_tile, warp_row);
}

// At most 256 keys: all of a head's keys and values lie in shared memory at once, and one block takes all of its queries, a warp
// 32 at a time. Nothing is read twice, and after the first barrier the warps go their own ways.
template <int D>
__device__ __forceinline__ void attention_forward_resident(const AttentionArgs& a)
{
    using Tile = HeadTile<D>;
    constexpr int Down = 2, WarpRows = 16 * Down, Rows = 4 * WarpRows;
    extern __shared__ __align__(1024) unsigned char memory[];
    const AttentionScores& s = a.scores;
    const HeadPlace place(1, s.heads, 0);
    const int warp_row = (threadIdx.x >> 5) * WarpRows;
    const int tiles = (s.keys + AttentionKeys - 1) / AttentionKeys;
    const unsigned int q_tile = shared_address(memory), k_tile = q_tile + Rows * Tile::RowBytes;
    const unsigned int v_tile = k_tile + tiles * AttentionKeys * Tile::RowBytes;
    const bf16* const q = a.q + head_at(place, s.queries, 0, a.q_row, D);
    const bf16* const k = a.k + head_at(place, s.keys, 0, a.k_row, D);
    const bf16* const v = a.v + head_at(place, s.keys, 0, a.v_row, D);
#pragma unroll 1
    for (int j = 0; j < s.keys; j += AttentionKeys)
    {
        const unsigned int row = j * Tile::RowBytes;
        Tile::template load<AttentionKeys, AttentionThreads>(k_tile + row, k + j * a.k_row, a.k_row, s.keys - j);
        Tile::template load<AttentionKeys, AttentionThreads>(v_tile + row, v + j * a.v_row, a.v_row, s.keys - j);
    }
#pragma unroll 1
    for (int base = 0; base < s.queries; base += Rows)
    {
        const int first = base + warp_row;
        Tile::template load_of_warp<WarpRows>(q_tile, warp_row, q + first * a.q_row, a.q_row, s.queries - first);
        cp_async_commit();
        cp_async_wait<0>();
        if (base == 0) __syncthreads();
        else __syncwarp();
        if (first >= s.queries) break;
        AttentionRows<D, Down> rows;
        rows.clear();
#pragma unroll 1
        for (int j = 0; j < s.keys; j += AttentionKeys)
            rows.add_tile(s, place.b, place.h, first, j, q_tile, warp_row, k_tile, v_tile, j);
        rows.finish(a, place, first, q_tile, warp_row);
        __syncwarp();
    }
}

#include "common/attention_bias.cuh"
#include "common/attention_key.cuh"
#include "common/attention_query.cuh"

#define ATTENTION(d, down)                                                                                              \
    extern "C" __global__ __launch_bounds__(AttentionThreads, 2) void attention_fwd_d##d(                                  \
        const __grid_constant__ AttentionArgs a)                                                                        \
    {                                                                                                                   \
        attention_forward<d, down>(a);                                                                                  \
    }                                                                                                                   \
    extern "C" __global__ __launch_bounds__(AttentionThreads, 2) void attention_bwd_query_d##d(                            \
        const __grid_constant__ AttentionGradientArgs a)                                                                \
    {                                                                                                                   \
        query_gradients<d, down, false>(a);                                                                                    \
    }                                                                                                                   \
    extern "C" __global__ __launch_bounds__(AttentionThreads, 2) void attention_bwd_key_d##d(                              \
        const __grid_constant__ AttentionGradientArgs a)                                                                \
    {                                                                                                                   \
        key_gradients<d>(a);                                                                                            \
    }                                                                                                                   \
    extern "C" __global__ __launch_bounds__(AttentionThreads, 2) void attention_bwd_bias_d##d(                             \
        const __grid_constant__ AttentionGradientArgs a)                                                                \
    {                                                                                                                   \
        bias_gradients<d>(a);                                                                                           \
    }

// At most 256 keys.
#define ATTENTION_FEW_KEYS(d)                                                                                         \
    extern "C" __global__ __launch_bounds__(AttentionThreads, 2) void attention_bwd_query_bias_d##d(                    \
        const __grid_constant__ AttentionGradientArgs a)                                                                \
    {                                                                                                                   \
        query_gradients<d, 1, true>(a);                                                                                 \
    }                                                                                                                   \
    extern "C" __global__ __launch_bounds__(AttentionThreads, 2) void attention_fwd_resident_d##d(                      \
        const __grid_constant__ AttentionArgs a)                                                                        \
    {                                                                                                                   \
        attention_forward_resident<d>(a);                                                                               \
    }

ATTENTION(32, 2)
ATTENTION(64, 2)
ATTENTION(80, 1)
ATTENTION(128, 1)
ATTENTION_FEW_KEYS(32)
ATTENTION_FEW_KEYS(64)

extern "C" __global__ __launch_bounds__(128) void attention_bwd_dot(const __grid_constant__ AttentionGradientArgs a)
{
    dot_outputs(a);
}

extern "C" __global__ __launch_bounds__(256) void attention_bwd_bias_parts(const __grid_constant__ AttentionGradientArgs a)
{
    add_bias_parts(a);
}

extern "C" __global__ __launch_bounds__(32) void attention_bwd_slope(const __grid_constant__ AttentionGradientArgs a)
{
    add_slopes(a);
}
