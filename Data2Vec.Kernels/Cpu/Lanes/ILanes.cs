namespace Data2Vec.Kernels.Cpu;

/// <summary>
/// A vector of float32 of some width, with what kernels need. Kernels are generic over it, and the JIT makes one version
/// for the instruction set that was chosen at start: no branch on the width remains in a loop.
/// </summary>
internal unsafe interface ILanes<TSelf>
    where TSelf : struct, ILanes<TSelf>
{
    /// <summary>Name of the instruction set.</summary>
    static abstract string Name { get; }

    /// <summary>Number of float32 lanes.</summary>
    static abstract int Width { get; }

    /// <summary>Vector registers that a micro-kernel may count on.</summary>
    static abstract int Registers { get; }

    static abstract TSelf Load(float* p);

    static abstract void Store(float* p, TSelf v);

    /// <summary>The first <paramref name="count"/> lanes from memory, 0 in the others; nothing behind them is read.</summary>
    static abstract TSelf LoadFirst(float* p, int count);

    /// <summary>Stores the first <paramref name="count"/> lanes; nothing behind them is written.</summary>
    static abstract void StoreFirst(float* p, TSelf v, int count);

    static abstract TSelf Broadcast(float value);

    static abstract TSelf operator +(TSelf a, TSelf b);

    static abstract TSelf operator -(TSelf a, TSelf b);

    static abstract TSelf operator *(TSelf a, TSelf b);

    static abstract TSelf operator /(TSelf a, TSelf b);

    /// <summary>a * b + c, rounded once where the hardware can.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf c);

    /// <summary>c - a * b, rounded once where the hardware can.</summary>
    static abstract TSelf NegMultiplyAdd(TSelf a, TSelf b, TSelf c);

    /// <summary>The larger; the second operand when one is NaN.</summary>
    static abstract TSelf Max(TSelf a, TSelf b);

    /// <summary>The smaller; the second operand when one is NaN.</summary>
    static abstract TSelf Min(TSelf a, TSelf b);

    static abstract TSelf Sqrt(TSelf a);

    static abstract TSelf Abs(TSelf a);

    /// <summary>To the nearest integer, ties to even.</summary>
    static abstract TSelf Round(TSelf a);

    /// <summary>The magnitude of one value with the sign of another; signs of zeros count.</summary>
    static abstract TSelf CopySign(TSelf magnitude, TSelf sign);

    /// <summary>a * 2^n for integral n in [-252, 254] and a around 1: overflows to infinity, underflows gradually.</summary>
    static abstract TSelf Scale(TSelf a, TSelf n);

    /// <summary>floor(log2 a) of positive normal numbers; anything else gives an unspecified value.</summary>
    static abstract TSelf Exponent(TSelf a);

    /// <summary>a / 2^floor(log2 a), in [1, 2), of positive normal numbers; anything else gives an unspecified value.</summary>
    static abstract TSelf Mantissa(TSelf a);

    /// <summary>All bits set in lanes where a &lt; b; no bits where one is NaN.</summary>
    static abstract TSelf Less(TSelf a, TSelf b);

    /// <summary>All bits set in lanes where a = b; none where one is NaN.</summary>
    static abstract TSelf Equal(TSelf a, TSelf b);

    /// <summary>a where the mask has bits, b elsewhere.</summary>
    static abstract TSelf Select(TSelf mask, TSelf a, TSelf b);

    /// <summary>Sum of the lanes: the upper half is added to the lower until one is left, an order fixed by the width.</summary>
    static abstract float Sum(TSelf a);

    /// <summary>Largest lane.</summary>
    static abstract float Largest(TSelf a);
}
