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

    /// <summary>
    /// What both views start from, when teacher and student share the front end: computed once, by the student, before
    /// masking. Null when each view computes its own.
    /// </summary>
    Tensor? Front(ParameterView student, TBatch batch) => null;

    /// <summary>The encoder on the full view (teacher) or on the masked view (student).</summary>
    /// <param name="parameters">Of teacher or student.</param>
    /// <param name="batch">Both views.</param>
    /// <param name="front">What <see cref="Front"/> gave; the teacher's copy carries no gradient.</param>
    /// <param name="masked">True: the student's view.</param>
    /// <param name="mode">Dropout, collection, recomputation.</param>
    EncoderOutput Encode(ParameterView parameters, TBatch batch, Tensor? front, bool masked, ForwardMode mode);

    /// <summary>Rows of the flattened [B * T] positions that enter the loss, in order.</summary>
    int[] LossRows(TBatch batch);

    /// <summary>Rows of the flattened [B * T] positions that hold data: no padding, no class token.</summary>
    int[] DataRows(TBatch batch);
}

/// <summary>How predictions are compared with targets.</summary>
/// <param name="Recipe">How targets are made.</param>
/// <param name="Beta">Of the Smooth L1 loss; 0 = L2.</param>
/// <param name="Scale">Factor on the loss summed over channels; 0 or less = 1 / sqrt(D).</param>
public sealed record ObjectiveConfig(TargetRecipe Recipe, double Beta, double Scale)
{
    /// <summary>Factor on the loss summed over D channels.</summary>
    public double ScaleOf(int width) => Scale > 0 ? Scale : 1 / Math.Sqrt(width);

    /// <summary>
    /// Weight of the variance hinge on predictions, a term of the mean loss per row; 0 = none (vision, option).
    /// </summary>
    public double HingeWeight { get; init; }

    /// <summary>
    /// The loss is computed on a multiple of so many rows; those beyond the masked ones are zeros in prediction and
    /// target. So batches that differ a little are the same work for a device. Not with the hinge, which looks at all rows.
    /// </summary>
    public int RowMultiple { get; init; } = 1;

    /// <summary>Deviation of a channel below which the hinge acts.</summary>
    public double HingeMargin { get; init; } = 0.5;
}

/// <summary>One micro-batch's outcome; the tensors belong to the caller's scope.</summary>
/// <param name="Loss">Summed over rows and channels, times the scale; one element.</param>
/// <param name="Rows">Number of masked rows M: the divisor of the summed loss.</param>
/// <param name="Prediction">[M, D], then zeros to a multiple of rows when that was asked for.</param>
/// <param name="Target">Likewise.</param>
/// <param name="AllTargets">[B, T, D]: targets at every position, for the collapse monitor.</param>
/// <param name="Student">The student's encoder output.</param>
/// <param name="Teacher">The teacher's encoder output, when it was kept.</param>
public sealed record ObjectiveResult(
    Tensor Loss, int Rows, Tensor Prediction, Tensor Target, Tensor AllTargets, EncoderOutput Student,
    EncoderOutput? Teacher);

/// <summary>
/// The data2vec objective, one code path for every modality: the teacher sees the full view, its top layers become
/// targets; the student sees the masked view and regresses them at masked positions. Source: Baevski et al. 2022.
/// </summary>
public static class Objective
{
    /// <summary>
    /// Forward pass of teacher, student, head and loss; the loss is tracked when the student view has a tape.
    /// </summary>
    /// <param name="model">The modality.</param>
    /// <param name="batch">Both views.</param>
    /// <param name="student">The student's parameters.</param>
    /// <param name="config">Target recipe and loss.</param>
    /// <param name="mode">Of the student.</param>
    /// <param name="keepTeacher">False: the teacher's layers are given back before the student runs.</param>
    public static ObjectiveResult Run<TBatch>(
        IPretrainable<TBatch> model, TBatch batch, ParameterView student, ObjectiveConfig config, ForwardMode mode,
        bool keepTeacher = true)
    {
        var device = model.Store.Device;
        var rows = model.LossRows(batch);
        var front = model.Front(student, batch);
        var (all, teacher) = Targets(model, batch, front?.Detach(), config.Recipe, student.DType, keepTeacher);
        var width = all.Shape[2];
        var multiple = config.HingeWeight > 0 ? 1 : config.RowMultiple;
        var (index, beyond) = Padded(device, rows, multiple);
        var target = Ops.GatherRows(Ops.Reshape(all, new Shape(all.Shape[0] * all.Shape[1], width)), index);

        var output = model.Encode(student, batch, front, masked: true, mode);
        var flat = Ops.Reshape(output.Last, new Shape(output.Last.Shape[0] * output.Last.Shape[1], width));
        var prediction = Ops.Cast(model.Head.Forward(student, Ops.GatherRows(flat, index)), model.Store.DType);
        if (beyond is not null) (prediction, target) = (Ops.MaskRows(prediction, beyond), Ops.MaskRows(target, beyond));
        var loss = Ops.SmoothL1(
            prediction, target, beta: config.Beta, reduction: Reduction.Sum, scale: config.ScaleOf(width));
        if (config.HingeWeight > 0)
        {
            // A term of the mean: the caller divides by the rows.
            var hinge = VarianceHinge(prediction, config.HingeMargin);
            loss = Ops.Add(loss, Ops.Affine(hinge, rows.Length * config.HingeWeight));
        }
        return new ObjectiveResult(loss, rows.Length, prediction, target, all, output, teacher);
    }

    /// <summary>Rows as an operand, continued to a multiple; and which of it are beyond, null when none can be.</summary>
    private static (Tensor Index, Tensor? Beyond) Padded(Device device, int[] rows, int multiple)
    {
        var count = (rows.Length + multiple - 1) / multiple * multiple;
        var index = rows;
        Array.Resize(ref index, count);
        var tensor = Tensor.From<int>(device, index, new Shape(count));
        if (multiple == 1) return (tensor, null);
        var beyond = new bool[count];
        beyond.AsSpan(rows.Length).Fill(true);
        return (tensor, Tensor.From<bool>(device, beyond, new Shape(count)));
    }

    /// <summary>
    /// Mean over channels of max(margin - sqrt(unbiased variance over rows + 1e-6), 0): against collapse. Source:
    /// data2vec_vision af9a363, engine_for_cyclical.py (after Bardes et al. 2022, VICReg).
    /// </summary>
    /// <param name="rows">[M, D].</param>
    /// <param name="margin">Deviation below which the term is positive.</param>
    public static Tensor VarianceHinge(Tensor rows, double margin)
    {
        var deviation = Ops.Sqrt(Ops.Affine(Ops.Variance(rows, [0]), 1, 1e-6));
        return Ops.Mean(Ops.Relu(Ops.Affine(deviation, -1, margin)));
    }

    /// <summary>
    /// The teacher on the full view. Its intermediate tensors live as long as this call, unless they are kept.
    /// </summary>
    private static (Tensor Targets, EncoderOutput? Teacher) Targets<TBatch>(
        IPretrainable<TBatch> model, TBatch batch, Tensor? front, TargetRecipe recipe, DType type, bool keepTeacher)
    {
        using var parameters = model.Store.Teacher(type);
        if (keepTeacher)
        {
            var output = model.Encode(parameters, batch, front, masked: false, new ForwardMode(Collect: true));
            return (TargetBuilder.Build(output, recipe), output);
        }
        using var scope = model.Store.Device.Scope();
        var passing = model.Encode(parameters, batch, front, masked: false, new ForwardMode(Collect: true));
        return (scope.Keep(TargetBuilder.Build(passing, recipe)), null);
    }
}
