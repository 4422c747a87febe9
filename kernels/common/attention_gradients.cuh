// The gradients of attention.cu. With r = do o of a query and shift = its log-sum-exp times log2 e:
//
//   p = 2^(x - shift)   ds = p (keep do vT / (1 - dropout) - r)   dv += (p keep)T do   dk += scale dsT q   dq += scale ds k
//
// Scores are computed again in each kernel; what they cost is less than a T x T matrix in memory, or atomics.
#pragma once
#include "common/attention_scores.cuh"
#include "common/attention_tile.cuh"
#include "common/reduce.cuh"

struct AttentionGradientArgs
{
    AttentionScores scores;
    const bf16* q;
    const bf16* k;
    const bf16* v;
    const bf16* o;
    const bf16* d_o;
    const float* log_sum_exp;
    // Absent ones are null.
    bf16* dq;
    bf16* dk;
    bf16* dv;
    bf16* d_bias;
    bf16* d_slopes;
    // [batch, heads, queries]: shift and r, left by attention_bwd_dot.
    float2* rows;
    // [batch, heads, queries, key_words]: what dropout keeps, a bit for each key, left by attention_bwd_query for
    // attention_bwd_key: drawing costs more than four bytes of memory for 32 scores. Or null.
    unsigned int* kept;
    // [heads, tiles, key_tiles]: sums for the slopes, left by attention_bwd_bias.
    float* slope_parts;
    // [parts, heads, queries, keys]: sums of ds over parts of the samples, left by attention_bwd_query_bias.
    float* bias_parts;
    long long q_row, k_row, v_row, o_row;
    // Tiles of one head: of queries (of keys in attention_bwd_key), and of keys.
    int tiles, key_tiles;
    int accumulate_bias, accumulate_slopes;
    // Parts of the samples, and samples of a part; words of 32 keys for each query.
    int parts, part_samples, key_words, reserved;

    // Where the bits of a query begin.
    __device__ __forceinline__ unsigned int* kept_of(int head, int query) const
    {
        return kept + (static_cast<long long>(head) * scores.queries + query) * key_words;
    }
};

// shift and r of every query of every head. Eight threads share a row, four neighbours each, in the order of
// Data2Vec.Kernels/Attention/AttentionProducts.Ilgpu.cs.
__device__ __forceinline__ void dot_outputs(const AttentionGradientArgs& a)
{
    const AttentionScores& s = a.scores;
    const int lane = threadIdx.x & 7, head_size = a.tiles;
    const long long number = static_cast<long long>(blockIdx.x) * 16 + (threadIdx.x >> 3);
    const long long count = static_cast<long long>(s.batch) * s.queries * s.heads;
    // Threads behind the last row repeat it: all lanes take part in the sum. Rows in the order in which they lie in memory.
    const long long row = number < count ? number : count - 1;
    const long long position = row / s.heads;
    const int h = static_cast<int>(row - position * s.heads);
    const long long at = position * a.o_row + static_cast<long long>(h) * head_size;
    float sum = 0.0f;
    for (int c = lane * 4; c < head_size; c += 32)
    {
        const uint2 o = *reinterpret_cast<const uint2*>(a.o + at + c), g = *reinterpret_cast<const uint2*>(a.d_o + at + c);
        sum += widen_first(o.x) * widen_first(g.x) + widen_second(o.x) * widen_second(g.x)
            + (widen_first(o.y) * widen_first(g.y) + widen_second(o.y) * widen_second(g.y));
    }
    sum = quad_sum(sum);
    sum += __shfl_xor_sync(0xffffffffu, sum, 4);
    if (lane != 0 || number >= count) return;
    const long long b = position / s.queries;
    const long long to = (b * s.heads + h) * s.queries + (position - b * s.queries);
    const float lse = a.log_sum_exp[to];
    // A query without any key: infinity gives the zeros that -inf would not.
    a.rows[to] = make_float2(lse == -infinity() ? infinity() : lse * Log2E, sum);
}

// shift and r of a query; zeros come of it where there is none.
__device__ __forceinline__ float2 row_values(const AttentionGradientArgs& a, int head, int query)
{
    if (query >= a.scores.queries) return make_float2(infinity(), 0.0f);
    return a.rows[static_cast<long long>(head) * a.scores.queries + query];
}

// ds of a query in the place of its scores (which lack a factor of rate): p (do v of what dropout keeps - r).
template <int N>
__device__ __forceinline__ void slopes_of_row(float (&x)[N][4], const float (&dp)[N][4], int half, float2 value, float rate)
{
#pragma unroll
    for (int n = 0; n < N; ++n)
#pragma unroll
        for (int e = 0; e < 2; ++e)
        {
            const float p = share(fmaf(x[n][2 * half + e], rate, -value.x));
            x[n][2 * half + e] = p * (dp[n][2 * half + e] - value.y);
        }
}

// do v of what dropout keeps, times the scale of it. Bits 8 n and 8 n + 1 of kept[0] (n below 4) and kept[1] tell what that is.
template <int N>
__device__ __forceinline__ void drop(float (&dp)[N][4], int half, const unsigned int (&kept)[2], float kept_scale)
{
#pragma unroll
    for (int n = 0; n < N; ++n)
#pragma unroll
        for (int e = 0; e < 2; ++e)
        {
            const bool keeps = (kept[n / 4] >> (8 * (n % 4) + e) & 1) != 0;
            dp[n][2 * half + e] = keeps ? dp[n][2 * half + e] * kept_scale : 0.0f;
        }
}

// dbias from the sums of parts of the samples [parts, heads, queries, keys], added in order.
__device__ __forceinline__ void add_bias_parts(const AttentionGradientArgs& a)
{
    const AttentionScores& s = a.scores;
    const long long count = static_cast<long long>(s.heads) * s.queries * s.keys;
    const long long i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= count) return;
    float sum = 0.0f;
#pragma unroll 4
    for (int part = 0; part < a.parts; ++part) sum += a.bias_parts[part * count + i];
    a.d_bias[i] = narrow<bf16>(a.accumulate_bias != 0 ? widen(a.d_bias[i]) + sum : sum);
}

// The gradient of one slope: a warp adds what the tiles of its head have left, in their order.
__device__ __forceinline__ void add_slopes(const AttentionGradientArgs& a)
{
    const int h = blockIdx.x, count = a.tiles * a.key_tiles;
    float sum = 0.0f;
    for (int i = threadIdx.x; i < count; i += 32) sum += a.slope_parts[static_cast<long long>(h) * count + i];
    sum = warp_sum(sum);
    if (threadIdx.x != 0) return;
    if (a.accumulate_slopes != 0) sum += widen(a.d_slopes[h]);
    a.d_slopes[h] = narrow<bf16>(sum);
}
