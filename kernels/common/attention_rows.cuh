// The forward of attention.cu: what a warp holds of its queries, and how keys and values go into it.
#pragma once
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

// 16 Down queries of a warp: outputs so far, and the largest score and the sum of exponentials of each.
template <int D, int Down>
struct AttentionRows
{
    using Tile = HeadTile<D>;
    static constexpr int Rows = 16 * Down, Deep = D / 16;

    float o[Down][D / 8][4], largest[Down][2], sum[Down][2];

    static __device__ __forceinline__ int lane() { return threadIdx.x & 31; }

    __device__ __forceinline__ void clear()
    {
        ::clear(o);
#pragma unroll
        for (int i = 0; i < Down; ++i) largest[i][0] = largest[i][1] = -infinity(), sum[i][0] = sum[i][1] = 0.0f;
    }

    // 16 Groups keys and values, which begin at key j and lie from row `at` of their tiles on. q lies from row q_at of its tile
    // on, and is query `first`.
    template <int Groups>
    __device__ __forceinline__ void add(const AttentionScores& s, int b, int h, int first, int j, unsigned int q_tile, int q_at,
        unsigned int k_tile, unsigned int v_tile, int at)
    {
        constexpr int Across = 2 * Groups;
        float x[Down][Across][4];
        ::clear(x);
#pragma unroll
        for (int d = 0; d < Deep; ++d)
        {
            unsigned int q[Down][4];
#pragma unroll
            for (int i = 0; i < Down; ++i) Tile::left(q[i], q_tile, q_at + 16 * i, 16 * d);
#pragma unroll
            for (int n = 0; n < Groups; ++n)
            {
                unsigned int keys[4];
                Tile::right(keys, k_tile, at + 16 * n, 16 * d);
#pragma unroll
                for (int i = 0; i < Down; ++i)
                {
                    mma_bf16(x[i][2 * n], q[i], keys[0], keys[1]);
                    mma_bf16(x[i][2 * n + 1], q[i], keys[2], keys[3]);
                }
            }
        }

        const int column = (lane() & 3) * 2;
        unsigned int alive[2] = {s.alive(b, j), 0};
        if (Groups > 2) alive[1] = s.alive(b, j + 32);
        const WarpDraws<Down> draws(s, b, h, first, j);
        const float rate = s.rate();
#pragma unroll
        for (int i = 0; i < Down; ++i)
#pragma unroll
            for (int half = 0; half < 2; ++half)
            {
                s.finish(x[i], half, h, first + 16 * i + 8 * half + (lane() >> 2), j + column, column, alive);
                take(x[i], o[i], half, largest[i][half], sum[i][half], rate);
                if (s.dropout.mode == NoDropout) continue;
                const unsigned int kept[2] = {draws.of(16 * i + 8 * half, 0) >> column, draws.of(16 * i + 8 * half, 1) >> column};
#pragma unroll
                for (int n = 0; n < Across; ++n)
                {
                    if ((kept[n / 4] >> (8 * (n % 4)) & 1) == 0) x[i][n][2 * half] = 0.0f;
                    if ((kept[n / 4] >> (8 * (n % 4) + 1) & 1) == 0) x[i][n][2 * half + 1] = 0.0f;
                }
            }

#pragma unroll
        for (int n = 0; n < Groups; ++n)
        {
            unsigned int p[Down][4];
#pragma unroll
            for (int i = 0; i < Down; ++i) as_left(p[i], x[i][2 * n], x[i][2 * n + 1]);
#pragma unroll
            for (int d = 0; d < Deep; ++d)
            {
                unsigned int values[4];
                Tile::right_turned(values, v_tile, at + 16 * n, 16 * d);
#pragma unroll
                for (int i = 0; i < Down; ++i)
                {
                    mma_bf16(o[i][2 * d], p[i], values[0], values[1]);
                    mma_bf16(o[i][2 * d + 1], p[i], values[2], values[3]);
                }
            }
        }
    }

    // Up to 64 keys of a tile, of which so many exist: all at once, or 16 at a time where most are missing.
    __device__ __forceinline__ void add_tile(const AttentionScores& s, int b, int h, int first, int j, unsigned int q_tile,
        int q_at, unsigned int k_tile, unsigned int v_tile, int at)
    {
        if (s.keys - j > 32)
        {
            add<4>(s, b, h, first, j, q_tile, q_at, k_tile, v_tile, at);
            return;
        }
#pragma unroll 1
        for (int c = 0; j + c < s.keys; c += 16) add<1>(s, b, h, first, j + c, q_tile, q_at, k_tile, v_tile, at + c);
    }

    // Outputs and logs of sums of the queries that exist. The warp's rows of q have been read: outputs go out through their place.
    __device__ __forceinline__ void finish(const AttentionArgs& a, const HeadPlace& place, int first, unsigned int q_tile, int q_at)
    {
        const AttentionScores& s = a.scores;
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
                const int query = first + 16 * i + 8 * half + (lane() >> 2);
                if (a.log_sum_exp == nullptr || (lane() & 3) != 0 || query >= s.queries) continue;
                a.log_sum_exp[static_cast<long long>(place.head) * s.queries + query]
                    = total == 0.0f ? -infinity() : fmaf(largest[i][half], Ln2, logf(total));
            }
            Tile::stage(q_tile, q_at + 16 * i, o[i], factors[0], factors[1]);
        }
        bf16* const rows = a.o + head_at(place, s.queries, first, a.o_row, D);
        Tile::template store<Rows>(q_tile, q_at, rows, a.o_row, s.queries - first);
    }

private:
    // Products of one query become exponentials above the running maximum; what came before is scaled to the new one.
    template <int N>
    static __device__ __forceinline__ void take(
        float (&x)[N][4], float (&outputs)[D / 8][4], int half, float& most, float& total, float rate)
    {
        float larger = fmaxf(x[0][2 * half], x[0][2 * half + 1]);
#pragma unroll
        for (int n = 1; n < N; ++n) larger = fmaxf(larger, fmaxf(x[n][2 * half], x[n][2 * half + 1]));
        larger = fmaxf(quad_max(larger * rate), most);
        // While a row has met no key there is nothing to subtract: -inf - -inf is no number.
        const float shift = larger == -infinity() ? 0.0f : larger;
        const float factor = share(most - shift);
        most = larger;
        float added = 0.0f;
#pragma unroll
        for (int n = 0; n < N; ++n)
        {
            x[n][2 * half] = share(fmaf(x[n][2 * half], rate, -shift));
            x[n][2 * half + 1] = share(fmaf(x[n][2 * half + 1], rate, -shift));
            added += x[n][2 * half] + x[n][2 * half + 1];
        }
        total = fmaf(total, factor, added);
#pragma unroll
        for (int n = 0; n < D / 8; ++n) outputs[n][2 * half] *= factor, outputs[n][2 * half + 1] *= factor;
    }
};
