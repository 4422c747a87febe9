// How numbers lie in memory: float32, or bfloat16 as the upper 16 bits of one. Kernels read and write through these and
// compute in float32. The type of a compilation is `element`, chosen by -DELEMENT_BF16=1 or =0.
#pragma once

struct bf16
{
    unsigned short bits;
};

#if ELEMENT_BF16
using element = bf16;
#else
using element = float;
#endif

__device__ __forceinline__ float widen(float x) { return x; }

__device__ __forceinline__ float widen(bf16 x) { return __uint_as_float(static_cast<unsigned int>(x.bits) << 16); }

// The nearest number of a type, ties to even; a NaN stays one.
template <class T>
__device__ __forceinline__ T narrow(float x);

template <>
__device__ __forceinline__ float narrow<float>(float x) { return x; }

template <>
__device__ __forceinline__ bf16 narrow<bf16>(float x)
{
    bf16 result;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(x));
    return result;
}

// Two neighbours in one register, the first in the lower half.
__device__ __forceinline__ unsigned int narrow_pair(float first, float second)
{
    unsigned int pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
    return pair;
}

__device__ __forceinline__ float widen_first(unsigned int pair) { return __uint_as_float(pair << 16); }

__device__ __forceinline__ float widen_second(unsigned int pair) { return __uint_as_float(pair & 0xffff0000u); }
