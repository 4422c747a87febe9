using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>What the labels of a classification head are.</summary>
public enum ClassificationProblem
{
    /// <summary>One class of several: cross-entropy.</summary>
    OneOfMany,

    /// <summary>Any number of classes: binary cross-entropy of each.</summary>
    AnyOfMany,

    /// <summary>Values: mean squared error.</summary>
    Regression,
}

/// <summary>The losses of classification heads, each a mean. Source: transformers 5.23, loss_utils.py.</summary>
public static class ClassificationLoss
{
    /// <summary>Cross-entropy, averaged over the rows whose class is not <paramref name="ignore"/>.</summary>
    /// <param name="logits">[..., C].</param>
    /// <param name="classes">One a row, row-major over the leading dimensions of logits.</param>
    /// <param name="ignore">Rows of this class do not count.</param>
    /// <param name="smoothing">Label smoothing.</param>
    public static Tensor OneOfMany(Tensor logits, int[] classes, int ignore = -100, double smoothing = 0)
    {
        var labels = Tensor.From<int>(logits.Device, classes, logits.Shape.Slice(0, logits.Shape.Rank - 1));
        return Ops.CrossEntropy(logits, labels, labelSmoothing: smoothing, ignoreIndex: ignore);
    }

    /// <summary>Cross-entropy with probabilities of the classes, -sum t log p, averaged over the rows.</summary>
    /// <param name="logits">[B, C].</param>
    /// <param name="probabilities">[B, C], row-major; mixed or smoothed labels.</param>
    public static Tensor Soft(Tensor logits, double[] probabilities)
    {
        var target = Tensor.FromDoubles(logits.Device, probabilities, logits.Shape, logits.DType);
        return Ops.Affine(Ops.Sum(Ops.Mul(target, Ops.LogSoftmax(logits))), -1.0 / Math.Max(1, logits.Shape[0]));
    }

    /// <summary>Squared error, averaged over all values.</summary>
    /// <param name="logits">Any shape.</param>
    /// <param name="values">Of as many elements.</param>
    public static Tensor Regression(Tensor logits, double[] values)
    {
        var target = Tensor.FromDoubles(logits.Device, values, logits.Shape, logits.DType);
        return Ops.SmoothL1(logits, target, beta: 0);
    }

    /// <summary>Binary cross-entropy, averaged over all samples and classes.</summary>
    /// <param name="logits">[B, C].</param>
    /// <param name="targets">[B, C], between 0 and 1.</param>
    public static Tensor AnyOfMany(Tensor logits, double[] targets) => Ops.BinaryCrossEntropyWithLogits(
        logits, Tensor.FromDoubles(logits.Device, targets, logits.Shape, logits.DType));

    /// <summary>The loss of a problem.</summary>
    /// <param name="problem">What the labels are.</param>
    /// <param name="logits">[B, C].</param>
    /// <param name="labels">[B] classes, or [B, C] values or zeros and ones.</param>
    public static Tensor Of(ClassificationProblem problem, Tensor logits, double[] labels) => problem switch
    {
        ClassificationProblem.OneOfMany => OneOfMany(logits, Array.ConvertAll(labels, l => (int)l)),
        ClassificationProblem.AnyOfMany => AnyOfMany(logits, labels),
        _ => Regression(logits, labels),
    };
}
