// A list of indices, int32 or int64; absent, every position is its own index.
#pragma once

struct Indices
{
    const void* list;
    int wide, reserved;

    __device__ __forceinline__ bool given() const { return list != nullptr; }

    __device__ __forceinline__ long long operator[](long long position) const
    {
        if (list == nullptr) return position;
        return wide != 0 ? static_cast<const long long*>(list)[position] : static_cast<const int*>(list)[position];
    }
};
