// Computes       y[b, t, o] = activation(bias[o] + sum over k, c of x[b, t stride - padding + k dilation, c] w[o, k, c]), in
//                groups of channels; the gradients of x and of w. conv1d_norm_*: y = GELU(LayerNorm over o (the same)), with
//                what backward needs. Slopes and the gradient of the bias are those of a linear layer (matmul.cu), and so is
//                the second stage of a product whose inner extent was cut (matmul_parts).
// Tensors        x [batch, time, in], w [out, kernel, in / groups], y [batch, out time, out], contiguous; bf16 or float32.
// Accumulates in float32.
// Work split     a block per tile of the result (128 x 128 or 64 x 64), group and part of the sum; with a norm a block per 64
//                rows of all channels (of a signal: 64 frames).
// Shared memory  as matmul.cu; with a norm 36 KiB (128 channels), 60 (256), 108 (512) or 72 (512 in two stages).
// Requires       channels of a group in whole units of 16 bytes, at multiples of 16 bytes; conv1d_*_any takes every shape.
// Determinism    fixed order: taps, then channels; for the weights samples, then frames. No atomics.
// Numerics       as matmul.cu; the sums are rounded to bf16 before they are normalised, as backward will read them: the bits
//                are those of the two kernels one behind the other.
// Launched by    Data2Vec.Kernels/Conv1d/Conv1d.Cuda.cs, Data2Vec.Kernels/Conv1d/Conv1dLayerNorm.Cuda.cs
// Tested by      Data2Vec.Tests/Gpu/CudaConv1dTests.cs, Data2Vec.Tests/Gpu/CudaConv1dNormTests.cs; verify conv1d
// Source         docs/kernels.md, "Convolutions": a convolution is a product of rows of taps, which overlap and are read where
//                they lie
#include "common/product.cuh"
#include "common/product_cores.cuh"

// Rows of taps times weights: y.
using ForwardArgs = ProductArgs<TapLines, MatrixOperand>;
// Rows of taps of dy times turned weights: frames of dx that see the same taps.
using InputArgs = ProductArgs<TapLines, TurnedWeights>;
// dy turned over times rows of taps: dw.
using WeightArgs = ProductArgs<MatrixOperand, TapInners>;

// Where rows of taps begin takes registers that fused multiply-adds do not leave when blocks are to share a multiprocessor.
#if ELEMENT_BF16
constexpr int LargeTapBlocks = LargeBlocks, SmallTapBlocks = SmallBlocks;
#else
constexpr int LargeTapBlocks = 1, SmallTapBlocks = 6;
#endif

template <int Size>
__device__ __forceinline__ void forward(const ForwardArgs& a)
{
    using Tile = ProductCore<Size, Size, true, true>;
    multiply<Tile, TapsByLines<Size, Tile::Threads>, MatrixByLines<Size, Tile::Threads>>(a);
}

template <int Size>
__device__ __forceinline__ void backward_input(const InputArgs& a)
{
    using Tile = ProductCore<Size, Size, true, false>;
    multiply<Tile, TapsByLines<Size, Tile::Threads>, WeightsByInners<Size, Tile::Threads>>(a);
}

template <int Size>
__device__ __forceinline__ void backward_weight(const WeightArgs& a)
{
    using Tile = ProductCore<Size, Size, false, false>;
    multiply<Tile, MatrixByInners<Size, Tile::Threads>, TapsByInners<Size, Tile::Threads>>(a);
}

// Every shape and address, element by element.
template <class Left, class Right>
__device__ __forceinline__ void any_shape(const ProductArgs<Left, Right>& a)
{
    using Tile = ProductCore<64, 64, true, true>;
    multiply<Tile, Elementwise<64, Tile::Threads, Left>, Elementwise<64, Tile::Threads, Right>>(a);
}

#define CONV1D(name, function, args)                                                                                      \
    extern "C" __global__ __launch_bounds__(LargeThreads, LargeTapBlocks) void conv1d_##name##_128(                       \
        const __grid_constant__ args a)                                                                                   \
    {                                                                                                                     \
        function<128>(a);                                                                                                 \
    }                                                                                                                     \
    extern "C" __global__ __launch_bounds__(SmallThreads, SmallTapBlocks) void conv1d_##name##_64(                        \
        const __grid_constant__ args a)                                                                                   \
    {                                                                                                                     \
        function<64>(a);                                                                                                  \
    }                                                                                                                     \
    extern "C" __global__ __launch_bounds__(SmallThreads, SmallTapBlocks) void conv1d_##name##_any(                       \
        const __grid_constant__ args a)                                                                                   \
    {                                                                                                                     \
        any_shape(a);                                                                                                     \
    }

// dy in whole units, x in none: few channels in, as of sound.
extern "C" __global__ __launch_bounds__(SmallThreads, SmallTapBlocks) void conv1d_bwd_weight_odd(
    const __grid_constant__ WeightArgs a)
{
    using Tile = ProductCore<64, 64, false, true>;
    multiply<Tile, MatrixByInners<64, Tile::Threads>, Elementwise<64, Tile::Threads, TapInners>>(a);
}

CONV1D(fwd, forward, ForwardArgs)
CONV1D(bwd_input, backward_input, InputArgs)
CONV1D(bwd_weight, backward_weight, WeightArgs)

#if ELEMENT_BF16
#include "common/signal.cuh"

extern "C" __global__ __launch_bounds__(SignalThreads) void conv1d_fwd_signal(const __grid_constant__ SignalArgs a)
{
    extern __shared__ __align__(1024) unsigned char memory[];
    convolve_signal(a, memory, SignalToMemory{a});
}

struct NormedSignalArgs
{
    SignalArgs signal;
    RowNorm norm;
};

extern "C" __global__ __launch_bounds__(SignalThreads) void conv1d_norm_signal(const __grid_constant__ NormedSignalArgs a)
{
    extern __shared__ __align__(1024) unsigned char memory[];
    const unsigned int tiles = shared_address(memory);
    convolve_signal(a.signal, memory, SignalToNorm{a.signal, a.norm, tiles, tiles + SignalToNorm::SharedBytes / 2});
}

// product.end.c takes the sums, or is null; product.end.bias is that of the convolution.
struct NormedArgs
{
    ForwardArgs product;
    RowNorm norm;
};

// A block that owns whole rows: 64 of them, each warp 64 columns, then each warp a share of the rows.
template <int Columns, int Stages>
__device__ __forceinline__ void convolve_and_normalise(const NormedArgs& a)
{
    constexpr int Warps = Columns / 64;
    using Tile = TensorCore<64, Columns, true, true, 1, Warps>;
    static_assert(Columns * 2 <= Stages * (64 + Columns), "the tile does not fit");
    extern __shared__ __align__(1024) unsigned char memory[];
    const unsigned int shared = shared_address(memory);
    const ProductPlace place = ProductPlace::of<Tile>(a.product);
    Tile tile;
    sum_products<Stages, TapsByLines<64, Tile::Threads>, MatrixByLines<Columns, Tile::Threads>>(
        tile, a.product, place, 0, 0, shared);
    tile.template stage_narrow<NormedRows<Columns>>(shared, a.product.end.bias, a.product.n);
    __syncthreads();
    NormedRows<Columns>::template normalise<Warps>(
        a.norm, a.product.end.c, shared, place.row, min(64, a.product.m - place.row));
}

#define CONV1D_NORM(name, columns, stages)                                                                                \
    extern "C" __global__ __launch_bounds__(columns / 2) void conv1d_norm_##name(const __grid_constant__ NormedArgs a)    \
    {                                                                                                                     \
        convolve_and_normalise<columns, stages>(a);                                                                       \
    }

CONV1D_NORM(128, 128, 3)
CONV1D_NORM(256, 256, 3)
CONV1D_NORM(512, 512, 3)
// For devices that do not have the memory for three stages.
CONV1D_NORM(512_two_stages, 512, 2)
#endif
