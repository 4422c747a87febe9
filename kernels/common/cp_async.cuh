// Copies from global to shared memory that a thread starts and does not wait for (sm_80). They are gathered into groups;
// data is there when the group has been waited for, and for other threads after a barrier. Source: PTX ISA, cp.async.
#pragma once

// The address of shared memory as instructions take it.
__device__ __forceinline__ unsigned int shared_address(const void* p)
{
    return static_cast<unsigned int>(__cvta_generic_to_shared(p));
}

// 16 bytes, of which the first `bytes` are read and the rest are zeros. Both addresses are multiples of 16; with 0 bytes
// nothing is read. They pass by the first cache: a tile is read once by its block.
__device__ __forceinline__ void cp_async(unsigned int to, const void* from, int bytes)
{
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
        :: "r"(to), "l"(__cvta_generic_to_global(from)), "r"(bytes) : "memory");
}

// Ends a group; an empty one is complete at once.
__device__ __forceinline__ void cp_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Waits until at most so many of this thread's groups are under way.
template <int Groups>
__device__ __forceinline__ void cp_async_wait()
{
    asm volatile("cp.async.wait_group %0;" :: "n"(Groups) : "memory");
}
