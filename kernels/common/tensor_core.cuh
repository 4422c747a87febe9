// The tile of C that the warps of a block sum with tensor cores, each a part of it in registers; mostly 2 x 2 warps. One step
// multiplies a tile of the left operand (Rows lines) and one of the right (Columns lines), 64 bytes deep:
//
//            Columns                        a warp's quarter of 128 x 128: 4 x 8 products of 16 x 8,
//        +-------+-------+                  fed by 4 + 4 ldmatrix.x4 for each two units of the inner extent:
//   Rows | warp0 | warp1 |                  4 KiB of shared memory for 65,536 multiply-adds of bf16
//        +-------+-------+
//        | warp2 | warp3 |
//        +-------+-------+
//
// Two units of 16 bytes are 16 bf16 numbers, or 8 float32 numbers that are rounded to tf32: lines that are contiguous along
// the inner extent come to the registers in the same way.
#pragma once
#include "common/element.cuh"
#include "common/ldmatrix.cuh"
#include "common/mma.cuh"
#include "common/swizzle.cuh"

template <int TileRows, int TileColumns, bool LeftInner, bool RightInner, int WarpsDown = 2, int WarpsAcross = 2>
struct TensorCore
{
    static constexpr int Rows = TileRows, Columns = TileColumns, Threads = 32 * WarpsDown * WarpsAcross;
    static constexpr int WarpRows = Rows / WarpsDown, WarpColumns = Columns / WarpsAcross;
    static constexpr int Down = WarpRows / 16, Across = WarpColumns / 8;
    static constexpr int Size = sizeof(element);
    // Of the rows that half a warp has of the sums.
    static constexpr int RowsApart = 1;

    float sums[Down][Across][4];

    static __device__ __forceinline__ int lane() { return threadIdx.x & 31; }
    static __device__ __forceinline__ int warp_row() { return (threadIdx.x >> 5) / WarpsAcross * WarpRows; }
    static __device__ __forceinline__ int warp_column() { return (threadIdx.x >> 5) % WarpsAcross * WarpColumns; }

    __device__ __forceinline__ void clear()
    {
#pragma unroll
        for (int i = 0; i < Down; ++i)
#pragma unroll
            for (int j = 0; j < Across; ++j)
#pragma unroll
                for (int e = 0; e < 4; ++e) sums[i][j][e] = 0.0f;
    }

    // 16 rows, two units deep. Matrices in the order of a[]: upper rows, lower rows, then the same a unit deeper.
    static __device__ __forceinline__ void load_left(unsigned int (&a)[4], unsigned int tile, int row, int unit)
    {
        if constexpr (LeftInner) ldmatrix(a, tile + inner_tile_at(row + (lane() & 15), unit + (lane() >> 4)));
        else if constexpr (Size == 2)
        {
            const int k = unit * 8 + (lane() & 7) + (lane() >> 4 << 3);
            ldmatrix_transposed(a, tile + line_tile_at<Rows * 2>(k, row / 8 + (lane() >> 3 & 1)));
        }
        else
        {
#pragma unroll
            for (int i = 0; i < 4; ++i)
                a[i] = load_number<Rows>(tile, row + (i & 1) * 8 + (lane() >> 2), (unit + i / 2) * 4 + (lane() & 3));
        }
        round(a);
    }

    // 16 columns, two units deep. Matrices: 8 columns, the same 8 a unit deeper, then 8 columns on.
    static __device__ __forceinline__ void load_right(unsigned int (&b)[4], unsigned int tile, int column, int unit)
    {
        if constexpr (RightInner)
        {
            ldmatrix(b, tile + inner_tile_at(column + (lane() & 7) + (lane() >> 4 << 3), unit + (lane() >> 3 & 1)));
        }
        else if constexpr (Size == 2)
        {
            ldmatrix_transposed(b, tile + line_tile_at<Columns * 2>(unit * 8 + (lane() & 15), column / 8 + (lane() >> 4)));
        }
        else
        {
#pragma unroll
            for (int i = 0; i < 4; ++i)
                b[i] = load_number<Columns>(tile, column + i / 2 * 8 + (lane() >> 2), (unit + (i & 1)) * 4 + (lane() & 3));
        }
        round(b);
    }

    __device__ __forceinline__ void step(unsigned int left, unsigned int right)
    {
#pragma unroll
        for (int unit = 0; unit < 4; unit += 2)
        {
            unsigned int a[Down][4], b[Across / 2][4];
#pragma unroll
            for (int i = 0; i < Down; ++i) load_left(a[i], left, warp_row() + 16 * i, unit);
#pragma unroll
            for (int j = 0; j < Across / 2; ++j) load_right(b[j], right, warp_column() + 16 * j, unit);
#pragma unroll
            for (int i = 0; i < Down; ++i)
#pragma unroll
                for (int j = 0; j < Across; ++j)
                {
                    if constexpr (Size == 2) mma_bf16(sums[i][j], a[i], b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]);
                    else mma_tf32(sums[i][j], a[i], b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]);
                }
        }
    }

    // Hands the sums of `count` rows from `first` on to shared memory, as SumTile says. Two neighbours at a time; the four
    // rows that half a warp writes lie in different banks.
    template <class SumTile>
    __device__ __forceinline__ void stage(float* memory, int first, int count) const
    {
        if (warp_row() < first || warp_row() >= first + count) return;
        const int row = warp_row() - first + (lane() >> 2), column = warp_column() + (lane() & 3) * 2;
#pragma unroll
        for (int i = 0; i < Down; ++i)
#pragma unroll
            for (int j = 0; j < Across; ++j)
#pragma unroll
                for (int half = 0; half < 2; ++half)
                {
                    float2* to = reinterpret_cast<float2*>(memory + SumTile::at(row + 16 * i + 8 * half, column + 8 * j));
                    *to = make_float2(sums[i][j][2 * half], sums[i][j][2 * half + 1]);
                }
    }

    // Hands all sums, each with its column's bias, on to shared memory as bf16 numbers, as NarrowTile says. Columns that there
    // are not have no bias.
    template <class NarrowTile>
    __device__ __forceinline__ void stage_narrow(unsigned int memory, const element* bias, int columns) const
    {
        static_assert(Size == 2, "pairs of bf16 numbers");
        const int row = warp_row() + (lane() >> 2), within = (lane() & 3) * 2;
#pragma unroll
        for (int j = 0; j < Across; ++j)
        {
            const int column = warp_column() + 8 * j + within;
            float first = 0.0f, second = 0.0f;
            if (bias != nullptr && column < columns) first = widen(bias[column]), second = widen(bias[column + 1]);
#pragma unroll
            for (int i = 0; i < Down; ++i)
#pragma unroll
                for (int half = 0; half < 2; ++half)
                {
                    const unsigned int pair = narrow_pair(sums[i][j][2 * half] + first, sums[i][j][2 * half + 1] + second);
                    const unsigned int to = memory + within * 2
                        + NarrowTile::at(row + 16 * i + 8 * half, warp_column() / 8 + j);
                    asm volatile("st.shared.b32 [%0], %1;" :: "r"(to), "r"(pair) : "memory");
                }
        }
    }

private:
    // A float32 number of a LineTile: nothing turns over matrices of 32-bit numbers on the way.
    template <int Lines>
    static __device__ __forceinline__ unsigned int load_number(unsigned int tile, int line, int inner)
    {
        unsigned int bits;
        const unsigned int address = tile + line_tile_at<Lines * 4>(inner, line / 4) + line % 4 * 4;
        asm volatile("ld.shared.b32 %0, [%1];" : "=r"(bits) : "r"(address) : "memory");
        return bits;
    }

    static __device__ __forceinline__ void round(unsigned int (&v)[4])
    {
        if constexpr (Size == 4)
        {
#pragma unroll
            for (int i = 0; i < 4; ++i) v[i] = round_tf32(v[i]);
        }
    }
};
