// The activations that operations apply to their results, and their derivatives, in float32. GELU is relatively
// accurate in its lower tail, where 1 - erf would have lost all digits. Sources: Hendrycks and Gimpel 2016; the
// polynomial of the tail stands in Data2Vec.Kernels/Cpu/LaneMath.cs, a shorter one of the same kind (best for the relative error
// over [0, 14]) serves bf16.
#pragma once
#include "common/element.cuh"

enum Activation : int
{
    Identity = 0,
    Gelu = 1,
    GeluTanh = 2,
};

// 2^x, to 2 units in the last place; results below 2^-126 become 0.
__device__ __forceinline__ float exp2_fast(float x)
{
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

// 1 / x, to 1 unit in the last place, for x in [2^-126, 2^126].
__device__ __forceinline__ float reciprocal_fast(float x)
{
    float y;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

// Standard normal distribution function, and e^(-x^2 / 2). What is rounded to bf16 afterwards has 8 of the digits of float32:
// a tail that is right to 3e-5 of itself gives another result, the other neighbour, two times in a thousand.
#if ELEMENT_BF16
__device__ __forceinline__ float normal_cdf(float x, float& gaussian)
{
    gaussian = exp2_fast(x * x * -0.72134752f);
    const float u = reciprocal_fast(fmaf(fabsf(x), 0.375f, 1.0f));
    float p = -0.0906427712f;
    p = fmaf(p, u, 0.200281569f);
    p = fmaf(p, u, 0.0835641238f);
    p = fmaf(p, u, 0.157733961f);
    p = fmaf(p, u, 0.14906103f);
    const float tail = p * u * gaussian;
    return x < 0.0f ? tail : 1.0f - tail;
}
#else
__device__ __forceinline__ float normal_cdf(float x, float& gaussian)
{
    // Zero from 14 on in float32, and a square must stay finite for its error to be a number.
    const float t = fminf(fabsf(x), 20.0f);
    // x^2 log2(e) / 2, with what rounding took from the square and from the product put back.
    const float square = t * t;
    const float square_rest = fmaf(t, t, -square);
    const float exponent = square * -0.72134752f;
    const float exponent_rest = fmaf(square, -0.72134752f, -exponent)
        + fmaf(square_rest, -0.72134752f, square * -9.6298149e-9f);
    gaussian = exp2_fast(exponent) * fmaf(exponent_rest, 0.69314718f, 1.0f);
    const float u = reciprocal_fast(fmaf(t, 0.3125f, 1.0f));
    float p = -0.0183528308f;
    p = fmaf(p, u, 0.0879669413f);
    p = fmaf(p, u, -0.143402994f);
    p = fmaf(p, u, 0.0647033602f);
    p = fmaf(p, u, 0.00485084299f);
    p = fmaf(p, u, 0.0519018844f);
    p = fmaf(p, u, 0.0912300646f);
    p = fmaf(p, u, 0.111664832f);
    p = fmaf(p, u, 0.124773577f);
    p = fmaf(p, u, 0.124664314f);
    const float tail = p * u * gaussian;
    // fminf took a NaN away; the sum brings it back.
    return (x < 0.0f ? tail : 1.0f - tail) + (x != x ? x : 0.0f);
}
#endif

// x Phi(x); NaN at -inf, as the product is.
__device__ __forceinline__ float gelu(float x)
{
    float gaussian;
    return x * normal_cdf(x, gaussian);
}

// Phi(x) + x phi(x); NaN at both infinities, as the product is.
__device__ __forceinline__ float gelu_slope(float x)
{
    float gaussian;
    const float cdf = normal_cdf(x, gaussian);
    return fmaf(x * 0.3989422804f, gaussian, cdf);
}

// 2 sqrt(2 / pi) (x + 0.044715 x^3).
__device__ __forceinline__ float twice_tanh_argument(float x) { return 1.5957691216f * fmaf(x * x * 0.044715f, x, x); }

// The tanh approximation of GELU, as x / (1 + e^-2u): the tail keeps its accuracy. NaN at -inf.
__device__ __forceinline__ float gelu_tanh(float x)
{
    const float u = twice_tanh_argument(x);
    const float e = expf(-fabsf(u));
    const float s = 1.0f / (1.0f + e);
    return x * (u < 0.0f ? e * s : s);
}

// Its derivative; NaN at both infinities.
__device__ __forceinline__ float gelu_tanh_slope(float x)
{
    // Beyond 30 the sigmoid is 0 or 1 and its slope 0; clamped, or x^2 would overflow against that 0.
    const float near = x > 30.0f ? 30.0f : x < -30.0f ? -30.0f : x;
    const float e = expf(-fabsf(twice_tanh_argument(near)));
    const float s = 1.0f / (1.0f + e);
    const float slope = e * s * s;
    const float inner = 1.5957691216f * fmaf(near * near, 3.0f * 0.044715f, 1.0f);
    // x - x: 0, but NaN for an infinity.
    return fmaf(near * slope, inner, x < 0.0f ? e * s : s) + (x - x);
}

__device__ __forceinline__ float activate(int activation, float x)
{
    return activation == Gelu ? gelu(x) : activation == GeluTanh ? gelu_tanh(x) : x;
}

__device__ __forceinline__ float activation_slope(int activation, float x)
{
    return activation == Gelu ? gelu_slope(x) : activation == GeluTanh ? gelu_tanh_slope(x) : 1.0f;
}
