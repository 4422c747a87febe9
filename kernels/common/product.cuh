// The product [M, K] x [K, N] that matrix products, linear layers and convolutions share, for each index of a batch. C is
// cut into tiles, one a block; K into parts where tiles alone would leave most of the device idle. Sums of parts go to a
// buffer, which a second kernel adds in order: no atomics, the same bits at every run.
//
//   global memory --cp.async--> three stages of (left tile, right tile), 64 bytes deep --> sums in registers
//        step s:  wait for tile s | barrier | start copying tile s + 2 | multiply tile s
//   sums --> shared memory (half the rows at a time) --> eight neighbours a thread: scale, bias, activation --> global
#pragma once
#include "common/activation.cuh"
#include "common/tile_loads.cuh"
#include "common/vector.cuh"

constexpr int ProductStages = 3;

// Offsets of the matrices of a batch index; dimension 0 is the outermost.
struct ProductBatch
{
    long long left[6], right[6], c[6];
    int extents[6];
    int rank, count;

    __device__ __forceinline__ void offsets(int index, long long& of_left, long long& of_right, long long& of_c) const
    {
        of_left = of_right = of_c = 0;
#pragma unroll 1
        for (int d = rank - 1; d >= 0; --d)
        {
            const int i = index % extents[d];
            index /= extents[d];
            of_left += i * left[d];
            of_right += i * right[d];
            of_c += i * c[d];
        }
    }
};

// What becomes of the sums: c = activation(alpha sum + bias), or c += for an accumulating product. Row r of C lies at
// (r / rows of a sample) sample_step + (r mod rows of a sample) row_step from its matrix's offset.
struct ProductEnd
{
    element* c;
    // Takes the sums before the activation, laid out as C; or null.
    element* sums;
    // Null, or such that the bias of column n of a matrix at offset o of C is element o + n.
    const element* bias;
    long long sample_step, row_step;
    Divisor sample_rows;
    float alpha;
    int activation, accumulate;
    // 1 = every eight columns that begin at a multiple of eight lie at a multiple of 16 bytes.
    int wide, reserved;

    __device__ __forceinline__ long long place(long long from, int row, int column) const
    {
        int within;
        const int sample = sample_rows.divide(row, within);
        return from + sample * sample_step + within * row_step + column;
    }

    // Whether the eight neighbours from a column on exist and can be read and written 16 bytes at a time.
    __device__ __forceinline__ bool takes_eight(int column, int columns) const { return wide != 0 && column + 8 <= columns; }

    __device__ __forceinline__ void finish_eight(long long from, int row, int column, float (&v)[8]) const
    {
        constexpr int Width = Pack<element>::Width;
        const long long at = place(from, row, column);
#pragma unroll
        for (int i = 0; i < 8; ++i) v[i] *= alpha;
        if (bias != nullptr)
        {
#pragma unroll
            for (int i = 0; i < 8; ++i) v[i] += widen(bias[from + column + i]);
        }
        if (sums != nullptr) store_eight(sums + at, v);
        if (activation == Gelu)
        {
#pragma unroll
            for (int i = 0; i < 8; ++i) v[i] = gelu(v[i]);
        }
        else if (activation == GeluTanh)
        {
#pragma unroll
            for (int i = 0; i < 8; ++i) v[i] = gelu_tanh(v[i]);
        }
        if (accumulate != 0)
        {
#pragma unroll
            for (int i = 0; i < 8; i += Width)
            {
                const Pack<element> held = unpack<element>(load_raw(c + at + i));
#pragma unroll
                for (int j = 0; j < Width; ++j) v[i + j] += held[j];
            }
        }
        store_eight(c + at, v);
    }

    __device__ __forceinline__ void finish_one(long long from, int row, int column, float v) const
    {
        const long long at = place(from, row, column);
        v *= alpha;
        if (bias != nullptr) v += widen(bias[from + column]);
        if (sums != nullptr) sums[at] = narrow<element>(v);
        v = activate(activation, v);
        if (accumulate != 0) v += widen(c[at]);
        c[at] = narrow<element>(v);
    }

    static __device__ __forceinline__ void store_eight(element* to, const float (&v)[8])
    {
        constexpr int Width = Pack<element>::Width;
#pragma unroll
        for (int i = 0; i < 8; i += Width)
        {
            Pack<element> p;
#pragma unroll
            for (int j = 0; j < Width; ++j) p[j] = v[i + j];
            store_raw(to + i, pack(p));
        }
    }
};

// The end of a product that gives the gradient of what an activation was applied to: c = sum activation'(sums), where sums are
// those of the forward call and are read. It has kernels of its own: the others have no register to spare for slopes. Nothing
// else of the end is looked at, but where C lies.
struct SlopeEnd : ProductEnd
{
    __device__ __forceinline__ void finish_eight(long long from, int row, int column, float (&v)[8]) const
    {
        constexpr int Width = Pack<element>::Width;
        const long long at = place(from, row, column);
#pragma unroll
        for (int i = 0; i < 8; i += Width)
        {
            const Pack<element> s = unpack<element>(load_streamed(sums + at + i));
            if (activation == Gelu)
            {
#pragma unroll
                for (int j = 0; j < Width; ++j) v[i + j] *= gelu_slope(s[j]);
            }
            else
            {
#pragma unroll
                for (int j = 0; j < Width; ++j) v[i + j] *= gelu_tanh_slope(s[j]);
            }
        }
        store_eight(c + at, v);
    }

    __device__ __forceinline__ void finish_one(long long from, int row, int column, float v) const
    {
        const long long at = place(from, row, column);
        c[at] = narrow<element>(v * activation_slope(activation, widen(sums[at])));
    }
};

template <class Left, class Right, class End = ProductEnd>
struct ProductArgs
{
    Left left;
    Right right;
    End end;
    ProductBatch batch;
    // Sums of the parts [parts, batch, m, partial_columns] when there are several.
    float* partial;
    int m, n, k;
    int row_tiles, column_tiles;
    // Parts of K, and their length, a multiple of a tile's depth.
    int parts, part_length;
    // n, rounded up to whole runs of eight.
    int partial_columns;
};

// Sums in shared memory: eight neighbours are 32 bytes, and run b of row r lies at b ^ (r / Apart % 4). Four rows that lie so
// far apart come from one warp at once, and meet in no bank.
template <int Columns, int Apart>
struct SumTile
{
    static __device__ __forceinline__ int at(int row, int column)
    {
        return row * Columns + ((column >> 3 ^ (row / Apart & 3)) << 3 | (column & 7));
    }

    // Eight neighbours. Threads 4 to 7 of eight read their second half first: 32 bytes apart, they would meet the others'
    // banks.
    static __device__ __forceinline__ void read(const float* memory, int row, int column, float (&v)[8])
    {
        const float4* run = reinterpret_cast<const float4*>(memory + at(row, column));
        const bool turned = (threadIdx.x & 4) != 0;
        const float4 first = run[turned ? 1 : 0], second = run[turned ? 0 : 1];
        const float4 low = turned ? second : first, high = turned ? first : second;
        v[0] = low.x, v[1] = low.y, v[2] = low.z, v[3] = low.w;
        v[4] = high.x, v[5] = high.y, v[6] = high.z, v[7] = high.w;
    }
};

// Which tile, part and matrix a block has. Tiles are walked in bands of eight rows of tiles, down first: blocks that run at
// the same time then share operands in the second cache.
struct ProductPlace
{
    int row, column, part, batch, inner, inner_end;

    template <class Core, class Args>
    static __device__ __forceinline__ ProductPlace of(const Args& a)
    {
        constexpr int BandHeight = 8;
        ProductPlace p;
        const int tiles = a.row_tiles * a.column_tiles;
        int rest = blockIdx.x / tiles;
        const int tile = blockIdx.x - rest * tiles;
        p.part = rest / a.batch.count;
        p.batch = rest - p.part * a.batch.count;
        const int band = tile / (BandHeight * a.column_tiles);
        const int height = min(BandHeight, a.row_tiles - band * BandHeight);
        rest = tile - band * BandHeight * a.column_tiles;
        const int across = rest / height;
        p.row = (band * BandHeight + rest - across * height) * Core::Rows;
        p.column = across * Core::Columns;
        p.inner = p.part * a.part_length;
        p.inner_end = min(a.k, p.inner + a.part_length);
        return p;
    }
};

// The sums of a block's tile, by way of Stages * (Rows + Columns) * 64 bytes of shared memory, which is free again afterwards.
template <int Stages, class LeftLoad, class RightLoad, class Core, class Args>
__device__ __forceinline__ void sum_products(
    Core& core, const Args& a, const ProductPlace& place, long long from_left, long long from_right, unsigned int stages)
{
    constexpr unsigned int LeftBytes = Core::Rows * 64, StageBytes = LeftBytes + Core::Columns * 64;
    const LeftLoad left(a.left, from_left, place.row, a.m, place.inner_end);
    const RightLoad right(a.right, from_right, place.column, a.n, place.inner_end);
    core.clear();
#pragma unroll
    for (int s = 0; s < Stages - 1; ++s)
    {
        const int inner = place.inner + s * TileDepth;
        if (inner < place.inner_end)
        {
            left.load(stages + s * StageBytes, inner);
            right.load(stages + s * StageBytes + LeftBytes, inner);
        }
        cp_async_commit();
    }
    constexpr unsigned int LastStage = (Stages - 1) * StageBytes;
    unsigned int reads = stages;
#pragma unroll 1
    for (int inner = place.inner; inner < place.inner_end; inner += TileDepth)
    {
        cp_async_wait<Stages - 2>();
        // Everybody's part of this tile is there, and nobody reads the one before any more: its stage is free.
        __syncthreads();
        const int next = inner + (Stages - 1) * TileDepth;
        if (next < place.inner_end)
        {
            const unsigned int writes = reads == stages ? stages + LastStage : reads - StageBytes;
            left.load(writes, next);
            right.load(writes + LeftBytes, next);
        }
        cp_async_commit();
        core.step(reads, reads + LeftBytes);
        reads = reads == stages + LastStage ? stages : reads + StageBytes;
    }
    cp_async_wait<0>();
    __syncthreads();
}

// The whole life of a block. Dynamic shared memory: ProductStages * (Rows + Columns) * 64 bytes.
template <class Core, class LeftLoad, class RightLoad, class Args>
__device__ __forceinline__ void multiply(const Args& a)
{
    extern __shared__ __align__(1024) unsigned char memory[];
    const ProductPlace place = ProductPlace::of<Core>(a);
    long long from_left, from_right, from_c;
    a.batch.offsets(place.batch, from_left, from_right, from_c);
    Core core;
    sum_products<ProductStages, LeftLoad, RightLoad>(core, a, place, from_left, from_right, shared_address(memory));

    // At most two thirds of the stages' memory: 64 rows at a time.
    constexpr int StagedRows = 64, Runs = Core::Columns / 8;
    static_assert(StagedRows * Core::Columns * 4 <= ProductStages * (Core::Rows + Core::Columns) * 64, "sums do not fit");
    using Tile = SumTile<Core::Columns, Core::RowsApart>;
    float* const sums = reinterpret_cast<float*>(memory);
    // Columns before this one leave in whole runs, the others one by one.
    const int runs_end = a.parts != 1 ? a.n : a.end.wide != 0 ? a.n & ~7 : 0;
#pragma unroll 1
    for (int first = 0; first < Core::Rows; first += StagedRows)
    {
        core.template stage<Tile>(sums, first, StagedRows);
        __syncthreads();
#pragma unroll 1
        for (int i = threadIdx.x; i < (runs_end > 0 ? StagedRows * Runs : 0); i += Core::Threads)
        {
            const int row = place.row + first + i / Runs, column = place.column + i % Runs * 8;
            if (row >= a.m || column >= runs_end) continue;
            float v[8];
            Tile::read(sums, i / Runs, i % Runs * 8, v);
            if (a.parts == 1)
            {
                a.end.finish_eight(from_c, row, column, v);
                continue;
            }
            const long long line = (static_cast<long long>(place.part) * a.batch.count + place.batch) * a.m + row;
            float4* to = reinterpret_cast<float4*>(a.partial + line * a.partial_columns + column);
            to[0] = make_float4(v[0], v[1], v[2], v[3]);
            to[1] = make_float4(v[4], v[5], v[6], v[7]);
        }
        if (runs_end < min(a.n, place.column + Core::Columns))
        {
            // A warp takes neighbours, which lie side by side in both memories.
#pragma unroll 1
            for (int i = threadIdx.x; i < StagedRows * Core::Columns; i += Core::Threads)
            {
                const int row = place.row + first + i / Core::Columns, column = place.column + i % Core::Columns;
                if (row >= a.m || column >= a.n || column < runs_end) continue;
                a.end.finish_one(from_c, row, column, sums[Tile::at(i / Core::Columns, i % Core::Columns)]);
            }
        }
        __syncthreads();
    }
}

// The second stage of a product whose inner extent was cut.
template <class End>
struct ProductSumArgs
{
    const float* partial;
    End end;
    ProductBatch batch;
    // Runs of eight columns of all matrices, and of one row; rows of a matrix.
    int runs, parts, n, reserved;
    Divisor row_runs, matrix_rows;
};

// Adds the parts in order: eight neighbours a thread.
template <class End>
__device__ __forceinline__ void add_parts(const ProductSumArgs<End>& a)
{
    const int run = blockIdx.x * blockDim.x + threadIdx.x;
    if (run >= a.runs) return;
    int in_row, row;
    const int line = a.row_runs.divide(run, in_row);
    const int index = a.matrix_rows.divide(line, row);
    long long from_left, from_right, from_c;
    a.batch.offsets(index, from_left, from_right, from_c);
    const float* from = a.partial + static_cast<long long>(run) * 8;
    const long long part_step = static_cast<long long>(a.runs) * 8;
    if (!a.end.takes_eight(in_row * 8, a.n))
    {
#pragma unroll 1
        for (int c = 0; c < min(8, a.n - in_row * 8); ++c)
        {
            float sum = 0.0f;
            for (int part = 0; part < a.parts; ++part) sum += from[c + part * part_step];
            a.end.finish_one(from_c, row, in_row * 8 + c, sum);
        }
        return;
    }
    float v[8] = {};
#pragma unroll 4
    for (int part = 0; part < a.parts; ++part, from += part_step)
    {
        const float4 low = reinterpret_cast<const float4*>(from)[0], high = reinterpret_cast<const float4*>(from)[1];
        v[0] += low.x, v[1] += low.y, v[2] += low.z, v[3] += low.w;
        v[4] += high.x, v[5] += high.y, v[6] += high.z, v[7] += high.w;
    }
    a.end.finish_eight(from_c, row, in_row * 8, v);
}
