// The norm of a row that a warp holds in registers: y = activation((s - mean) * rstd * gamma + beta). Lane l holds packs l,
// l + 32, ... of the row; packs behind its end are zeros. Two passes with a correction: Chan, Golub and LeVeque 1983.
#pragma once
#include "common/activation.cuh"
#include "common/reduce.cuh"
#include "common/vector.cuh"

// gamma, beta [columns], or null; mean, rstd [rows], or null.
struct RowNorm
{
    const element* gamma;
    const element* beta;
    element* y;
    float* mean;
    float* rstd;
    int columns;
    float eps;
};

// The reciprocal deviation; writes the statistics of a row. `rest` and `squares` are means.
__device__ __forceinline__ float finish_statistics(
    const RowNorm& a, long long row, bool writes, float mean, float rest, float squares)
{
    // Rounding can take the variance of equal numbers below 0.
    const float variance = fmaf(-rest, rest, squares);
    const float rstd = 1.0f / sqrtf((variance < 0.0f ? 0.0f : variance) + a.eps);
    if (writes)
    {
        if (a.mean != nullptr) a.mean[row] = mean + rest;
        if (a.rstd != nullptr) a.rstd[row] = rstd;
    }
    return rstd;
}

// A row of at most Packs * 32 packs; Active: with a GELU.
template <int Packs, bool Active>
__device__ __forceinline__ void normalise_row(const RowNorm& a, long long row, const Raw (&raw)[Packs])
{
    constexpr int Width = Pack<element>::Width;
    const int lane = WarpGroup::rank();
    Pack<element> s[Packs];
    float mean = 0.0f;
#pragma unroll
    for (int k = 0; k < Packs; ++k)
    {
        s[k] = unpack<element>(raw[k]);
#pragma unroll
        for (int i = 0; i < Width; ++i) mean += s[k][i];
    }
    const float share = 1.0f / a.columns;
    mean = warp_sum(mean) * share;
    float rest = 0.0f, squares = 0.0f;
#pragma unroll
    for (int k = 0; k < Packs; ++k)
    {
        if ((k * 32 + lane) * Width >= a.columns) continue;
#pragma unroll
        for (int i = 0; i < Width; ++i)
        {
            s[k][i] -= mean;
            rest += s[k][i];
            squares = fmaf(s[k][i], s[k][i], squares);
        }
    }
    rest = warp_sum(rest) * share;
    squares = warp_sum(squares) * share;
    const float rstd = finish_statistics(a, row, lane == 0, mean, rest, squares);

#pragma unroll
    for (int k = 0; k < Packs; ++k)
    {
        const int c = (k * 32 + lane) * Width;
        if (c >= a.columns) continue;
        Pack<element> h;
#pragma unroll
        for (int i = 0; i < Width; ++i) h[i] = (s[k][i] - rest) * rstd;
        if (a.gamma != nullptr)
        {
            const Pack<element> gamma = unpack<element>(load_shared_by_all(a.gamma + c));
#pragma unroll
            for (int i = 0; i < Width; ++i) h[i] *= gamma[i];
        }
        if (a.beta != nullptr)
        {
            const Pack<element> beta = unpack<element>(load_shared_by_all(a.beta + c));
#pragma unroll
            for (int i = 0; i < Width; ++i) h[i] += beta[i];
        }
        if constexpr (Active)
        {
#pragma unroll
            for (int i = 0; i < Width; ++i) h[i] = gelu(h[i]);
        }
        store_raw(a.y + row * a.columns + c, pack(h));
    }
}
