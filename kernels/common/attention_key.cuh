#pragma once
#include "common/attention_gradients.cuh"

// dk and dv of 64 keys, 16 a warp: scores are computed turned over (keys are rows), so that p and ds come out of the registers
// as left operands. Queries and do pass by, 16 of a tile at a time.
template <int D>
__device__ __forceinline__ void key_gradients(const AttentionGradientArgs& a)
{
    using Tile = HeadTile<D>;
    constexpr int Rows = 64, Queries = D <= 80 ? 64 : 32, Deep = D / 16, Threads = 128;
    constexpr unsigned int KBytes = Rows * Tile::RowBytes, QBytes = Queries * Tile::RowBytes;
    extern __shared__ __align__(1024) unsigned char memory[];
    // For each stage and query of a tile: which of the block's 64 keys dropout keeps, then shift and r.
    __shared__ unsigned int drawn[2][Queries][2];
    __shared__ float2 values[2][Queries];
    const AttentionScores& s = a.scores;
    const HeadPlace place(a.tiles, s.heads, Rows);
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warp_row = warp * 16;
    const int key = place.first + warp_row + (lane >> 2), column = (lane & 3) * 2;
    const bool works = place.first + warp_row < s.keys;
    const unsigned int k_tile = shared_address(memory), v_tile = k_tile + KBytes, stages = v_tile + KBytes;
    const bf16* const q = a.q + head_at(place, s.queries, 0, a.q_row, D);
    const bf16* const d_o = a.d_o + head_at(place, s.queries, 0, a.o_row, D);
    const float scale = s.scale * Log2E, kept_scale = s.dropout.kept_byte_scale();
    const float slope = s.slopes == nullptr ? 0.0f : widen(s.slopes[place.h]) * -Log2E;

    auto load = [&](int i, int stage)
    {
        const unsigned int to = stages + stage * 2 * QBytes;
        Tile::template load<Queries, Threads>(to, q + i * a.q_row, a.q_row, s.queries - i);
        Tile::template load<Queries, Threads>(to + QBytes, d_o + i * a.o_row, a.o_row, s.queries - i);
        cp_async_commit();
        if (threadIdx.x < 2 * Queries)
        {
            const int n = threadIdx.x >> 1, word = threadIdx.x & 1;
            unsigned int kept[1] = {0};
            if (a.kept == nullptr) s.draw(kept, place.b, place.h, i + n, place.first + 32 * word);
            else if (i + n < s.queries && place.first / 32 + word < a.key_words)
                kept[0] = a.kept_of(place.head, i + n)[place.first / 32 + word];
            drawn[stage][n][word] = kept[0];
            if (word == 0) values[stage][n] = row_values(a, place.head, i + n);
        }
    };
    const int exist = s.keys - place.first;
    Tile::template load<Rows, Threads>(k_tile, a.k + head_at(place, s.keys, place.first, a.k_row, D), a.k_row, exist);
    Tile::template load<Rows, Threads>(v_tile, a.v + head_at(place, s.keys, place.first, a.v_row, D), a.v_row, exist);
    load(0, 0);
    const unsigned int alive = s.alive(place.b, place.first + warp_row);
    const bool lives[2] = {(alive >> (lane >> 2) & 1) != 0, (alive >> (8 + (lane >> 2)) & 1) != 0};
    const bool all_live = (alive & 0xffff) == 0xffff;
    // Keys and values of the warp as left operands; where they do not fit into registers they are fetched for every 16 queries.
    constexpr bool Keeps = D <= 64;
    unsigned int k[Keeps ? Deep : 1][4], v[Keeps ? Deep : 1][4];
    float dk[1][D / 8][4], dv[1][D / 8][4];
    clear(dk);
    clear(dv);
#pragma unroll 1
    for (int i = 0, stage = 0; i < s.queries; i += Queries, stage ^= 1)
    {
        cp_async_wait<0>();
        __syncthreads();
        if (i + Queries < s.queries) load(i + Queries, stage ^ 1);
        if (!works) continue;
        if constexpr (Keeps)
        {
            if (i == 0)
            {
#pragma unroll
                for (int d = 0; d < Deep; ++d)
                {
                    Tile::left(k[d], k_tile, warp_row, 16 * d);
                    Tile::left(v[d], v_tile, warp_row, 16 * d);
                }
            }
        }
        const unsigned int q_tile = stages + stage * 2 * QBytes, d_o_tile = q_tile + QBytes;
#pragma unroll 1
        for (int c = 0; c < Queries; c += 16)
        {
            if (i + c >= s.queries) break;
            float x[1][2][4], dp[1][2][4];
            clear(x);
            clear(dp);
#pragma unroll
            for (int d = 0; d < Deep; ++d)
            {
                unsigned int qb[4], ob[4];
                if constexpr (!Keeps)
                {
                    Tile::left(k[0], k_tile, warp_row, 16 * d);
                    Tile::left(v[0], v_tile, warp_row, 16 * d);
                }
                Tile::right(qb, q_tile, c, 16 * d);
                Tile::right(ob, d_o_tile, c, 16 * d);
                mma_bf16(x[0][0], k[Keeps ? d : 0], qb[0], qb[1]);
                mma_bf16(x[0][1], k[Keeps ? d : 0], qb[2], qb[3]);
                mma_bf16(dp[0][0], v[Keeps ? d : 0], ob[0], ob[1]);
                mma_bf16(dp[0][1], v[Keeps ? d : 0], ob[2], ob[3]);
            }
            // Bias and slopes of the products: first index the query's eight, then which of two, then the key's eight.
            float offsets[2][2][2] = {};
            if (s.bias != nullptr)
            {
                const bf16* const bias = s.bias + static_cast<long long>(place.h) * s.queries * s.keys + key;
#pragma unroll
                for (int m = 0; m < 8; ++m)
                {
                    const int query = i + c + m / 4 * 8 + column + m / 2 % 2, further = m % 2 * 8;
                    if (query < s.queries && key + further < s.keys)
                        offsets[m / 4][m / 2 % 2][m % 2] = widen(bias[static_cast<long long>(query) * s.keys + further]) * Log2E;
                }
            }
            if (s.slopes != nullptr)
            {
#pragma unroll
                for (int m = 0; m < 8; ++m)
                {
                    const int query = i + c + m / 4 * 8 + column + m / 2 % 2;
                    offsets[m / 4][m / 2 % 2][m % 2] += slope * static_cast<float>(abs(query - key - m % 2 * 8));
                }
            }
            const bool drops = s.dropout.mode != NoDropout;
#pragma unroll
            for (int n = 0; n < 2; ++n)
#pragma unroll
                for (int e = 0; e < 2; ++e)
                {
                    const int at = c + 8 * n + column + e;
                    const float2 value = values[stage][at];
#pragma unroll
                    for (int half = 0; half < 2; ++half)
                    {
                        float& product = x[0][n][2 * half + e];
                        product = share(fmaf(product, scale, offsets[n][e][half] - value.x));
                        if (!all_live && !lives[half]) product = 0.0f;
                        float& slope_of = dp[0][n][2 * half + e];
                        const float p = product;
                        if (drops)
                        {
                            const unsigned int kept = drawn[stage][at][warp >> 1] >> (16 * (warp & 1) + (lane >> 2));
                            const bool keeps = (kept >> (8 * half) & 1) != 0;
                            slope_of = keeps ? slope_of * kept_scale : 0.0f;
                            if (!keeps) product = 0.0f;
                        }
                        slope_of = p * (slope_of - value.y);
                    }
                }
            unsigned int p[4], ds[4];
            as_left(p, x[0][0], x[0][1]);
            as_left(ds, dp[0][0], dp[0][1]);
#pragma unroll
            for (int d = 0; d < Deep; ++d)
            {
                unsigned int ob[4], qb[4];
                Tile::right_turned(ob, d_o_tile, c, 16 * d);
                Tile::right_turned(qb, q_tile, c, 16 * d);
                mma_bf16(dv[0][2 * d], p, ob[0], ob[1]);
                mma_bf16(dv[0][2 * d + 1], p, ob[2], ob[3]);
                mma_bf16(dk[0][2 * d], ds, qb[0], qb[1]);
                mma_bf16(dk[0][2 * d + 1], ds, qb[2], qb[3]);
            }
        }
    }
    if (!works) return;
    // The warp's rows of k and v have been read: their gradients go out through their places.
    const int from = place.first + warp_row;
    if (a.dk != nullptr)
    {
        Tile::stage(k_tile, warp_row, dk[0], s.scale, s.scale);
        Tile::template store<16>(k_tile, warp_row, a.dk + head_at(place, s.keys, from, a.k_row, D), a.k_row, s.keys - from);
    }
    if (a.dv != nullptr)
    {
        Tile::stage(v_tile, warp_row, dv[0], kept_scale, kept_scale);
        Tile::template store<16>(v_tile, warp_row, a.dv + head_at(place, s.keys, from, a.v_row, D), a.v_row, s.keys - from);
    }
}
