using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>What a modality brings to the objective: a front end and an encoder. Everything else is shared.</summary>
/// <typeparam name="TBatch">A batch on the host: the full view, and the masked view of the same samples.</typeparam>
public interface IPretrainable<TBatch>
{
    /// <summary>The parameters of encoder and head.</summary>
    ParameterStore Store { get; }

    /// <summary>The regression head.</summary>
    RegressionHead Head { get; }

    /// <summary>The encoder on the full view (teacher) or on the masked view (student).</summary>
    EncoderOutput Encode(ParameterView parameters, TBatch batch, bool masked, ForwardMode mode);

    /// <summary>Rows of the flattened [B * T] positions that enter the loss, in order.</summary>
    int[] LossRows(TBatch batch);
}

/// <summary>How predictions are compared with targets.</summary>
/// <param name="Recipe">How targets are made.</param>
/// <param name="Beta">Of the Smooth L1 loss; 0 = L2.</param>
/// <param name="Scale">Factor on the summed loss; 0 or less = 1 / sqrt(D).</param>
public sealed record ObjectiveConfig(TargetRecipe Recipe, double Beta, double Scale);

/// <summary>One micro-batch's outcome; the tensors belong to the caller's scope.</summary>
/// <param name="Loss">Summed over rows and channels, times the scale; one element.</param>
/// <param name="Rows">Number of masked rows M: the divisor of the summed loss.</param>
/// <param name="Prediction">[M, D].</param>
/// <param name="Target">[M, D].</param>
/// <param name="AllTargets">[B, T, D]: targets at every position, for the collapse monitor.</param>
/// <param name="Student">The student's encoder output.</param>
/// <param name="Teacher">The teacher's encoder output.</param>
public sealed record ObjectiveResult(
    Tensor Loss, int Rows, Tensor Prediction, Tensor Target, Tensor AllTargets, EncoderOutput Student,
    EncoderOutput Teacher);

/// <summary>
/// The data2vec objective, one code path for every modality: the teacher sees the full view, its top layers become
/// targets; the student sees the masked view and regresses them at masked positions. Source: Baevski et al. 2022.
/// </summary>
public static class Objective
{
    /// <summary>Forward pass of teacher, student, head and loss; the loss is tracked when the student view has a tape.</summary>
    public static ObjectiveResult Run<TBatch>(
        IPretrainable<TBatch> model, TBatch batch, ParameterView student, ObjectiveConfig config, ForwardMode mode)
    {
        var device = model.Store.Device;
        var rows = model.LossRows(batch);
        using var teacherView = model.Store.Teacher();
        // In a recorded step the teacher's intermediate tensors are not needed for backward: only the targets survive.
        var teacher = model.Encode(teacherView, batch, masked: false, new ForwardMode(Collect: true));
        var all = TargetBuilder.Build(teacher.Taps, config.Recipe);
        var width = all.Shape[2];
        var index = Tensor.From<int>(device, rows, new Shape(rows.Length));
        var target = Ops.GatherRows(Ops.Reshape(all, new Shape(all.Shape[0] * all.Shape[1], width)), index);

        var output = model.Encode(student, batch, masked: true, mode);
        var flat = Ops.Reshape(output.Last, new Shape(output.Last.Shape[0] * output.Last.Shape[1], width));
        var prediction = model.Head.Forward(student, Ops.GatherRows(flat, index));
        var scale = config.Scale > 0 ? config.Scale : 1 / Math.Sqrt(width);
        var loss = Ops.SmoothL1(prediction, target, beta: config.Beta, reduction: Reduction.Sum, scale: scale);
        return new ObjectiveResult(loss, rows.Length, prediction, target, all, output, teacher);
    }
}
