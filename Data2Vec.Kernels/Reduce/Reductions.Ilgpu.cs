using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

/// <summary>What a reduction knows of the elements that it has seen; each has its own meaning for the fields.</summary>
internal struct ReduceState
{
    public float A, B;
    public long N;
}

/// <summary>
/// A reduction as kernels run it, to be called on a default value: states of disjoint parts can be merged, in any order that
/// is the same every time.
/// </summary>
internal interface IReduction
{
    /// <summary>For the names of kernels.</summary>
    string Name { get; }

    /// <summary>The state before the first element.</summary>
    ReduceState Nothing();

    /// <summary>With one more element, at a position among the reduced.</summary>
    ReduceState Take(ReduceOp op, ReduceState s, float x, long position);

    ReduceState Merge(ReduceState s, ReduceState other);

    /// <summary>The state of the lane so many further on; only the fields that matter are moved.</summary>
    ReduceState FromLane(ReduceState s, int further);

    float Result(ReduceOp op, ReduceState s, long count, float correction);
}

/// <summary>Sum, Mean, SumOfSquares: A is the sum.</summary>
internal readonly struct PlainSum : IReduction
{
    public string Name => "sum";

    public ReduceState Nothing() => default;

    public ReduceState Take(ReduceOp op, ReduceState s, float x, long position)
    {
        s.A += op == ReduceOp.SumOfSquares ? x * x : x;
        return s;
    }

    public ReduceState Merge(ReduceState s, ReduceState other)
    {
        s.A += other.A;
        return s;
    }

    public ReduceState FromLane(ReduceState s, int further) => new() { A = Warp.ShuffleDown(s.A, further) };

    public float Result(ReduceOp op, ReduceState s, long count, float correction) => op == ReduceOp.Mean ? s.A / count : s.A;
}

/// <summary>
/// Max, Min, ArgMax, ArgMin: A is the best value, negated for the smallest, N its position or -1. NaN beats every number, the
/// first of equals the others.
/// </summary>
internal readonly struct Extreme : IReduction
{
    public string Name => "extreme";

    public ReduceState Nothing() => new() { A = float.NegativeInfinity, N = -1 };

    public ReduceState Take(ReduceOp op, ReduceState s, float x, long position)
    {
        var value = op == ReduceOp.Max || op == ReduceOp.ArgMax ? x : -x;
        return Merge(s, new() { A = value, N = position });
    }

    public ReduceState Merge(ReduceState s, ReduceState other)
    {
        if (other.N < 0) return s;
        var same = other.A == s.A || (float.IsNaN(other.A) && float.IsNaN(s.A));
        var better = other.A > s.A || (float.IsNaN(other.A) && !float.IsNaN(s.A));
        return s.N < 0 || better || (same && other.N < s.N) ? other : s;
    }

    public ReduceState FromLane(ReduceState s, int further) =>
        new() { A = Warp.ShuffleDown(s.A, further), N = Warp.ShuffleDown(s.N, further) };

    public float Result(ReduceOp op, ReduceState s, long count, float correction) => op == ReduceOp.Max ? s.A : -s.A;
}

/// <summary>
/// LogSumExp, and the normaliser of softmax: A is the largest element (NaN as soon as one is NaN), B the sum of e^(x - A).
/// Source: Milakov and Gimelshein, "Online normalizer calculation for softmax" (2018).
/// </summary>
internal readonly struct ExponentialSum : IReduction
{
    public string Name => "exponential";

    public ReduceState Nothing() => new() { A = float.NegativeInfinity };

    public ReduceState Take(ReduceOp op, ReduceState s, float x, long position) => Merge(s, new() { A = x, B = 1 });

    public ReduceState Merge(ReduceState s, ReduceState other)
    {
        // What is -inf adds nothing; the differences below would be NaN.
        if (other.A == float.NegativeInfinity) return s;
        if (s.A == float.NegativeInfinity) return other;
        var above = other.A > s.A || float.IsNaN(other.A);
        var e = DeviceMath.Exp(above ? s.A - other.A : other.A - s.A);
        if (above)
        {
            other.B += s.B * e;
            return other;
        }
        s.B += other.B * e;
        return s;
    }

    public ReduceState FromLane(ReduceState s, int further) =>
        new() { A = Warp.ShuffleDown(s.A, further), B = Warp.ShuffleDown(s.B, further) };

    public float Result(ReduceOp op, ReduceState s, long count, float correction) =>
        s.A == float.PositiveInfinity || s.A == float.NegativeInfinity ? s.A : s.A + DeviceMath.Log(s.B);
}

/// <summary>
/// Variance: N elements, A their mean, B the sum of the squared distances from it. Source: Chan, Golub and LeVeque, "Updating
/// formulae and a pairwise algorithm for computing sample variances" (1979).
/// </summary>
internal readonly struct Moments : IReduction
{
    public string Name => "moments";

    public ReduceState Nothing() => default;

    public ReduceState Take(ReduceOp op, ReduceState s, float x, long position)
    {
        s.N++;
        var distance = x - s.A;
        s.A += distance / s.N;
        s.B += distance * (x - s.A);
        return s;
    }

    public ReduceState Merge(ReduceState s, ReduceState other)
    {
        if (other.N == 0) return s;
        if (s.N == 0) return other;
        var distance = other.A - s.A;
        var share = (float)other.N / (s.N + other.N);
        s.A += distance * share;
        s.B += other.B + distance * distance * share * s.N;
        s.N += other.N;
        return s;
    }

    public ReduceState FromLane(ReduceState s, int further) => new()
    {
        A = Warp.ShuffleDown(s.A, further), B = Warp.ShuffleDown(s.B, further), N = Warp.ShuffleDown(s.N, further),
    };

    public float Result(ReduceOp op, ReduceState s, long count, float correction) => s.B / DeviceMath.Max(0, count - correction);
}

/// <summary>States of many threads made one, in an order that is the same every time. All threads of the group must call.</summary>
internal static class StateReduction<TReduction>
    where TReduction : unmanaged, IReduction
{
    /// <summary>Of the lanes of a warp; the first lane knows the result.</summary>
    public static ReduceState OverWarp(ReduceState state)
    {
        for (var offset = Warp.WarpSize / 2; offset > 0; offset /= 2)
            state = default(TReduction).Merge(state, default(TReduction).FromLane(state, offset));
        return state;
    }

    /// <summary>Of all threads of a group; all of them know the result.</summary>
    public static ReduceState OverGroup(ReduceState state)
    {
        var warps = SharedMemory.Allocate<ReduceState>(RowReduction.GroupSize / 32);
        state = OverWarp(state);
        if (Warp.IsFirstLane) warps[Warp.WarpIdx] = state;
        Group.Barrier();
        state = warps[0];
        for (var i = 1; i < Group.DimX / Warp.WarpSize; i++) state = default(TReduction).Merge(state, warps[i]);
        Group.Barrier();
        return state;
    }
}
