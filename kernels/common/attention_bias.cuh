#pragma once
#include "common/attention_gradients.cuh"

// dbias and the sums for dslopes: a block owns 64 queries x 64 keys of one head and adds ds over the samples, in their order.
template <int D>
__device__ __forceinline__ void bias_gradients(const AttentionGradientArgs& a)
{
    using Tile = HeadTile<D>;
    // Heads of 128 have no room for a second stage in the 99 KiB that every target gives a block.
    constexpr int Rows = 64, Across = 8, Deep = D / 16, Threads = 128, Stages = D <= 80 ? 2 : 1;
    constexpr unsigned int Bytes = Rows * Tile::RowBytes;
    extern __shared__ __align__(1024) unsigned char memory[];
    __shared__ float warp_sums[4];
    const AttentionScores& s = a.scores;
    const int tile = blockIdx.x / a.key_tiles, h = tile / a.tiles;
    const int first = (tile - h * a.tiles) * Rows, j = (blockIdx.x - tile * a.key_tiles) * Rows;
    const int lane = threadIdx.x & 31, warp_row = (threadIdx.x >> 5) * 16;
    const int row = first + warp_row + (lane >> 2), column = (lane & 3) * 2;
    const bool works = first + warp_row < s.queries;
    const unsigned int stages = shared_address(memory);
    const float kept_scale = s.dropout.kept_byte_scale(), rate = s.rate();
    auto load = [&](int b, int stage)
    {
        const unsigned int to = stages + stage * 4 * Bytes;
        const long long query = static_cast<long long>(b) * s.queries + first, key = static_cast<long long>(b) * s.keys + j;
        Tile::template load<Rows, Threads>(to, a.q + query * a.q_row + h * D, a.q_row, s.queries - first);
        Tile::template load<Rows, Threads>(to + Bytes, a.d_o + query * a.o_row + h * D, a.o_row, s.queries - first);
        Tile::template load<Rows, Threads>(to + 2 * Bytes, a.k + key * a.k_row + h * D, a.k_row, s.keys - j);
        Tile::template load<Rows, Threads>(to + 3 * Bytes, a.v + key * a.v_row + h * D, a.v_row, s.keys - j);
        cp_async_commit();
    };
    float sum[1][Across][4];
    clear(sum);
    if (Stages == 2 && s.batch > 0) load(0, 0);
#pragma unroll 1
    for (int b = 0; b < s.batch; ++b)
    {
        if (Stages == 1)
        {
            __syncthreads();
            load(b, 0);
        }
        cp_async_wait<0>();
        __syncthreads();
        if (Stages == 2 && b + 1 < s.batch) load(b + 1, b + 1 & 1);
        if (!works) continue;
        const unsigned int q_tile = stages + (Stages == 2 ? b & 1 : 0) * 4 * Bytes;
        float x[1][Across][4], dp[1][Across][4];
        clear(x);
        clear(dp);
#pragma unroll
        for (int d = 0; d < Deep; ++d)
        {
            unsigned int q[4], d_o[4];
            Tile::left(q, q_tile, warp_row, 16 * d);
            Tile::left(d_o, q_tile + Bytes, warp_row, 16 * d);
#pragma unroll
            for (int n = 0; n < Across / 2; ++n)
            {
                unsigned int kb[4], vb[4];
                Tile::right(kb, q_tile + 2 * Bytes, 16 * n, 16 * d);
                Tile::right(vb, q_tile + 3 * Bytes, 16 * n, 16 * d);
                mma_bf16(x[0][2 * n], q, kb[0], kb[1]);
                mma_bf16(x[0][2 * n + 1], q, kb[2], kb[3]);
                mma_bf16(dp[0][2 * n], d_o, vb[0], vb[1]);
                mma_bf16(dp[0][2 * n + 1], d_o, vb[2], vb[3]);
            }
        }
        const unsigned int alive[2] = {s.alive(b, j), s.alive(b, j + 32)};
        const WarpDraws<1> draws(s, b, h, first + warp_row, j);
#pragma unroll
        for (int half = 0; half < 2; ++half)
        {
            s.finish(x[0], half, h, row + 8 * half, j + column, column, alive);
            if (s.dropout.mode != NoDropout)
            {
                const unsigned int kept[2] = {draws.of(8 * half, 0) >> column, draws.of(8 * half, 1) >> column};
                drop(dp[0], half, kept, kept_scale);
            }
            slopes_of_row(x[0], dp[0], half, row_values(a, b * s.heads + h, row + 8 * half), rate);
#pragma unroll
            for (int n = 0; n < Across; ++n)
            {
                sum[0][n][2 * half] += x[0][n][2 * half];
                sum[0][n][2 * half + 1] += x[0][n][2 * half + 1];
            }
        }
    }
    float distances = 0.0f;
    if (works)
    {
#pragma unroll
        for (int half = 0; half < 2; ++half)
        {
            const int query = row + 8 * half;
            if (query >= s.queries) continue;
#pragma unroll
            for (int n = 0; n < Across; ++n)
#pragma unroll
                for (int e = 0; e < 2; ++e)
                {
                    const int key = j + 8 * n + column + e;
                    if (key >= s.keys) continue;
                    const float ds = sum[0][n][2 * half + e];
                    distances = fmaf(-ds, static_cast<float>(abs(query - key)), distances);
                    if (a.d_bias == nullptr) continue;
                    bf16* const to = a.d_bias + (static_cast<long long>(h) * s.queries + query) * s.keys + key;
                    *to = narrow<bf16>(a.accumulate_bias != 0 ? widen(*to) + ds : ds);
                }
        }
    }
    if (a.slope_parts == nullptr) return;
    distances = warp_sum(distances);
    if (lane == 0) warp_sums[threadIdx.x >> 5] = distances;
    __syncthreads();
    if (threadIdx.x == 0) a.slope_parts[blockIdx.x] = warp_sums[0] + warp_sums[1] + (warp_sums[2] + warp_sums[3]);
}
