// How a tile of an operand comes to shared memory: `Lines` lines by 64 bytes of the inner extent, in units of 16 bytes. A
// load is made once per block, knows which units its thread copies, and starts the copies of one tile after another.
// Elements outside of the operand become zeros, so that products need no limits.
#pragma once
#include "common/cp_async.cuh"
#include "common/operands.cuh"
#include "common/swizzle.cuh"

// Elements of a unit, and of the inner extent of a tile.
constexpr int UnitElements = 16 / sizeof(element);
constexpr int TileDepth = 64 / sizeof(element);

// Bytes of a unit that exist when so many elements are left.
__device__ __forceinline__ int unit_bytes(int left)
{
    return min(max(left, 0), UnitElements) * static_cast<int>(sizeof(element));
}

// Lines that are contiguous along the inner extent: an InnerTile. A thread takes one unit of every Threads / 4 lines.
template <int Lines, int Threads>
struct InnerWalk
{
    static constexpr bool InnerFirst = true;
    static constexpr int Passes = Lines * 4 / Threads;
    static constexpr int PassLines = Threads / 4;
    static_assert(PassLines % 8 == 0, "passes must not change a unit's place in its line");

    static __device__ __forceinline__ int line() { return threadIdx.x >> 2; }
    static __device__ __forceinline__ int inner() { return (threadIdx.x & 3) * UnitElements; }
    static __device__ __forceinline__ unsigned int place(int pass)
    {
        return inner_tile_at(line(), threadIdx.x & 3) + pass * PassLines * 64;
    }
};

// Lines that are neighbours in memory at one inner index: a LineTile. A thread takes one unit of every few inner indices.
template <int Lines, int Threads>
struct LineWalk
{
    static constexpr bool InnerFirst = false;
    static constexpr int Units = Lines / UnitElements;
    static constexpr int PassInners = Threads / Units;
    static constexpr int Passes = TileDepth / PassInners;
    static_assert(PassInners >= 1 && Passes >= 1, "threads must cover whole rows");

    static __device__ __forceinline__ int line() { return (threadIdx.x % Units) * UnitElements; }
    static __device__ __forceinline__ int inner() { return threadIdx.x / Units; }
    static __device__ __forceinline__ unsigned int place(int pass)
    {
        return line_tile_at<Units * 16>(inner() + pass * PassInners, threadIdx.x % Units);
    }
};

// A matrix whose lines are contiguous. Requires units at multiples of 16 bytes.
template <int Lines, int Threads>
struct MatrixByLines
{
    using Walk = InnerWalk<Lines, Threads>;
    static constexpr bool InnerFirst = true;
    const MatrixOperand& matrix;
    const element* first;
    int lines_left, inner_end;

    __device__ __forceinline__ MatrixByLines(const MatrixOperand& m, long long from, int line, int lines, int end)
        : matrix(m), first(m.data + from + (line + Walk::line()) * m.line_step), lines_left(lines - line - Walk::line()),
          inner_end(end)
    {
    }

    __device__ __forceinline__ void load(unsigned int tile, int inner) const
    {
        inner += Walk::inner();
        const int bytes = unit_bytes(inner_end - inner);
        const element* at = first + inner;
        const long long pass_step = Walk::PassLines * matrix.line_step;
#pragma unroll
        for (int pass = 0; pass < Walk::Passes; ++pass, at += pass_step)
        {
            cp_async(tile + Walk::place(pass), at, pass * Walk::PassLines < lines_left ? bytes : 0);
        }
    }
};

// A matrix whose lines are neighbours (its transpose is contiguous). Requires units at multiples of 16 bytes.
template <int Lines, int Threads>
struct MatrixByInners
{
    using Walk = LineWalk<Lines, Threads>;
    static constexpr bool InnerFirst = false;
    const MatrixOperand& matrix;
    const element* first;
    int bytes, inner_end;

    __device__ __forceinline__ MatrixByInners(const MatrixOperand& m, long long from, int line, int lines, int end)
        : matrix(m), first(m.data + from + line + Walk::line()), bytes(unit_bytes(lines - line - Walk::line())), inner_end(end)
    {
    }

    __device__ __forceinline__ void load(unsigned int tile, int inner) const
    {
        inner += Walk::inner();
        const element* at = first + inner * matrix.inner_step;
        const long long pass_step = Walk::PassInners * matrix.inner_step;
#pragma unroll
        for (int pass = 0; pass < Walk::Passes; ++pass, at += pass_step)
        {
            cp_async(tile + Walk::place(pass), at, inner + pass * Walk::PassInners < inner_end ? bytes : 0);
        }
    }
};

// Rows of taps as lines. Requires channels and widths of whole units, at multiples of 16 bytes.
template <int Lines, int Threads>
struct TapsByLines
{
    using Walk = InnerWalk<Lines, Threads>;
    static constexpr bool InnerFirst = true;
    // Rows behind the last one have a frame from which no tap leads back into a signal.
    static constexpr int Nowhere = -(1 << 30);
    const TapLines& signal;
    long long places[Walk::Passes];
    int frames[Walk::Passes];
    int inner_end;

    __device__ __forceinline__ TapsByLines(const TapLines& s, long long from, int line, int lines, int end)
        : signal(s), inner_end(end)
    {
#pragma unroll
        for (int pass = 0; pass < Walk::Passes; ++pass)
        {
            const int row = line + Walk::line() + pass * Walk::PassLines;
            places[pass] = from + s.row_place(row, frames[pass]);
            if (row >= lines) frames[pass] = Nowhere;
        }
    }

    __device__ __forceinline__ void load(unsigned int tile, int inner) const
    {
        inner += Walk::inner();
        int tap;
        const element* at = signal.data + signal.tap_place(inner, tap);
#pragma unroll
        for (int pass = 0; pass < Walk::Passes; ++pass)
        {
            const bool inside = signal.has(frames[pass] + tap) && inner < inner_end;
            cp_async(tile + Walk::place(pass), inside ? at + places[pass] : signal.data, inside ? 16 : 0);
        }
    }
};

// Taps as lines, rows as inner indices. Requires channels and widths of whole units, at multiples of 16 bytes.
template <int Lines, int Threads>
struct TapsByInners
{
    using Walk = LineWalk<Lines, Threads>;
    static constexpr bool InnerFirst = false;
    const TapInners& signal;
    const element* first;
    int tap, inner_end;

    __device__ __forceinline__ TapsByInners(const TapInners& s, long long from, int line, int lines, int end)
        : signal(s), inner_end(line + Walk::line() < lines ? end : 0)
    {
        first = s.data + from + s.tap_place(line + Walk::line(), tap);
    }

    __device__ __forceinline__ void load(unsigned int tile, int inner) const
    {
#pragma unroll
        for (int pass = 0; pass < Walk::Passes; ++pass)
        {
            const int row = inner + Walk::inner() + pass * Walk::PassInners;
            int frame;
            const long long place = signal.row_place(row, frame);
            const bool inside = signal.has(frame + tap) && row < inner_end;
            cp_async(tile + Walk::place(pass), inside ? first + place : signal.data, inside ? 16 : 0);
        }
    }
};

// Turned weights. Requires input channels of a group in whole units, at multiples of 16 bytes.
template <int Lines, int Threads>
struct WeightsByInners
{
    using Walk = LineWalk<Lines, Threads>;
    static constexpr bool InnerFirst = false;
    const TurnedWeights& weights;
    long long from;
    int line, inner_end;

    __device__ __forceinline__ WeightsByInners(const TurnedWeights& w, long long offset, int first, int lines, int end)
        : weights(w), from(offset), line(first + Walk::line()), inner_end(first + Walk::line() < lines ? end : 0)
    {
    }

    __device__ __forceinline__ void load(unsigned int tile, int inner) const
    {
#pragma unroll
        for (int pass = 0; pass < Walk::Passes; ++pass)
        {
            const int at = inner + Walk::inner() + pass * Walk::PassInners;
            const bool inside = at < inner_end;
            cp_async(tile + Walk::place(pass), inside ? weights.at(from, line, at) : weights.data, inside ? 16 : 0);
        }
    }
};

// Any operand, element by element: for odd sizes and addresses. An InnerTile, whichever way the operand lies; neighbouring
// threads take neighbours in memory.
template <int Lines, int Threads, class Operand>
struct Elementwise
{
    static constexpr bool InnerFirst = true;
    const Operand& operand;
    long long from;
    int line, lines, inner_end;

    __device__ __forceinline__ Elementwise(const Operand& o, long long offset, int first, int count, int end)
        : operand(o), from(offset), line(first), lines(count), inner_end(end)
    {
    }

    __device__ __forceinline__ void load(unsigned int tile, int inner) const
    {
#pragma unroll 1
        for (int i = threadIdx.x; i < Lines * 4; i += Threads)
        {
            const bool along = operand.along_inner();
            const int r = along ? i >> 2 : i % Lines;
            const int unit = along ? i & 3 : i / Lines;
            element values[UnitElements] = {};
            const int begin = inner + unit * UnitElements;
            if (line + r < lines && begin < inner_end)
            {
#pragma unroll
                for (int j = 0; j < UnitElements; ++j)
                {
                    const element* p = begin + j < inner_end ? operand.at(from, line + r, begin + j) : nullptr;
                    if (p != nullptr) values[j] = *p;
                }
            }
            store_unit(tile + inner_tile_at(r, unit), values);
        }
    }

    static __device__ __forceinline__ void store_unit(unsigned int to, const float (&v)[4])
    {
        asm volatile("st.shared.v4.f32 [%0], {%1, %2, %3, %4};"
            :: "r"(to), "f"(v[0]), "f"(v[1]), "f"(v[2]), "f"(v[3]) : "memory");
    }

    static __device__ __forceinline__ void store_unit(unsigned int to, const bf16 (&v)[8])
    {
        asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" :: "r"(to), "r"(v[0].bits | v[1].bits << 16),
            "r"(v[2].bits | v[3].bits << 16), "r"(v[4].bits | v[5].bits << 16), "r"(v[6].bits | v[7].bits << 16) : "memory");
    }
};
