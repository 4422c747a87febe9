// Computes       o = dropout(softmax(scale q kT + bias - slope |i - j|, masked)) v without a matrix of all scores, and its
//                gradients by recomputation from the log of the sums.
// Tensors        q, k, v, o and their gradients as Data2Vec.Kernels/Attention/Attention.cs says, bf16; LogSumExp float32.
// Accumulates in float32; probabilities and ds are rounded to bf16 as operands of the second product.
// Work split     attention_fwd, attention_bwd_query: a block per 128 queries (64 for heads above 64) of a head, keys pass by;
//                attention_bwd_key: a block per 64 keys, queries pass by; attention_bwd_bias: a block per 64 x 64 scores of a
//                head, samples pass by.
// Shared memory  48 to 96 KiB: the tile that stays, two stages of the tiles that pass.
// Requires       heads of 32, 64, 80 or 128 elements; rows and addresses of q, k, v, o in multiples of 16 bytes.
// Determinism    fixed order: every gradient has one block that adds it up. No atomics.
// Numerics       running maximum; exponentials by ex2.approx (2 ulp).
// Launched by    Data2Vec.Kernels/Attention/Attention.Cuda.cs
// Tested by      Data2Vec.Tests/Gpu/CudaAttentionTests.cs; verify attention
// Source         Dao et al. 2022; Dao 2023; Milakov and Gimelshein 2018; docs/kernels.md, "Attention"
#include "common/attention_scores.cuh"
#include "common/attention_tile.cuh"

struct AttentionArgs
{
    AttentionScores scores;
    const bf16* q;
    const bf16* k;
    const bf16* v;
    bf16* o;
    float* log_sum_exp;
    long long q_row, k_row, v_row, o_row;
    // Tiles of queries of one head.
    int tiles, reserved;
};

constexpr int AttentionThreads = 128;
constexpr int AttentionKeys = 64;

// Four warps, each with Down x 16 queries: scores and outputs in registers; 64 keys and values at a time.
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
    constexpr int WarpRows = 16 * Down, Rows = 4 * WarpRows, Across = AttentionKeys / 8, Deep = D / 16;
    constexpr unsigned int QBytes = Rows * Tile::RowBytes, KBytes = AttentionKeys * Tile::RowBytes;
    extern __shared__ __align__(1024) unsigned char memory[];
    const AttentionScores& s = a.scores;
    const HeadPlace place(a.tiles, s.heads, Rows);
    const int lane = threadIdx.x & 31, warp_row = (threadIdx.x >> 5) * WarpRows;
    const int row = place.first + warp_row + (lane >> 2), column = (lane & 3) * 2;
    const bool works = place.first + warp_row < s.queries;
    const unsigned int q_tile = shared_address(memory), stages = q_tile + QBytes;
    const bf16* const k = a.k + head_at(place, s.keys, 0, a.k_row, D);
    const bf16* const v = a.v + head_at(place, s.keys, 0, a.v_row, D);

    Tile::template load<Rows, AttentionThreads>(q_tile, a.q + head_at(place, s.queries, place.first, a.q_row, D), a.q_row,
        s.queries - place.first);
    Tile::template load<AttentionKeys, AttentionThreads>(stages, k, a.k_row, s.keys);
    Tile::template load<AttentionKeys, AttentionThreads>(stages + KBytes, v, a.v_row, s.keys);
    cp_async_commit();
    float o[Down][D / 8][4], largest[Down][2], sum[Down][2];
    clear(o);
#pragma unroll
    for (int i = 0; i < Down; ++i) largest[i][0] = largest[i][1] = -infinity(), sum[i][0] = sum[i][1] = 0.0f;
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
        if (!works) continue;
        const unsigned int k_tile = stages + stage * 2 * KBytes, v_tile = k_tile + KBytes;

        float x[Down][Across][4];
        clear(x);
#pragma unroll
        for (int d = 0; d < Deep; ++d)
        {
            unsigned int q[Down][4];
#pragma unroll
            for (int i = 0; i < Down; ++i) Tile::left(q[i], q_tile, warp_row + 16 * i, 16 * d);
#pragma unroll
            for (int n = 0; n < Across / 2; ++n)
            {
                unsigned int b[4];
                Tile::right(b, k_tile, 16 * n, 16 * d);
#pragma unroll
                for (int i = 0; i < Down; ++i)
                {
                    mma_bf16(x[i][2 * n], q[i], b[0], b[1]);
                    mma_bf16(x[i][2 * n + 1], q[i], b[2], b[3]);
                }
            }
        }

        const unsigned int alive[2] = {s.alive(place.b, j) >> column, s.alive(place.b, j + 32) >> column};
        const WarpDraws<Down> draws(s, place.b, place.h, place.first + warp_row, j);
#pragma unroll
        for (int i = 0; i < Down; ++i)
#pragma unroll
            for (int half = 0; half < 2; ++half)
            {
                const int query = row + 16 * i + 8 * half;
                s.finish(x[i], half, place.h, query, j + column, alive);
                float most = -infinity();
#pragma unroll
                for (int n = 0; n < Across; ++n) most = fmaxf(most, fmaxf(x[i][n][2 * half], x[i][n][2 * half + 1]));
                const float larger = fmaxf(quad_max(most), largest[i][half]);
                // While a row has met no key there is nothing to subtract: -inf - -inf is no number.
                const float shift = larger == -infinity() ? 0.0f : larger;
                const float factor = share(largest[i][half] - shift);
                largest[i][half] = larger;
                const unsigned int kept[2] = {draws.of(16 * i + 8 * half, 0), draws.of(16 * i + 8 * half, 1)};
                float added = 0.0f;
#pragma unroll
                for (int n = 0; n < Across; ++n)
                {
                    const float first = share(x[i][n][2 * half] - shift), second = share(x[i][n][2 * half + 1] - shift);
                    added += first + second;
                    const unsigned int bits = kept[n / 4] >> (8 * (n % 4) + column);
                    x[i][n][2 * half] = (bits & 1) != 0 ? first : 0.0f;
                    x[i][n][2 * half + 1] = (bits & 2) != 0 ? second : 0.0f;
                }
                sum[i][half] = fmaf(sum[i][half], factor, added);
#pragma unroll
                for (int n = 0; n < D / 8; ++n) o[i][n][2 * half] *= factor, o[i][n][2 * half + 1] *= factor;
            }

#pragma unroll
        for (int n = 0; n < Across / 2; ++n)
        {
            unsigned int p[Down][4];
#pragma unroll
            for (int i = 0; i < Down; ++i) as_left(p[i], x[i][2 * n], x[i][2 * n + 1]);
#pragma unroll
            for (int d = 0; d < Deep; ++d)
            {
                unsigned int b[4];
                Tile::right_turned(b, v_tile, 16 * n, 16 * d);
#pragma unroll
                for (int i = 0; i < Down; ++i)
                {
                    mma_bf16(o[i][2 * d], p[i], b[0], b[1]);
                    mma_bf16(o[i][2 * d + 1], p[i], b[2], b[3]);
                }
            }
        }
    }
    if (!works) return;
    const float kept_scale = s.dropout.kept_byte_scale();
#pragma unroll
    for (int i = 0; i < Down; ++i)
    {
        float factors[2];
#pragma unroll
        for (int half = 0; half < 2; ++half)
        {
            const float total = quad_sum(sum[i][half]);
            // A query without any key has the sum 0, and zeros.
            factors[half] = total == 0.0f ? 0.0f : kept_scale / total;
            const int query = row + 16 * i + 8 * half;
            if (a.log_sum_exp != nullptr && (lane & 3) == 0 && query < s.queries)
            {
                a.log_sum_exp[static_cast<long long>(place.head) * s.queries + query]
                    = total == 0.0f ? -infinity() : fmaf(largest[i][half], Ln2, logf(total));
            }
        }
        // The warp's rows of q have been read: its outputs go out through their place.
        Tile::stage(q_tile, warp_row + 16 * i, o[i], factors[0], factors[1]);
    }
    const int from = place.first + warp_row;
    bf16* const o_rows = a.o + head_at(place, s.queries, from, a.o_row, D);
    Tile::template store<WarpRows>(q_tile, warp_row, o_rows, a.o_row, s.queries - from);
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

#define ATTENTION_QUERY_BIAS(d)                                                                                         \
    extern "C" __global__ __launch_bounds__(AttentionThreads, 2) void attention_bwd_query_bias_d##d(                    \
        const __grid_constant__ AttentionGradientArgs a)                                                                \
    {                                                                                                                   \
        query_gradients<d, 1, true>(a);                                                                                 \
    }

ATTENTION(32, 2)
ATTENTION(64, 2)
ATTENTION(80, 1)
ATTENTION(128, 1)
ATTENTION_QUERY_BIAS(32)
ATTENTION_QUERY_BIAS(64)

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
