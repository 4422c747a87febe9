using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>What the catalogue cannot say of the kernels of losses: variants, offsets, lists of rows, long targets.</summary>
public sealed class CudaLossTests : CudaKernelTests
{
    [Test]
    public void Smooth_l1_of_listed_rows_in_every_reduction(
        [Values] Reduction reduction, [Values] bool bfloat16, [Values(24, 21)] int columns, [Values(0, 3)] int offset) =>
        Compare(o => SmoothL1(o, reduction, [4, 0, 4, 2, 4], xRows: 6, columns, beta: 1.5), bfloat16, offset, terms: 5 * columns);

    [Test]
    public void Smooth_l1_of_all_rows_and_of_none(
        [Values] bool listed, [Values(0, 3)] int count, [Values(8, 7)] int columns, [Values(0.0, 0.5)] double beta) =>
        Compare(o => SmoothL1(o, Reduction.Sum, listed ? new int[count] : null, listed ? 4 : count, columns, beta),
            bfloat16: false, 0, terms: count * columns + 1);

    [Test]
    public void Smooth_l1_of_rows_wider_than_a_block([Values(1032, 1031)] int columns, [Values] bool bfloat16) =>
        Compare(o => SmoothL1(o, Reduction.PerRow, [1, 0], xRows: 2, columns, beta: 1), bfloat16, 0, terms: columns);

    [Test]
    public void Cross_entropy_of_few_and_of_many_classes(
        [Values(1, 5, 33, 2048, 2050)] int classes, [Values] bool bfloat16, [Values(0.0, 0.25)] double smoothing) =>
        Compare(o => CrossEntropy(o, classes, rows: 11, smoothing, Reduction.Mean), bfloat16, 0, terms: classes);

    [Test]
    public void Targets_that_fill_a_block_and_that_do_not_fit_into_one(
        [Values(3, 511, 512)] int room, [Values] bool bfloat16, [Values(1, 9)] int frames)
    {
        Compare(o =>
        {
            const int classes = 6, batch = 2;
            int[] labels = [.. Enumerable.Range(0, batch * room).Select(i => 1 + i * i % 5)];
            var x = o.Given([.. Enumerable.Range(0, batch * frames * classes).Select(i => (double)-(i * 7 % 16) / 8)]);
            var (targets, inputs) = (o.Integers(labels), o.Integers([frames, frames - 1]));
            var lengths = o.Integers([Math.Min(room, frames / 3), 0]);
            var loss = o.Output("loss", batch);
            var kept = o.Output("sample", batch, o.Statistics);
            // Not compared: what lies behind the last state of a sample is not written.
            var alpha = o.Empty(batch * frames * (2 * room + 1), o.Statistics);
            var dLoss = o.Random(batch);
            var dx = o.Output("dx", batch * frames * classes);
            return new(
                ["loss", "sample"],
                b => b.CtcLoss(new CtcLossArgs
                {
                    X = x, Targets = targets, InputLengths = inputs, TargetLengths = lengths, Loss = loss, SampleLoss = kept,
                    Alpha = alpha, Batch = batch, Time = frames, Classes = classes, MaxTarget = room,
                    Reduction = Reduction.PerRow,
                }),
                b => b.CtcLossBackward(new CtcLossBackwardArgs
                {
                    X = x, Targets = targets, InputLengths = inputs, TargetLengths = lengths, SampleLoss = kept, Alpha = alpha,
                    DLoss = dLoss, DX = dx, Batch = batch, Time = frames, Classes = classes, MaxTarget = room,
                    Reduction = Reduction.PerRow,
                }));
        }, bfloat16, 0, terms: 20 * frames);
    }

    private static Calls SmoothL1(RawOperands o, Reduction reduction, int[]? list, int xRows, int columns, double beta)
    {
        var count = list?.Length ?? xRows;
        var losses = reduction == Reduction.None ? count * columns : reduction == Reduction.PerRow ? count : 1;
        var rows = list is null ? default : o.Integers(list, wide: beta == 1.5);
        var (x, target, dLoss) = (o.Random(xRows * columns), o.Random(count * columns), o.Random(losses));
        var backward = new SmoothL1BackwardArgs
        {
            X = x, Rows = rows, Target = target, DLoss = dLoss, DX = o.Output("dx", xRows * columns),
            DTarget = o.Output("dtarget", count * columns), Count = count, Columns = columns, XRows = xRows, Beta = beta,
            Reduction = reduction, Scale = 0.25,
        };
        var loss = o.Output("loss", losses);
        return new(
            ["loss"],
            b => b.SmoothL1(new SmoothL1Args
            {
                X = x, Rows = rows, Target = target, Loss = loss, Count = count, Columns = columns, XRows = xRows, Beta = beta,
                Reduction = reduction, Scale = 0.25,
            }),
            b => b.SmoothL1Backward(backward));
    }

    private static Calls CrossEntropy(RawOperands o, int classes, int rows, double smoothing, Reduction reduction)
    {
        var (x, weight, dLoss) = (o.Random(rows * classes), o.Given([.. Enumerable.Range(0, classes).Select(c => 1 + c % 3 * 0.5)]), o.Random(1));
        var target = o.Integers([.. Enumerable.Range(0, rows).Select(r => r == 4 ? -100 : r * 7 % classes)]);
        var (loss, lse, total) = (o.Output("loss", 1), o.Output("lse", rows, o.Statistics), o.Output("total", 1, o.Statistics));
        var dx = o.Output("dx", rows * classes);
        return new(
            ["loss", "lse", "total"],
            b => b.CrossEntropy(new CrossEntropyArgs
            {
                X = x, Target = target, Weight = weight, Loss = loss, LogSumExp = lse, TotalWeight = total, Rows = rows,
                Classes = classes, Smoothing = smoothing, IgnoreIndex = -100, Reduction = reduction,
            }),
            b => b.CrossEntropyBackward(new CrossEntropyBackwardArgs
            {
                X = x, Target = target, Weight = weight, LogSumExp = lse, TotalWeight = total, DLoss = dLoss, DX = dx, Rows = rows,
                Classes = classes, Smoothing = smoothing, IgnoreIndex = -100, Reduction = reduction,
            }));
    }
}
