using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>
    /// Huber's loss: |d| &lt;= delta: d² / 2, else delta (|d| - delta / 2), which is delta times <see
    /// cref="SmoothL1"/>.
    /// </summary>
    /// <exception cref="ArgumentException">Shapes or types differ, or delta is not positive.</exception>
    public static Tensor Huber(Tensor x, Tensor target, double delta = 1, Reduction reduction = Reduction.Mean)
    {
        Refuse.Unless(delta > 0, $"Huber: delta must be positive; got {delta}.");
        return SmoothL1(x, target, beta: delta, reduction: reduction, scale: delta);
    }

    /// <summary>
    /// Kullback-Leibler divergence, element by element: t (log t - x) with log-probabilities x; 0 where t is 0, with
    /// the derivative -x there.
    /// </summary>
    /// <param name="logProbabilities">x.</param>
    /// <param name="target">t, the shape of x; its logarithm with <paramref name="logTarget"/>.</param>
    /// <param name="logTarget">The target is log t.</param>
    /// <param name="reduction">
    /// None, Sum, Mean over all elements, or PerRow: over the last dimension, which is the divergence of each
    /// distribution.
    /// </param>
    /// <exception cref="ArgumentException">Shapes or types differ.</exception>
    public static Tensor KlDivergence(
        Tensor logProbabilities, Tensor target, bool logTarget = false, Reduction reduction = Reduction.Mean)
    {
        var x = logProbabilities;
        Refuse.NotFloat("KlDivergence", x);
        Refuse.OtherDevices("KlDivergence", x, target);
        Refuse.OtherTypes("KlDivergence", x, target);
        Refuse.Unless(x.Shape == target.Shape,
            $"KlDivergence: the target must have the shape of log-probabilities {x.Shape}; got {target.Shape}.");
        if (logTarget) return Reduced(Mul(Exp(target), Sub(target, x)), reduction);
        var zero = Tensor.Zeros(x.Device, new Shape(), x.DType);
        var one = Tensor.Full(x.Device, new Shape(), x.DType, 1);
        // Where t is 0 the logarithm is taken of 1, so that 0 log 0 is 0.
        var safe = Where(Binary(BinaryOp.Equal, target.Detach(), zero), one, target);
        return Reduced(Mul(target, Sub(Log(safe), x)), reduction);
    }
}
