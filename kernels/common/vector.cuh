// Sixteen bytes at a time: eight bfloat16 or four float32 numbers. `Raw` is what a transaction moves, `Pack` the same
// numbers widened; a kernel that holds many rows keeps them raw. Addresses must be multiples of 16 bytes.
#pragma once
#include "common/element.cuh"

using Raw = uint4;

template <class T>
struct Pack
{
    static constexpr int Width = 16 / sizeof(T);
    float v[Width];

    __device__ __forceinline__ float& operator[](int i) { return v[i]; }
    __device__ __forceinline__ float operator[](int i) const { return v[i]; }
};

// Numbers that no other thread will read again: they pass by the first cache. Such a place may be written afterwards by
// the thread that has read it (operands may be one buffer), but never before.
__device__ __forceinline__ Raw load_streamed(const void* p)
{
    Raw r;
    // Volatile, or the compiler may read before it has asked whether there is something to read.
    asm volatile("ld.global.L1::no_allocate.v4.b32 {%0, %1, %2, %3}, [%4];"
        : "=r"(r.x), "=r"(r.y), "=r"(r.z), "=r"(r.w) : "l"(__cvta_generic_to_global(p)));
    return r;
}

// Numbers that many threads read and nobody writes during the kernel, such as scales of columns.
__device__ __forceinline__ Raw load_shared_by_all(const void* p) { return __ldg(static_cast<const Raw*>(p)); }

// Ordinary accesses, for places that this thread reads more than once.
__device__ __forceinline__ Raw load_raw(const void* p) { return *static_cast<const Raw*>(p); }

__device__ __forceinline__ void store_raw(void* p, Raw r) { *static_cast<Raw*>(p) = r; }

// What nobody reads soon, and what is larger than the second cache: first to be thrown out of it.
__device__ __forceinline__ void store_streamed(void* p, Raw r)
{
    asm volatile("st.global.cs.v4.b32 [%0], {%1, %2, %3, %4};"
        :: "l"(__cvta_generic_to_global(p)), "r"(r.x), "r"(r.y), "r"(r.z), "r"(r.w) : "memory");
}

// Changes nothing, as `zero` is 0; but the assembler does not know that, and so computes again what was computed of
// these numbers instead of holding it in registers.
__device__ __forceinline__ void forget(Raw& r, unsigned int zero)
{
    r.x ^= zero;
    r.y ^= zero;
    r.z ^= zero;
    r.w ^= zero;
}

template <class T>
__device__ __forceinline__ Pack<T> unpack(Raw r);

template <>
__device__ __forceinline__ Pack<float> unpack<float>(Raw r)
{
    return {{__uint_as_float(r.x), __uint_as_float(r.y), __uint_as_float(r.z), __uint_as_float(r.w)}};
}

template <>
__device__ __forceinline__ Pack<bf16> unpack<bf16>(Raw r)
{
    return {{widen_first(r.x), widen_second(r.x), widen_first(r.y), widen_second(r.y),
        widen_first(r.z), widen_second(r.z), widen_first(r.w), widen_second(r.w)}};
}

__device__ __forceinline__ Raw pack(const Pack<float>& p)
{
    return {__float_as_uint(p.v[0]), __float_as_uint(p.v[1]), __float_as_uint(p.v[2]), __float_as_uint(p.v[3])};
}

__device__ __forceinline__ Raw pack(const Pack<bf16>& p)
{
    return {narrow_pair(p.v[0], p.v[1]), narrow_pair(p.v[2], p.v[3]),
        narrow_pair(p.v[4], p.v[5]), narrow_pair(p.v[6], p.v[7])};
}
