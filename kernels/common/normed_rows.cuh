// Whole rows of a result in shared memory, bf16. They are put there by who sums them, and normalised with a GELU behind it by
// warps that take rows in turn, with the same bits as layer_norm.cu would have from memory.
//
// Unit u of 16 bytes of row r lies at u ^ (r % 2 * 4 + r / 2 % 4): neither one unit of eight rows nor four units of two rows
// meet in a bank.
#pragma once
#include "common/cp_async.cuh"
#include "common/row_norm.cuh"

template <int Columns>
struct NormedRows
{
    static constexpr int Packs = (Columns + 255) / 256;

    static __device__ __forceinline__ unsigned int at(int row, int unit)
    {
        return row * (Columns * 2) + ((unit ^ ((row & 1) << 2 | (row >> 1 & 3))) << 4);
    }

    static __device__ __forceinline__ void write(unsigned int tile, int row, int unit, Raw v)
    {
        asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};"
            :: "r"(tile + at(row, unit)), "r"(v.x), "r"(v.y), "r"(v.z), "r"(v.w) : "memory");
    }

    static __device__ __forceinline__ Raw read(unsigned int tile, int row, int unit)
    {
        Raw v;
        asm volatile("ld.shared.v4.b32 {%0, %1, %2, %3}, [%4];" : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
            : "r"(tile + at(row, unit)) : "memory");
        return v;
    }

    // The first `rows` rows of a tile are rows `first` and following of y; `sums` takes them as they were, or is null.
    template <int Warps>
    static __device__ __forceinline__ void normalise(
        const RowNorm& norm, element* sums, unsigned int tile, long long first, int rows)
    {
        const int lane = WarpGroup::rank();
#pragma unroll 1
        for (int r = threadIdx.x >> 5; r < rows; r += Warps)
        {
            Raw raw[Packs];
#pragma unroll
            for (int k = 0; k < Packs; ++k)
            {
                const int unit = k * 32 + lane;
                raw[k] = Raw{0, 0, 0, 0};
                if (unit * 8 >= norm.columns) continue;
                raw[k] = read(tile, r, unit);
                if (sums != nullptr) store_raw(sums + (first + r) * norm.columns + unit * 8, raw[k]);
            }
            normalise_row<Packs, true>(norm, first + r, raw);
        }
    }
};
