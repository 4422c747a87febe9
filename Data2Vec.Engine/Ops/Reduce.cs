using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>Sum over dimensions (all when none are named). Backward saves nothing.</summary>
    public static Tensor Sum(Tensor x, ReadOnlySpan<int> dimensions = default, bool keepDimensions = false) =>
        Reduce(ReduceOp.Sum, x, dimensions, keepDimensions);

    /// <summary>Mean over dimensions (all when none are named); of nothing NaN.</summary>
    public static Tensor Mean(Tensor x, ReadOnlySpan<int> dimensions = default, bool keepDimensions = false) =>
        Reduce(ReduceOp.Mean, x, dimensions, keepDimensions);

    /// <summary>Maximum over dimensions; equal maxima share the gradient. NaN wins.</summary>
    public static Tensor Max(Tensor x, ReadOnlySpan<int> dimensions = default, bool keepDimensions = false) =>
        Reduce(ReduceOp.Max, x, dimensions, keepDimensions);

    /// <summary>Minimum over dimensions; equal minima share the gradient. NaN wins.</summary>
    public static Tensor Min(Tensor x, ReadOnlySpan<int> dimensions = default, bool keepDimensions = false) =>
        Reduce(ReduceOp.Min, x, dimensions, keepDimensions);

    /// <summary>Variance over dimensions, divided by count - correction (1 = unbiased, 0 = biased).</summary>
    public static Tensor Variance(
        Tensor x, ReadOnlySpan<int> dimensions = default, double correction = 1, bool keepDimensions = false) =>
        Reduce(ReduceOp.Variance, x, dimensions, keepDimensions, correction);

    /// <summary>log(sum(exp(x))) over dimensions.</summary>
    public static Tensor LogSumExp(Tensor x, ReadOnlySpan<int> dimensions = default, bool keepDimensions = false) =>
        Reduce(ReduceOp.LogSumExp, x, dimensions, keepDimensions);

    /// <summary>Position (int64) of the first largest element over dimensions; not differentiable.</summary>
    public static Tensor ArgMax(Tensor x, ReadOnlySpan<int> dimensions = default, bool keepDimensions = false) =>
        Reduce(ReduceOp.ArgMax, x, dimensions, keepDimensions);

    /// <summary>Position (int64) of the first smallest element over dimensions; not differentiable.</summary>
    public static Tensor ArgMin(Tensor x, ReadOnlySpan<int> dimensions = default, bool keepDimensions = false) =>
        Reduce(ReduceOp.ArgMin, x, dimensions, keepDimensions);

    /// <summary>Any reduction over dimensions (all when none are named). See <see cref="ReduceOp"/>.</summary>
    /// <param name="op">What to compute.</param>
    /// <param name="x">Floating point.</param>
    /// <param name="dimensions">Dimensions to reduce; negative ones count from the end.</param>
    /// <param name="keepDimensions">Keep reduced dimensions with extent 1.</param>
    /// <param name="correction">Variance: subtracted from the count.</param>
    /// <exception cref="ArgumentException">No such dimension, one named twice, or nothing to reduce where a value is needed.</exception>
    public static Tensor Reduce(
        ReduceOp op, Tensor x, ReadOnlySpan<int> dimensions, bool keepDimensions, double correction = 0)
    {
        var name = op.ToString();
        Refuse.NotFloat(name, x);
        var layout = ReduceLayout.Over(name, x, dimensions);
        var integer = op is ReduceOp.ArgMax or ReduceOp.ArgMin;
        var tape = Tape.Of(x);
        var y = x.Device.Allocate(layout.Kept, integer ? DType.Int64 : x.DType);
        var args = layout.Args(op, x.View, y.View, correction);
        try
        {
            args.Check();
            x.Device.Backend.Reduce(args);
        }
        catch
        {
            // A refusal must not cost memory: nobody owns the output yet.
            y.Release();
            throw;
        }
        if (keepDimensions) y = y.Reshaped(layout.KeptWithOnes);
        if (integer || tape is null) return new Tensor(y, name);
        var saved = op is ReduceOp.Sum or ReduceOp.Mean ? default : x.Ref.Retain();
        var result = op is ReduceOp.Max or ReduceOp.Min or ReduceOp.LogSumExp ? y.Retain() : default;
        return new Tensor(y, name, tape.Record(new ReduceNode(tape, op, x.Node!, layout, saved, result, correction)));
    }

    private sealed record ReduceLayout(
        Shape Input, Shape Kept, Shape KeptWithOnes, Strides KeptStrides, Shape Reduced, Strides ReducedStrides)
    {
        public static ReduceLayout Over(string op, Tensor x, ReadOnlySpan<int> dimensions)
        {
            var mask = 0;
            foreach (var dimension in dimensions)
            {
                var d = Refuse.Dimension(op, x, dimension);
                Refuse.Unless((mask & 1 << d) == 0, $"{op}: dimension {d} of {x} is named twice.");
                mask |= 1 << d;
            }
            if (dimensions.Length == 0) mask = -1;
            Span<int> kept = stackalloc int[Shape.MaxRank];
            Span<int> reduced = stackalloc int[Shape.MaxRank];
            int keptRank = 0, reducedRank = 0;
            Strides keptStrides = default, reducedStrides = default;
            var strides = x.Shape.Strides;
            var ones = x.Shape;
            for (var i = 0; i < x.Shape.Rank; i++)
            {
                if ((mask & 1 << i) == 0)
                {
                    keptStrides[keptRank] = strides[i];
                    kept[keptRank++] = x.Shape[i];
                }
                else
                {
                    reducedStrides[reducedRank] = strides[i];
                    reduced[reducedRank++] = x.Shape[i];
                    ones = ones.With(i, 1);
                }
            }
            return new ReduceLayout(x.Shape, new Shape(kept[..keptRank]), ones, keptStrides,
                new Shape(reduced[..reducedRank]), reducedStrides);
        }

        public ReduceArgs Args(ReduceOp op, BufferView x, BufferView y, double correction = 0) => new()
        {
            Op = op,
            X = x,
            Y = y,
            Kept = Kept,
            KeptStrides = KeptStrides,
            Reduced = Reduced,
            ReducedStrides = ReducedStrides,
            Correction = correction,
        };
    }

    private sealed class ReduceNode(
        Tape tape, ReduceOp op, Node input, ReduceLayout layout, TensorRef x, TensorRef y, double correction)
        : Node(tape, op.ToString())
    {
        private readonly ReduceOp op = op;

        protected override void Backward(TensorRef dy)
        {
            var n = layout.Reduced.Count;
            var grown = new Tensor(dy.Retain().Reshaped(layout.KeptWithOnes), Op);
            var value = x.IsNone ? null : new Tensor(x.Retain(), Op);
            x.Unchanged(Op);
            y.Unchanged(Op);
            var result = y.IsNone ? null : new Tensor(y.Retain().Reshaped(layout.KeptWithOnes), Op);
            var dx = op switch
            {
                ReduceOp.Sum => Expand(grown, layout.Input),
                ReduceOp.Mean => Expand(Affine(grown, 1.0 / n), layout.Input),
                ReduceOp.SumOfSquares => Mul(Affine(value!, 2), grown),
                ReduceOp.Variance => Mul(Affine(Sub(value!, MeanOf(value!)), 2 / Math.Max(0, n - correction)), grown),
                ReduceOp.LogSumExp => Mul(Exp(Sub(value!, result!)), grown),
                _ => Shared(value!, result!, grown),
            };
            input.Pass(dx.Ref);
        }

        protected override void Release()
        {
            x.Release();
            y.Release();
        }

        private Tensor MeanOf(Tensor value)
        {
            var mean = Tape.Device.Allocate(layout.Kept, value.DType);
            Backend.Reduce(layout.Args(ReduceOp.Mean, value.View, mean.View));
            return new Tensor(mean.Reshaped(layout.KeptWithOnes), Op);
        }

        /// <summary>Maxima and minima: the gradient in equal parts to all elements that equal the result.</summary>
        private Tensor Shared(Tensor value, Tensor result, Tensor grown)
        {
            var equal = Cast(Binary(BinaryOp.Equal, value, result), value.DType);
            var ties = Tape.Device.Allocate(layout.Kept, value.DType);
            Backend.Reduce(layout.Args(ReduceOp.Sum, equal.View, ties.View));
            return Mul(equal, Div(grown, new Tensor(ties.Reshaped(layout.KeptWithOnes), Op)));
        }
    }
}
