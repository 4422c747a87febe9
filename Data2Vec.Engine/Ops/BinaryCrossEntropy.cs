using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>
    /// Cross-entropy of independent yes/no decisions with their logits: weight * (positiveWeight * y * softplus(-x) +
    /// (1 - y) * softplus(x)), of which neither term cancels the other, so that a certain and right decision keeps its
    /// small loss. Differentiable by every operand. Source: PyTorch's binary_cross_entropy_with_logits.
    /// </summary>
    /// <param name="logits">x, any shape.</param>
    /// <param name="targets">y in [0, 1] (not checked), the shape of x.</param>
    /// <param name="weight">Factor on the losses, broadcast to them; or null.</param>
    /// <param name="positiveWeight">Factor on the part of y = 1, broadcast to x; or null.</param>
    /// <param name="reduction">
    /// One loss an element, their sum or their mean; PerRow sums over the last dimension.
    /// </param>
    /// <exception cref="ArgumentException">Shapes, types or devices do not fit.</exception>
    public static Tensor BinaryCrossEntropyWithLogits(
        Tensor logits, Tensor targets, Tensor? weight = null, Tensor? positiveWeight = null,
        Reduction reduction = Reduction.Mean)
    {
        const string op = "BinaryCrossEntropyWithLogits";
        Refuse.NotFloat(op, logits);
        Refuse.OtherDevices(op, logits, targets, weight, positiveWeight);
        Refuse.OtherTypes(op, logits, targets, weight, positiveWeight);
        Refuse.Unless(logits.Shape == targets.Shape,
            $"{op}: targets must have the shape of logits; got {logits.Shape} and {targets.Shape}.");
        foreach (var factor in new[] { weight, positiveWeight })
        {
            Refuse.Unless(factor is null || Broadcast(op, logits.Shape, factor.Shape) == logits.Shape,
                $"{op}: a weight must broadcast to logits {logits.Shape}; got {factor?.Shape}.");
        }
        var positive = Mul(targets, Softplus(Neg(logits)));
        if (positiveWeight is not null) positive = Mul(positive, positiveWeight);
        var loss = Add(positive, Mul(Affine(targets, -1, 1), Softplus(logits)));
        return Reduced(weight is null ? loss : Mul(loss, weight), reduction);
    }

    /// <summary>Losses of single elements put together.</summary>
    private static Tensor Reduced(Tensor loss, Reduction reduction) => reduction switch
    {
        Reduction.Sum => Sum(loss),
        Reduction.Mean => Mean(loss),
        Reduction.PerRow => loss.Shape.Rank == 0 ? loss : Sum(loss, [-1]),
        _ => loss,
    };
}
