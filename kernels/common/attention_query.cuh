#pragma once
#include "common/attention_gradients.cuh"

// dq of a tile of queries: q, do and dq in registers, keys and values pass by, 16 of 64 at a time. With SumsBias a block goes
// through a part of the samples and adds ds up in shared memory, each thread its own numbers; parts are added afterwards.
template <int D, int Down, bool SumsBias>
__device__ __forceinline__ void query_gradients(const AttentionGradientArgs& a)
{
    using Tile = HeadTile<D>;
    constexpr int WarpRows = 16 * Down, Rows = 4 * WarpRows, Keys = 64, Deep = D / 16, Threads = 128;
    constexpr unsigned int QBytes = Rows * Tile::RowBytes, KBytes = Keys * Tile::RowBytes;
    static_assert(QBytes <= 2 * KBytes, "q and do must each fit into a stage");
    static_assert(!SumsBias || Down == 1, "a thread has eight sums for each 16 keys");
    extern __shared__ __align__(1024) unsigned char memory[];
    const AttentionScores& s = a.scores;
    // Without sums of the bias there is one sample.
    HeadPlace place(a.tiles, SumsBias ? 1 : s.heads, Rows);
    const int last = SumsBias ? min(s.batch, (place.head / s.heads + 1) * a.part_samples) : place.b + 1;
    if (SumsBias)
    {
        place.h = place.head % s.heads;
        place.b = place.head / s.heads * a.part_samples;
    }
    const int lane = threadIdx.x & 31, warp_row = (threadIdx.x >> 5) * WarpRows;
    const int row = place.first + warp_row + (lane >> 2), column = (lane & 3) * 2;
    const float kept_scale = s.dropout.kept_byte_scale(), rate = s.rate();
    const bool works = place.first + warp_row < s.queries;
    // q lies where the first stage of keys and values will, do where the second: they go to registers before that.
    const unsigned int stages = shared_address(memory);
    float4* const sums = reinterpret_cast<float4*>(memory + 4 * KBytes) + threadIdx.x;
    if (SumsBias)
        for (int i = 0; i < (s.keys + 15) / 16 * 2; ++i) sums[i * Threads] = make_float4(0.0f, 0.0f, 0.0f, 0.0f);

#pragma unroll 1
    for (; place.b < last; ++place.b)
    {
        const bf16* const k = a.k + head_at(place, s.keys, 0, a.k_row, D);
        const bf16* const v = a.v + head_at(place, s.keys, 0, a.v_row, D);
        const int head = place.b * s.heads + place.h;
        // The sample before this one may still be on its way out of the stages.
        if (SumsBias) __syncthreads();
        const bf16* const q_rows = a.q + head_at(place, s.queries, place.first, a.q_row, D);
        const bf16* const d_o_rows = a.d_o + head_at(place, s.queries, place.first, a.o_row, D);
        Tile::template load<Rows, Threads>(stages, q_rows, a.q_row, s.queries - place.first);
        Tile::template load<Rows, Threads>(stages + 2 * KBytes, d_o_rows, a.o_row, s.queries - place.first);
        cp_async_commit();
        cp_async_wait<0>();
        __syncthreads();
        unsigned int q[Down][Deep][4], d_o[Down][Deep][4];
        float dq[Down][D / 8][4];
        float2 values[Down][2];
        clear(dq);
#pragma unroll
        for (int i = 0; i < Down; ++i)
        {
#pragma unroll
            for (int d = 0; d < Deep; ++d)
            {
                Tile::left(q[i][d], stages, warp_row + 16 * i, 16 * d);
                Tile::left(d_o[i][d], stages + 2 * KBytes, warp_row + 16 * i, 16 * d);
            }
            values[i][0] = row_values(a, head, row + 16 * i);
            values[i][1] = row_values(a, head, row + 16 * i + 8);
        }
        __syncthreads();
        Tile::template load<Keys, Threads>(stages, k, a.k_row, s.keys);
        Tile::template load<Keys, Threads>(stages + KBytes, v, a.v_row, s.keys);
        cp_async_commit();
        int stage = 0;
#pragma unroll 1
        for (int j = 0; j < s.keys; j += Keys, stage ^= 1)
        {
            cp_async_wait<0>();
            __syncthreads();
            if (j + Keys < s.keys)
            {
                const int next = j + Keys;
                const unsigned int to = stages + (stage ^ 1) * 2 * KBytes;
                Tile::template load<Keys, Threads>(to, k + next * a.k_row, a.k_row, s.keys - next);
                Tile::template load<Keys, Threads>(to + KBytes, v + next * a.v_row, a.v_row, s.keys - next);
            }
            cp_async_commit();
            if (!works) continue;
            const unsigned int k_tile = stages + stage * 2 * KBytes, v_tile = k_tile + KBytes;
            const unsigned int alive[2] = {s.alive(place.b, j), s.alive(place.b, j + 32)};
            const WarpDraws<Down> draws(s, place.b, place.h, place.first + warp_row, j);
            if (a.kept != nullptr)
            {
#pragma unroll
                for (int w = 0; w < Down; ++w)
                {
                    const int query = place.first + warp_row + draws.query(), word = (j + draws.key(w)) / 32;
                    if (query < s.queries && word < a.key_words) a.kept_of(head, query)[word] = draws.words[w];
                }
            }
#pragma unroll 1
            for (int c = 0; c < Keys; c += 16)
            {
                if (j + c >= s.keys) break;
                float x[Down][2][4], dp[Down][2][4];
                clear(x);
                clear(dp);
#pragma unroll
                for (int d = 0; d < Deep; ++d)
                {
                    unsigned int kb[4], vb[4];
                    Tile::right(kb, k_tile, c, 16 * d);
                    Tile::right(vb, v_tile, c, 16 * d);
#pragma unroll
                    for (int i = 0; i < Down; ++i)
                    {
                        mma_bf16(x[i][0], q[i][d], kb[0], kb[1]);
                        mma_bf16(x[i][1], q[i][d], kb[2], kb[3]);
                        mma_bf16(dp[i][0], d_o[i][d], vb[0], vb[1]);
                        mma_bf16(dp[i][1], d_o[i][d], vb[2], vb[3]);
                    }
                }
                const unsigned int lives[2] = {(c < 32 ? alive[0] : alive[1]) >> (c & 16)};
                unsigned int ds[Down][4];
#pragma unroll
                for (int i = 0; i < Down; ++i)
                {
#pragma unroll
                    for (int half = 0; half < 2; ++half)
                    {
                        s.finish(x[i], half, place.h, row + 16 * i + 8 * half, j + c + column, column, lives);
                        if (s.dropout.mode != NoDropout)
                        {
                            const unsigned int kept[2] = {draws.of(16 * i + 8 * half, c / 32) >> ((c & 16) + column)};
                            drop(dp[i], half, kept, kept_scale);
                        }
                        slopes_of_row(x[i], dp[i], half, values[i][half], rate);
                    }
                    as_left(ds[i], x[i][0], x[i][1]);
                }
                if (SumsBias)
                {
#pragma unroll
                    for (int n = 0; n < 2; ++n)
                    {
                        float4& to = sums[((j + c) / 8 + n) * Threads];
                        const float4 held = to;
                        to = make_float4(held.x + x[0][n][0], held.y + x[0][n][1], held.z + x[0][n][2], held.w + x[0][n][3]);
                    }
                }
#pragma unroll
                for (int d = 0; d < Deep; ++d)
                {
                    unsigned int b[4];
                    Tile::right_turned(b, k_tile, c, 16 * d);
#pragma unroll
                    for (int i = 0; i < Down; ++i)
                    {
                        mma_bf16(dq[i][2 * d], ds[i], b[0], b[1]);
                        mma_bf16(dq[i][2 * d + 1], ds[i], b[2], b[3]);
                    }
                }
            }
        }
        if (!works) continue;
        // The stage of the last tile may still be read by other warps; the other one (`stage`, after the last turn) is free.
        const unsigned int out = stages + stage * 2 * KBytes;
#pragma unroll
        for (int i = 0; i < Down; ++i) Tile::stage(out, warp_row + 16 * i, dq[i], s.scale, s.scale);
        const int from = place.first + warp_row;
        bf16* const dq_rows = a.dq + head_at(place, s.queries, from, a.q_row, D);
        Tile::template store<WarpRows>(out, warp_row, dq_rows, a.q_row, s.queries - from);
    }
    if constexpr (SumsBias)
    {
        if (!works) return;
#pragma unroll 1
        for (int half = 0; half < 2; ++half)
        {
            const int query = row + 8 * half;
            if (query >= s.queries) continue;
            float* const to = a.bias_parts + (static_cast<long long>(place.head) * s.queries + query) * s.keys;
#pragma unroll 1
            for (int key = column; key < s.keys; key += 8)
            {
                const float4 held = sums[key / 8 * Threads];
                to[key] = half == 0 ? held.x : held.z;
                if (key + 1 < s.keys) to[key + 1] = half == 0 ? held.y : held.w;
            }
        }
    }
}
