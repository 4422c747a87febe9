// Rows of one head in shared memory, and how the tensor cores take them. A row of D bf16 numbers is D / 8 units of 16 bytes,
// placed so that eight neighbouring rows of one unit lie in different banks: exchanged as swizzle.cuh says where the units
// are a power of two, and one unit apart more where they are not (80 elements: 11 units, an odd number).
#pragma once
#include "common/cp_async.cuh"
#include "common/element.cuh"
#include "common/ldmatrix.cuh"
#include "common/mma.cuh"
#include "common/swizzle.cuh"

template <int D>
struct HeadTile
{
    static constexpr int Units = D / 8;
    static constexpr bool Exchanged = (Units & (Units - 1)) == 0;
    static constexpr int RowBytes = (Exchanged ? Units : Units | 1) * 16;

    static __device__ __forceinline__ unsigned int at(int row, int unit)
    {
        if constexpr (!Exchanged) return row * RowBytes + unit * 16;
        else if constexpr (Units == 4) return inner_tile_at(row, unit);
        else return line_tile_at<RowBytes>(row, unit);
    }

    // Starts copying Rows rows, `stride` elements apart, of which only so many exist; the rest become zeros.
    template <int Rows, int Threads>
    static __device__ __forceinline__ void load(unsigned int tile, const bf16* first, long long stride, int exist)
    {
        static_assert(Rows * Units % Threads == 0, "every thread copies as many units");
#pragma unroll
        for (int pass = 0; pass < Rows * Units / Threads; ++pass)
        {
            const int i = threadIdx.x + pass * Threads, row = i / Units, unit = i % Units;
            cp_async(tile + at(row, unit), first + row * stride + unit * 8, row < exist ? 16 : 0);
        }
    }

    // The same for rows that only this warp reads, from row `to` of the tile on.
    template <int Rows>
    static __device__ __forceinline__ void load_of_warp(unsigned int tile, int to, const bf16* first, long long stride, int exist)
    {
#pragma unroll
        for (int pass = 0; pass < Rows * Units / 32; ++pass)
        {
            const int i = (threadIdx.x & 31) + pass * 32, row = i / Units, unit = i % Units;
            cp_async(tile + at(to + row, unit), first + row * stride + unit * 8, row < exist ? 16 : 0);
        }
    }

    // Rows of operands begin at multiples of eight: where a lane's units lie does not depend on them.

    // Left operand: 16 rows, 16 deep along the head.
    static __device__ __forceinline__ void left(unsigned int (&a)[4], unsigned int tile, int row, int d)
    {
        const int lane = threadIdx.x & 31;
        ldmatrix(a, tile + row * RowBytes + at(lane & 15, d / 8 + (lane >> 4)));
    }

    // Right operand: 16 rows as columns, 16 deep along the head. b[0], b[1] are the first eight columns.
    static __device__ __forceinline__ void right(unsigned int (&b)[4], unsigned int tile, int row, int d)
    {
        const int lane = threadIdx.x & 31;
        ldmatrix(b, tile + row * RowBytes + at((lane & 7) + (lane >> 4 << 3), d / 8 + (lane >> 3 & 1)));
    }

    // Right operand: 16 elements of the head as columns, 16 rows deep.
    static __device__ __forceinline__ void right_turned(unsigned int (&b)[4], unsigned int tile, int row, int d)
    {
        const int lane = threadIdx.x & 31;
        ldmatrix_transposed(b, tile + row * RowBytes + at(lane & 15, d / 8 + (lane >> 4)));
    }

    // Writes 16 rows of sums, each times its own factor, where the rows from `row` on lie; for this warp only.
    static __device__ __forceinline__ void stage(
        unsigned int tile, int row, const float (&sums)[Units][4], float upper, float lower)
    {
        const int lane = threadIdx.x & 31;
        // Other lanes may still read what lay here.
        __syncwarp();
#pragma unroll
        for (int j = 0; j < Units; ++j)
        {
            store_pair(tile + at(row + (lane >> 2), j) + (lane & 3) * 4, narrow_pair(sums[j][0] * upper, sums[j][1] * upper));
            store_pair(tile + at(row + 8 + (lane >> 2), j) + (lane & 3) * 4, narrow_pair(sums[j][2] * lower, sums[j][3] * lower));
        }
    }

    // Copies Rows rows of this warp to global memory, as many as exist.
    template <int Rows>
    static __device__ __forceinline__ void store(unsigned int tile, int row, bf16* first, long long stride, int exist)
    {
        __syncwarp();
#pragma unroll 4
        for (int i = threadIdx.x & 31; i < Rows * Units; i += 32)
        {
            const int r = i / Units, unit = i % Units;
            if (r >= exist) continue;
            uint4 v;
            asm volatile("ld.shared.v4.b32 {%0, %1, %2, %3}, [%4];"
                : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w) : "r"(tile + at(row + r, unit)) : "memory");
            *reinterpret_cast<uint4*>(first + r * stride + unit * 8) = v;
        }
    }

private:
    static __device__ __forceinline__ void store_pair(unsigned int to, unsigned int pair)
    {
        asm volatile("st.shared.b32 [%0], %1;" :: "r"(to), "r"(pair) : "memory");
    }
};

// Sums of 16 rows and 16 columns, as they lie after a product, as the left operand of the next: 16 deep.
__device__ __forceinline__ void as_left(unsigned int (&a)[4], const float (&first)[4], const float (&second)[4])
{
    a[0] = narrow_pair(first[0], first[1]);
    a[1] = narrow_pair(first[2], first[3]);
    a[2] = narrow_pair(second[0], second[1]);
    a[3] = narrow_pair(second[2], second[3]);
}

template <int Rows, int Columns>
__device__ __forceinline__ void clear(float (&sums)[Rows][Columns][4])
{
#pragma unroll
    for (int i = 0; i < Rows; ++i)
#pragma unroll
        for (int j = 0; j < Columns; ++j)
#pragma unroll
            for (int e = 0; e < 4; ++e) sums[i][j][e] = 0.0f;
}
