// Which arithmetic a product of this compilation's type uses, and what a block of it takes: tensor cores for bf16, and for
// float32 fused multiply-adds, or with -DTENSOR_FLOAT32=1 tensor cores that look at the first 10 digits only.
#pragma once

#if ELEMENT_BF16 || TENSOR_FLOAT32
#include "common/tensor_core.cuh"

template <int Rows, int Columns, bool LeftInner, bool RightInner>
using ProductCore = TensorCore<Rows, Columns, LeftInner, RightInner>;

// Large: up to 255 registers a thread, so that two blocks fill the registers of a multiprocessor.
constexpr int LargeThreads = 128, LargeBlocks = 2, SmallThreads = 128, SmallBlocks = 4;
#else
#include "common/fused_multiply_add.cuh"

template <int Rows, int Columns, bool LeftInner, bool RightInner>
using ProductCore = FusedMultiplyAdd<Rows, Columns, LeftInner, RightInner>;

// 128 registers a thread.
constexpr int LargeThreads = 256, LargeBlocks = 2, SmallThreads = 64, SmallBlocks = 8;
#endif
