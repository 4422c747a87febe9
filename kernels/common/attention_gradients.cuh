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
    // [heads, tiles, key_tiles]: sums for the slopes, left by attention_bwd_bias.
    float* slope_parts;
    // [parts, heads, queries, keys]: sums of ds over parts of the samples, left by attention_bwd_query_bias.
    float* bias_parts;
    long long q_row, k_row, v_row, o_row;
    // Tiles of one head: of queries (of keys in attention_bwd_key), and of keys.
    int tiles, key_tiles;
    int accumulate_bias, accumulate_slopes;
    // Parts of the samples, and samples of a part.
    int parts, part_samples;
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
    return query < a.scores.queries ? a.rows[static_cast<long long>(head) * a.scores.queries + query] : make_float2(infinity(), 0.0f);
}

// ds of a query in the place of its scores: p (do v of what dropout keeps - r). Bits of `kept` as those of alive.
template <int N>
__device__ __forceinline__ void slopes_of_row(
    float (&x)[N][4], const float (&dp)[N][4], int half, float2 value, const unsigned int (&kept)[2], float kept_scale)
{
#pragma unroll
    for (int n = 0; n < N; ++n)
#pragma unroll
        for (int e = 0; e < 2; ++e)
        {
            const float p = share(x[n][2 * half + e] - value.x);
            const bool keeps = (kept[n / 4] >> (8 * (n % 4) + e) & 1) != 0;
            x[n][2 * half + e] = p * ((keeps ? dp[n][2 * half + e] * kept_scale : 0.0f) - value.y);
        }
}

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
    const float kept_scale = s.dropout.kept_byte_scale();
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
        Tile::template load<Rows, Threads>(stages, a.q + head_at(place, s.queries, place.first, a.q_row, D), a.q_row,
            s.queries - place.first);
        Tile::template load<Rows, Threads>(stages + 2 * KBytes, a.d_o + head_at(place, s.queries, place.first, a.o_row, D), a.o_row,
            s.queries - place.first);
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
            const unsigned int alive[2] = {s.alive(place.b, j) >> column, s.alive(place.b, j + 32) >> column};
            const WarpDraws<Down> draws(s, place.b, place.h, place.first + warp_row, j);
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
                        s.finish(x[i], half, place.h, row + 16 * i + 8 * half, j + c + column, lives);
                        const unsigned int kept[2] = {draws.of(16 * i + 8 * half, c / 32) >> ((c & 16) + column)};
                        slopes_of_row(x[i], dp[i], half, values[i][half], kept, kept_scale);
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
        Tile::template store<WarpRows>(out, warp_row, a.dq + head_at(place, s.queries, from, a.q_row, D), a.q_row, s.queries - from);
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
            unsigned int kept[1];
            s.draw(kept, place.b, place.h, i + n, place.first + 32 * word);
            drawn[stage][n][word] = kept[0];
            if (word == 0) values[stage][n] = row_values(a, place.head, i + n);
        }
    };
    Tile::template load<Rows, Threads>(k_tile, a.k + head_at(place, s.keys, place.first, a.k_row, D), a.k_row, s.keys - place.first);
    Tile::template load<Rows, Threads>(v_tile, a.v + head_at(place, s.keys, place.first, a.v_row, D), a.v_row, s.keys - place.first);
    load(0, 0);
    const unsigned int alive = s.alive(place.b, place.first + warp_row);
    const bool lives[2] = {(alive >> (lane >> 2) & 1) != 0, (alive >> (8 + (lane >> 2)) & 1) != 0};
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
                unsigned int ka[4], va[4], qb[4], ob[4];
                Tile::left(ka, k_tile, warp_row, 16 * d);
                Tile::left(va, v_tile, warp_row, 16 * d);
                Tile::right(qb, q_tile, c, 16 * d);
                Tile::right(ob, d_o_tile, c, 16 * d);
                mma_bf16(x[0][0], ka, qb[0], qb[1]);
                mma_bf16(x[0][1], ka, qb[2], qb[3]);
                mma_bf16(dp[0][0], va, ob[0], ob[1]);
                mma_bf16(dp[0][1], va, ob[2], ob[3]);
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
#pragma unroll
            for (int n = 0; n < 2; ++n)
#pragma unroll
                for (int e = 0; e < 2; ++e)
                {
                    const int at = c + 8 * n + column + e;
                    const float2 value = values[stage][at];
                    const unsigned int kept = drawn[stage][at][warp >> 1] >> (16 * (warp & 1) + (lane >> 2));
#pragma unroll
                    for (int half = 0; half < 2; ++half)
                    {
                        float y = fmaf(x[0][n][2 * half + e], scale, offsets[n][e][half]);
                        if (!lives[half]) y = -infinity();
                        const float p = share(y - value.x);
                        const bool keeps = (kept >> (8 * half) & 1) != 0;
                        const float g = keeps ? dp[0][n][2 * half + e] * kept_scale : 0.0f;
                        x[0][n][2 * half + e] = keeps ? p : 0.0f;
                        dp[0][n][2 * half + e] = p * (g - value.y);
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
    const float kept_scale = s.dropout.kept_byte_scale();
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
        const unsigned int alive[2] = {s.alive(b, j) >> column, s.alive(b, j + 32) >> column};
        const WarpDraws<1> draws(s, b, h, first + warp_row, j);
#pragma unroll
        for (int half = 0; half < 2; ++half)
        {
            s.finish(x[0], half, h, row + 8 * half, j + column, alive);
            const unsigned int kept[2] = {draws.of(8 * half, 0) >> column, draws.of(8 * half, 1) >> column};
            slopes_of_row(x[0], dp[0], half, row_values(a, b * s.heads + h, row + 8 * half), kept, kept_scale);
#pragma unroll
            for (int n = 0; n < Across; ++n) sum[0][n][2 * half] += x[0][n][2 * half], sum[0][n][2 * half + 1] += x[0][n][2 * half + 1];
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
