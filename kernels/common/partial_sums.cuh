// Sums over rows in two stages, in an order that the shape alone gives: every block adds up a run of rows and writes
// one row of float32 for each of `targets` tensors, partial [blocks, targets, columns]; the second stage adds the
// blocks' rows.
#pragma once
#include "common/reduce.cuh"
#include "common/vector.cuh"

struct PartialSumArgs
{
    const float* partial;
    // What [columns] gets the sums; null when nobody wants it.
    element* target[2];
    int blocks, columns;
    // Bit i: add to what target i holds.
    int accumulate, reserved;
};

// First stage, end: adds up the warps of a block, the upper half to the lower until one is left, and writes its two
// rows. Lane l of every warp holds the columns of packs l, l + 32, ...
template <int Packs, int Warps>
__device__ __forceinline__ void add_warps(
    float (&first)[Packs * Pack<element>::Width], float (&second)[Packs * Pack<element>::Width], float* target,
    int columns)
{
    constexpr int Width = Pack<element>::Width;
    constexpr int Numbers = 2 * Packs * Width;
    __shared__ float held[Warps / 2][Numbers][32];
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
#pragma unroll
    for (int half = Warps / 2; half > 0; half >>= 1)
    {
        if (warp >= half && warp < 2 * half)
        {
#pragma unroll
            for (int i = 0; i < Packs * Width; ++i)
            {
                held[warp - half][i][lane] = first[i];
                held[warp - half][Packs * Width + i][lane] = second[i];
            }
        }
        __syncthreads();
        if (warp < half)
        {
#pragma unroll
            for (int i = 0; i < Packs * Width; ++i)
            {
                first[i] += held[warp][i][lane];
                second[i] += held[warp][Packs * Width + i][lane];
            }
        }
        __syncthreads();
    }
    if (warp != 0) return;
#pragma unroll
    for (int k = 0; k < Packs; ++k)
    {
        const int c = (k * 32 + lane) * Width;
        if (c >= columns) continue;
#pragma unroll
        for (int i = 0; i < Width; i += 4)
        {
            const int at = k * Width + i;
            store_raw(target + c + i, pack(Pack<float>{{first[at], first[at + 1], first[at + 2], first[at + 3]}}));
            store_raw(target + columns + c + i,
                pack(Pack<float>{{second[at], second[at + 1], second[at + 2], second[at + 3]}}));
        }
    }
}

// Second stage: a block takes 32 columns of one tensor, its warps take the blocks' rows in turn. gridDim.y = tensors.
__device__ __forceinline__ void add_partials(const PartialSumArgs& a)
{
    __shared__ float slices[32][33];
    element* target = a.target[blockIdx.y];
    if (target == nullptr) return;
    const int lane = threadIdx.x & 31, slice = threadIdx.x >> 5;
    const int c = blockIdx.x * 32 + lane;
    const long long stride = static_cast<long long>(gridDim.y) * a.columns;
    float sum = 0.0f;
    if (c < a.columns)
    {
        const float* from = a.partial + static_cast<long long>(blockIdx.y) * a.columns + c;
#pragma unroll 8
        for (int i = slice; i < a.blocks; i += 32) sum += from[i * stride];
    }
    slices[slice][lane] = sum;
    __syncthreads();
    // Turned: a warp adds up one column.
    sum = warp_sum(slices[lane][slice]);
    const int column = blockIdx.x * 32 + slice;
    if (lane != 0 || column >= a.columns) return;
    if ((a.accumulate >> blockIdx.y & 1) != 0) sum += widen(target[column]);
    target[column] = narrow<element>(sum);
}
