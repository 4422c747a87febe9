// Where units of 16 bytes of a tile lie in shared memory, so that neither the copies that fill it nor the instructions that
// read it ask one bank for two rows at once. Tiles begin at multiples of 1024 bytes.
//
// InnerTile: lines of 64 bytes (32 bf16 or 16 float32 of the inner extent). Two lines are one row of all 32 banks; unit u of
// line r lies at u ^ (r / 2 % 4), and one unit of eight neighbouring lines covers all banks once:
//
//   line 0  | 0 1 2 3 |  line 1  | 0 1 2 3 |
//   line 2  | 1 0 3 2 |  line 3  | 1 0 3 2 |
//   line 4  | 2 3 0 1 |  line 5  | 2 3 0 1 |
//   line 6  | 3 2 1 0 |  line 7  | 3 2 1 0 |
//
// LineTile: rows of all lines at one inner index, 128 bytes or more. Unit u of row k lies at u ^ (k % 8), and one unit of eight
// neighbouring rows covers all banks once. Tensor cores take float32 numbers one by one, of eight lines (two units) and four
// neighbouring rows: then it lies at u ^ (k % 4 * 2).
#pragma once

__device__ __forceinline__ unsigned int inner_tile_at(int line, int unit)
{
    return line * 64 + ((unit ^ (line >> 1 & 3)) << 4);
}

#if TENSOR_FLOAT32
constexpr bool TakesNumbers = true;
#else
constexpr bool TakesNumbers = false;
#endif

template <int RowBytes>
__device__ __forceinline__ unsigned int line_tile_at(int row, int unit)
{
    static_assert(RowBytes % 128 == 0, "a row must cover all banks");
    return row * RowBytes + ((unit ^ (TakesNumbers ? (row & 3) << 1 : row & 7)) << 4);
}
