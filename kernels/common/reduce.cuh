// Sums over the threads of a block in a fixed order: shuffles inside each warp, then the warps' sums through shared memory,
// added by every thread in warp order. No float atomics, so the bits do not change from run to run.
#pragma once

template <int Threads>
__device__ __forceinline__ float block_sum(float value)
{
    __shared__ float partial[Threads / 32];
    for (int offset = 16; offset > 0; offset >>= 1) value += __shfl_down_sync(0xffffffffu, value, offset);
    if ((threadIdx.x & 31) == 0) partial[threadIdx.x >> 5] = value;
    __syncthreads();
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < Threads / 32; ++i) sum += partial[i];
    __syncthreads();
    return sum;
}
