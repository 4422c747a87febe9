using System.Runtime.CompilerServices;
using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void Reduce(in ReduceArgs a)
    {
        if (a.X.DType == DType.BFloat16) OfType<Brain>(a);
        else if (a.X.DType == DType.Float32) OfType<Full>(a);
        else throw NoSuchType("Reduce", a.X.DType);

        void OfType<T>(in ReduceArgs a)
            where T : unmanaged, IElement<T>
        {
            switch (a.Op)
            {
                case ReduceOp.Variance: Run<T, Moments>(a); break;
                case ReduceOp.LogSumExp: Run<T, ExponentialSum>(a); break;
                case ReduceOp.Sum or ReduceOp.Mean or ReduceOp.SumOfSquares: Run<T, PlainSum>(a); break;
                default: Run<T, Extreme>(a); break;
            }
        }

        void Run<T, TReduction>(in ReduceArgs a)
            where T : unmanaged, IElement<T>
            where TReduction : unmanaged, IReduction
        {
            var kept = new MergedLayout(a.Kept, a.KeptStrides, default, default);
            var reduced = new MergedLayout(a.Reduced, a.ReducedStrides, default, default);
            var args = new ReduceKernelArgs<T>
            {
                Op = a.Op, X = View<T>(a.X.At(kept.Lowest(kept.X) + reduced.Lowest(reduced.X))),
                Kept = DeviceLayout.Of(kept), Reduced = DeviceLayout.Of(reduced),
                KeptCount = a.Kept.Count, ReducedCount = a.Reduced.Count, Correction = (float)a.Correction,
                Accumulate = a.Accumulate ? 1 : 0,
            };
            if (a.Op is ReduceOp.ArgMax or ReduceOp.ArgMin) args.Places = View<long>(a.Y);
            else args.Y = View<T>(a.Y);
            var plan = ReducePlan.Of(kept, reduced, args.KeptCount, args.ReducedCount);
            (args.Parts, args.PartLength) = (plan.Parts, plan.PartLength);
            IlgpuBuffer? scratch = null;
            if (plan.Parts > 1)
            {
                scratch = pool.Allocate(args.KeptCount * plan.Parts * Unsafe.SizeOf<ReduceState>());
                args.Partial = View<ReduceState>(new BufferView(scratch, 0, DType.UInt8));
            }
            var states = args.KeptCount * plan.Parts;
            if (plan.Way == ReduceWay.Thread)
            {
                var threads = GroupSize(args.KeptCount);
                var groups = (args.KeptCount + threads - 1) / threads;
                Launch(ReduceKernels<T, TReduction>.Threads, new((int)groups, plan.Parts, 1), threads, args);
            }
            else if (plan.Way == ReduceWay.Warp)
            {
                var threads = GroupSize(states * 32);
                var groups = (states * 32 + threads - 1) / threads;
                Launch(ReduceKernels<T, TReduction>.Warps, new((int)groups, 1, 1), threads, args);
            }
            else
            {
                Launch(ReduceKernels<T, TReduction>.Groups, new((int)states, 1, 1), GroupSize(plan.PartLength), args);
            }
            if (scratch is null) return;
            var last = GroupSize(args.KeptCount * 32);
            Launch(ReduceKernels<T, TReduction>.Merge, new((int)((args.KeptCount * 32 + last - 1) / last), 1, 1), last, args);
            pool.Free(scratch);
        }
    }
}

/// <summary>Who takes an output element in the first stage.</summary>
internal enum ReduceWay
{
    Thread,
    Warp,
    Group,
}

/// <summary>How a reduction is cut, by its shape alone.</summary>
/// <param name="Way">Who works on an output element, or on one part of it.</param>
/// <param name="Parts">Pieces of what is reduced; a second stage merges them when there are several.</param>
/// <param name="PartLength">Elements of a piece; the last may have fewer.</param>
internal readonly record struct ReducePlan(ReduceWay Way, int Parts, long PartLength)
{
    /// <summary>Below this, an output is not worth a warp.</summary>
    private const int WarpLength = 16;

    /// <summary>Up to this, an output is not worth a group.</summary>
    private const int GroupLength = 256;

    private const int MostParts = 1024;

    public static ReducePlan Of(in MergedLayout kept, in MergedLayout reduced, long keptCount, long reducedCount)
    {
        // Neighbouring threads should read neighbouring elements: those of the dimension that is dense.
        var columns = kept.Rank > 0 && (reduced.Rank == 0 || Math.Abs(kept.X[0]) < Math.Abs(reduced.X[0]));
        if (reducedCount < WarpLength || (columns && keptCount >= 32))
            return Cut(ReduceWay.Thread, reducedCount, 64, 65536 / Math.Max(1, keptCount));
        if (reducedCount <= GroupLength) return new(ReduceWay.Warp, 1, reducedCount);
        return Cut(ReduceWay.Group, reducedCount, 4096, MostParts / Math.Max(1, keptCount));
    }

    private static ReducePlan Cut(ReduceWay way, long length, int shortest, long most)
    {
        var parts = Math.Clamp(Math.Min((length + shortest - 1) / shortest, most), 1, MostParts);
        var partLength = (length + parts - 1) / parts;
        return new(way, length == 0 ? 1 : (int)((length + partLength - 1) / partLength), partLength);
    }
}
