// The tile of C that a block sums in float32 without tensor cores: 8 x 8 sums a thread, 32 x 64 a warp (4 x 8 threads), one
// step 16 deep. Thread (y, x) of a warp has these rows of its 32, and the columns of its 64 likewise with x of eight:
//
//   operand contiguous along the inner extent   y, y + 4, y + 8, ...            four inner indices of a row in one load
//   operand contiguous along the lines          4y .. 4y + 3, 16 + 4y .. + 3    four rows of an inner index in one load
//
// so that eight neighbouring threads always read 128 bytes in different banks. 16 loads of 16 bytes for 256 multiply-adds.
#pragma once
#include "common/swizzle.cuh"
#include "common/vector.cuh"

template <int TileRows, int TileColumns, bool LeftInner, bool RightInner>
struct FusedMultiplyAdd
{
    static constexpr int Rows = TileRows, Columns = TileColumns, Threads = Rows * Columns / 64;
    static constexpr int WarpRows = 32, WarpColumns = 64;
    // Of the four rows that a warp has of sums[i].
    static constexpr int RowsApart = LeftInner ? 1 : 4;

    float sums[8][8];

    static __device__ __forceinline__ int x() { return threadIdx.x & 7; }
    static __device__ __forceinline__ int y() { return threadIdx.x >> 3 & 3; }
    static __device__ __forceinline__ int warp_row() { return (threadIdx.x >> 5) / (Columns / WarpColumns) * WarpRows; }
    static __device__ __forceinline__ int warp_column() { return (threadIdx.x >> 5) % (Columns / WarpColumns) * WarpColumns; }
    static __device__ __forceinline__ int row(int i) { return LeftInner ? y() + 4 * i : i / 4 * 16 + 4 * y() + i % 4; }
    static __device__ __forceinline__ int column(int j) { return RightInner ? x() + 8 * j : j / 4 * 32 + 4 * x() + j % 4; }

    __device__ __forceinline__ void clear()
    {
#pragma unroll
        for (int i = 0; i < 8; ++i)
#pragma unroll
            for (int j = 0; j < 8; ++j) sums[i][j] = 0.0f;
    }

    static __device__ __forceinline__ float4 load(unsigned int address)
    {
        float4 v;
        asm volatile("ld.shared.v4.f32 {%0, %1, %2, %3}, [%4];"
            : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w) : "r"(address) : "memory");
        return v;
    }

    // Lines i .. i + 3 of this thread at inner indices 4 unit .. 4 unit + 3.
    template <bool Inner, int TileLines>
    static __device__ __forceinline__ void load_four(float (&v)[4][4], unsigned int tile, int base, int step, int unit)
    {
#pragma unroll
        for (int n = 0; n < 4; ++n)
        {
            if constexpr (Inner)
            {
                const float4 line = load(tile + inner_tile_at(base + n * step, unit));
                v[n][0] = line.x, v[n][1] = line.y, v[n][2] = line.z, v[n][3] = line.w;
            }
            else
            {
                const float4 lines = load(tile + line_tile_at<TileLines * 4>(4 * unit + n, base / 4));
                v[0][n] = lines.x, v[1][n] = lines.y, v[2][n] = lines.z, v[3][n] = lines.w;
            }
        }
    }

    // Four inner indices at a time: 8 x 4 numbers of one operand are held, then twice 4 x 4 of the other one come.
    __device__ __forceinline__ void step(unsigned int left, unsigned int right)
    {
        constexpr bool HoldsLeft = LeftInner && RightInner;
#pragma unroll 1
        for (int unit = 0; unit < 4; ++unit)
        {
            float held[2][4][4];
#pragma unroll
            for (int half = 0; half < 2; ++half)
            {
                if constexpr (HoldsLeft) load_four<LeftInner, Rows>(held[half], left, warp_row() + row(4 * half), 4, unit);
                else load_four<RightInner, Columns>(held[half], right, warp_column() + column(4 * half), 8, unit);
            }
#pragma unroll
            for (int half = 0; half < 2; ++half)
            {
                float other[4][4];
                if constexpr (HoldsLeft) load_four<RightInner, Columns>(other, right, warp_column() + column(4 * half), 8, unit);
                else load_four<LeftInner, Rows>(other, left, warp_row() + row(4 * half), 4, unit);
#pragma unroll
                for (int k = 0; k < 4; ++k)
#pragma unroll
                    for (int i = 0; i < 8; ++i)
#pragma unroll
                        for (int j = 0; j < 4; ++j)
                        {
                            float& sum = HoldsLeft ? sums[i][4 * half + j] : sums[4 * half + j][i];
                            sum = fmaf(held[i / 4][i % 4][k], other[j][k], sum);
                        }
            }
        }
    }

    // Hands the sums of `count` rows from `first` on to shared memory, as SumTile says: a thread's neighbours at once, or a
    // number of each run, of which the four rows of a warp have theirs in different banks.
    template <class SumTile>
    __device__ __forceinline__ void stage(float* memory, int first, int count) const
    {
        if (warp_row() < first || warp_row() >= first + count) return;
#pragma unroll
        for (int i = 0; i < 8; ++i)
#pragma unroll
            for (int j = 0; j < 8; j += RightInner ? 1 : 4)
            {
                float* to = memory + SumTile::at(warp_row() - first + row(i), warp_column() + column(j));
                if constexpr (RightInner) *to = sums[i][j];
                else store_raw(to, pack(Pack<float>{{sums[i][j], sums[i][j + 1], sums[i][j + 2], sums[i][j + 3]}}));
            }
    }
};
