// Sums and maxima over the threads of a warp or block in a fixed order, known to all of them afterwards: halves
// exchanged inside each warp, then the warps' results through shared memory, taken by every thread in warp order. No
// float atomics, so the bits do not change from run to run. Blocks are whole warps of one dimension, and every thread
// of the group must call.
#pragma once

constexpr unsigned int FullWarp = 0xffffffffu;

// The larger; NaN when one is NaN (the instruction would give the other).
__device__ __forceinline__ float larger(float a, float b) { return a > b || a != a ? a : b; }

// Addition of two numbers has one result in either order: all lanes end with the same bits.
template <class T>
__device__ __forceinline__ T warp_sum(T value)
{
#pragma unroll
    for (int lane = 16; lane > 0; lane >>= 1) value += __shfl_xor_sync(FullWarp, value, lane);
    return value;
}

__device__ __forceinline__ float warp_max(float value)
{
#pragma unroll
    for (int lane = 16; lane > 0; lane >>= 1) value = larger(value, __shfl_xor_sync(FullWarp, value, lane));
    return value;
}

// A warp that works for itself.
struct WarpGroup
{
    static __device__ __forceinline__ int rank() { return threadIdx.x & 31; }
    static __device__ __forceinline__ int size() { return 32; }
    // Its number among all of the grid.
    static __device__ __forceinline__ long long index()
    {
        return static_cast<long long>(blockIdx.x) * (blockDim.x >> 5) + (threadIdx.x >> 5);
    }
    template <class T>
    static __device__ __forceinline__ T sum(T value) { return warp_sum(value); }
    static __device__ __forceinline__ float max(float value) { return warp_max(value); }
};

// A block of up to 1024 threads that work together.
struct BlockGroup
{
    static __device__ __forceinline__ int rank() { return threadIdx.x; }
    static __device__ __forceinline__ int size() { return blockDim.x; }
    static __device__ __forceinline__ long long index() { return blockIdx.x; }

    template <class T>
    static __device__ __forceinline__ T sum(T value)
    {
        __shared__ T partial[32];
        value = warp_sum(value);
        if ((threadIdx.x & 31) == 0) partial[threadIdx.x >> 5] = value;
        __syncthreads();
        T total = 0;
        for (int i = 0; i < blockDim.x >> 5; ++i) total += partial[i];
        __syncthreads();
        return total;
    }

    static __device__ __forceinline__ float max(float value)
    {
        __shared__ float partial[32];
        value = warp_max(value);
        if ((threadIdx.x & 31) == 0) partial[threadIdx.x >> 5] = value;
        __syncthreads();
        float largest = partial[0];
        for (int i = 1; i < blockDim.x >> 5; ++i) largest = larger(largest, partial[i]);
        __syncthreads();
        return largest;
    }
};
