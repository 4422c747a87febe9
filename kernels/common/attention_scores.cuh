// What happens to a product q k on its way to a probability: scale, bias, slopes, mask, dropout. Scores are kept times
// log2 e, so that the exponential is one instruction.
#pragma once
#include "common/activation.cuh"
#include "common/dropout.cuh"
#include "common/element.cuh"

constexpr float Log2E = 1.4426950408889634f, Ln2 = 0.6931471805599453f;

__device__ __forceinline__ float infinity() { return __int_as_float(0x7f800000); }

struct AttentionScores
{
    // [batch, keys], 0 = does not take part; or null.
    const unsigned char* key_mask;
    // [heads, queries, keys]; or null.
    const bf16* bias;
    // [heads]; or null.
    const bf16* slopes;
    Dropout dropout;
    int batch, heads, queries, keys;
    float scale;
    // 1 = two neighbouring keys of the bias lie at a multiple of 4 bytes.
    int paired_bias;

    // One bit for each of 32 keys from j on: it exists and takes part. The same for the whole warp, which must call together.
    __device__ __forceinline__ unsigned int alive(int b, int j) const
    {
        const int key = j + (threadIdx.x & 31);
        const bool lives = key < keys && (key_mask == nullptr || key_mask[static_cast<long long>(b) * keys + key] != 0);
        return __ballot_sync(0xffffffffu, lives);
    }

    // What products have to be multiplied by to become scores; above 0. `finish` may have done so.
    __device__ __forceinline__ float rate() const { return finishes() ? 1.0f : scale * Log2E; }

    // Whether something is added to products before the largest of them can be told.
    __device__ __forceinline__ bool finishes() const { return bias != nullptr || slopes != nullptr || !(scale > 0.0f); }

    // Products x[n][2 half], x[n][2 half + 1] of a query with keys 8 n + key and the next become scores, but for a factor of
    // rate(); -inf where a key does not take part, as 32 bits a word tell of keys key - column ...
    template <int N>
    __device__ __forceinline__ void finish(
        float (&x)[N][4], int half, int h, int query, int key, int column, const unsigned int (&alive)[2]) const
    {
        if (finishes())
        {
            const float factor = scale * Log2E;
#pragma unroll
            for (int n = 0; n < N; ++n) x[n][2 * half] *= factor, x[n][2 * half + 1] *= factor;
        }
        if (bias != nullptr)
        {
            // A query behind the last one takes the last one's: nothing of it is kept.
            const bf16* at = bias + (static_cast<long long>(h) * queries + min(query, queries - 1)) * keys + key;
            if (paired_bias != 0)
            {
#pragma unroll
                for (int n = 0; n < N; ++n)
                {
                    const unsigned int pair = key + 8 * n < keys ? *reinterpret_cast<const unsigned int*>(at + 8 * n) : 0;
                    x[n][2 * half] = fmaf(widen_first(pair), Log2E, x[n][2 * half]);
                    x[n][2 * half + 1] = fmaf(widen_second(pair), Log2E, x[n][2 * half + 1]);
                }
            }
            else
            {
#pragma unroll
                for (int n = 0; n < N; ++n)
                {
                    if (key + 8 * n < keys) x[n][2 * half] = fmaf(widen(at[8 * n]), Log2E, x[n][2 * half]);
                    if (key + 8 * n + 1 < keys) x[n][2 * half + 1] = fmaf(widen(at[8 * n + 1]), Log2E, x[n][2 * half + 1]);
                }
            }
        }
        if (slopes != nullptr)
        {
            const float slope = widen(slopes[h]) * -Log2E;
#pragma unroll
            for (int n = 0; n < N; ++n)
            {
                x[n][2 * half] = fmaf(slope, static_cast<float>(abs(query - key - 8 * n)), x[n][2 * half]);
                x[n][2 * half + 1] = fmaf(slope, static_cast<float>(abs(query - key - 8 * n - 1)), x[n][2 * half + 1]);
            }
        }
        // Most tiles are whole: the whole warp knows.
        constexpr unsigned int All[2] = {N >= 4 ? 0xffffffffu : (1u << 8 * N % 32) - 1, N >= 8 ? 0xffffffffu : 0};
        if ((alive[0] & All[0]) == All[0] && (alive[1] & All[1]) == All[1]) return;
        const unsigned int bits[2] = {alive[0] >> column, alive[1] >> column};
#pragma unroll
        for (int n = 0; n < N; ++n)
        {
            if ((bits[n / 4] >> (8 * (n % 4)) & 1) == 0) x[n][2 * half] = -infinity();
            if ((bits[n / 4] >> (8 * (n % 4) + 1) & 1) == 0) x[n][2 * half + 1] = -infinity();
        }
    }

    // Which of 32 Words neighbouring keys from j on the dropout keeps for query i: bit by bit, all of them without dropout.
    template <int Words>
    __device__ __forceinline__ void draw(unsigned int (&kept)[Words], int b, int h, int i, int j) const
    {
#pragma unroll
        for (int w = 0; w < Words; ++w) kept[w] = dropout.mode == NoDropout ? 0xffffffffu : 0;
        const int count = i < queries ? min(keys - j, 32 * Words) : 0;
        if (dropout.mode == NoDropout || count <= 0) return;
        const long long position = ((static_cast<long long>(b) * heads + h) * queries + i) * keys + j;
        if (dropout.mode == GivenMask)
        {
#pragma unroll
            for (int w = 0; w < Words; ++w)
#pragma unroll 1
                for (int n = 0; n < min(count - 32 * w, 32); ++n)
                    kept[w] |= dropout.keep[position + 32 * w + n] != 0 ? 1u << n : 0u;
            return;
        }
        // Blocks of 16 bits, of which the first `position mod 16` bits are those of keys before j.
        const unsigned long long block = static_cast<unsigned long long>(position) >> 4;
        const bool isCut = (keys & 15) != 0;
        unsigned int low = dropout.byte_block_bits(block) | dropout.byte_block_bits(block + 1) << 16;
#pragma unroll
        for (int w = 0; w < Words; ++w)
        {
            unsigned int high = 0;
            if (w + 1 < Words || isCut) high = dropout.byte_block_bits(block + 2 * w + 2);
            if (w + 1 < Words) high |= dropout.byte_block_bits(block + 2 * w + 3) << 16;
            kept[w] = __funnelshift_r(low, high, static_cast<unsigned int>(position) & 15);
            low = high;
        }
    }
};

// Draws of a warp for its 16 Down queries and 64 keys: a lane draws for one query all 64 keys, or, where the warp has 16
// queries, half of them; who needs them asks the lane that has drawn.
template <int Down>
struct WarpDraws
{
    unsigned int words[Down];

    __device__ __forceinline__ WarpDraws(const AttentionScores& s, int b, int h, int first_query, int first_key)
    {
        s.draw(words, b, h, first_query + query(), first_key + key(0));
    }

    // Which of its words a lane has drawn begins with which key of the 64, and for which of the warp's queries.
    static __device__ __forceinline__ int query() { return threadIdx.x & (16 * Down - 1); }
    static __device__ __forceinline__ int key(int word) { return Down == 2 ? 32 * word : (threadIdx.x & 31) >> 4 << 5; }

    // 32 keys of query lane / 4 of the eight from `row` on; half 0 or 1 of the 64. The whole warp calls.
    __device__ __forceinline__ unsigned int of(int row, int half) const
    {
        const int source = row + ((threadIdx.x & 31) >> 2);
        if (Down == 2) return __shfl_sync(0xffffffffu, half == 0 ? words[0] : words[Down - 1], source);
        return __shfl_sync(0xffffffffu, words[0], source + 16 * half);
    }
};

// Which head, sample and tile a block has.
struct HeadPlace
{
    int head, b, h, first;

    __device__ __forceinline__ HeadPlace(int tiles, int heads, int rows)
    {
        head = blockIdx.x / tiles;
        first = (blockIdx.x - head * tiles) * rows;
        b = head / heads;
        h = head - b * heads;
    }
};

// Where position `at` of the head begins in an operand.
__device__ __forceinline__ long long head_at(const HeadPlace& p, int positions, int at, long long row, int head_size)
{
    return (static_cast<long long>(p.b) * positions + at) * row + static_cast<long long>(p.h) * head_size;
}

// e^x for x given times log2 e.
__device__ __forceinline__ float share(float x) { return exp2_fast(x); }

// The sum (the largest) over the four threads that share rows of a product.
__device__ __forceinline__ float quad_sum(float value)
{
    value += __shfl_xor_sync(0xffffffffu, value, 1);
    return value + __shfl_xor_sync(0xffffffffu, value, 2);
}

__device__ __forceinline__ float quad_max(float value)
{
    value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, 1));
    return fmaxf(value, __shfl_xor_sync(0xffffffffu, value, 2));
}
