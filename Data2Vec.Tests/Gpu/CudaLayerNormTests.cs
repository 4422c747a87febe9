using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>What the catalogue cannot say of kernels/layer_norm.cu: every width, both variants, offsets, runs of rows.</summary>
public sealed class CudaLayerNormTests : CudaKernelTests
{
    private static readonly int[] Widths = [1, 8, 248, 256, 264, 512, 520, 760, 768, 776, 1016, 1024, 1032];

    [Test]
    public void Every_width_gives_what_double_precision_gives(
        [ValueSource(nameof(Widths))] int columns, [Values] bool bfloat16, [Values(0, 1)] int offset) =>
        Compare(o => Plain(o, rows: 5, columns), bfloat16, offset, terms: columns);

    [Test]
    public void Dropout_residual_and_activation_do_too(
        [Values(264, 37)] int columns, [Values] bool bfloat16, [Values] Activation activation) =>
        Compare(o => Fused(o, rows: 6, columns, activation), bfloat16, 0, terms: columns, ["mean", "rstd", "y"], rounded: 5);

    [Test]
    public void Rows_in_several_runs_add_up([Values(4, 2121)] int rows, [Values(8, 9)] int columns, [Values] bool bfloat16) =>
        Compare(o => Plain(o, rows, columns), bfloat16, 0, terms: rows);

    [Test]
    public void Gradients_of_scale_and_shift_are_wanted_or_not(
        [Values] bool gamma, [Values] bool beta, [Values(24, 25)] int columns) =>
        Compare(o => Plain(o, rows: 19, columns, gamma, beta), bfloat16: false, 0, terms: columns);

    [Test]
    public void The_gradient_may_be_written_over_the_one_that_came([Values(24, 25)] int columns) =>
        Compare(o =>
        {
            var (rows, count) = (7, 7 * columns);
            var (x, dy) = (o.Random(count), o.Named("dx", o.Random(count), count));
            var (mean, rstd) = (o.Output("mean", rows, o.Statistics), o.Output("rstd", rows, o.Statistics));
            return new(
                ["mean", "rstd", "y"],
                b => b.LayerNorm(new LayerNormArgs
                {
                    X = x, Y = o.Output("y", count), Mean = mean, Rstd = rstd, Rows = rows, Columns = columns, Eps = 1e-5,
                }),
                b => b.LayerNormBackward(new LayerNormBackwardArgs
                {
                    Sum = x, Mean = mean, Rstd = rstd, DY = dy, DX = dy, DGamma = o.Output("dgamma", columns), Rows = rows,
                    Columns = columns,
                }));
        }, bfloat16: false, 0, terms: columns);

    [Test]
    public void Bits_do_not_depend_on_the_run([Values(8, 9)] int columns)
    {
        var first = Results(Device, o => Plain(o, 300, columns), DType.Float32, 0);
        foreach (var (name, values) in Results(Device, o => Plain(o, 300, columns), DType.Float32, 0))
            Assert.That(values, Is.EqualTo(first[name]), name);
    }

    private static Calls Plain(RawOperands o, int rows, int columns, bool dGamma = true, bool dBeta = true)
    {
        var count = rows * columns;
        var (x, gamma, beta, dy) = (o.Random(count), o.Random(columns), o.Random(columns), o.Random(count));
        var (mean, rstd) = (o.Output("mean", rows, o.Statistics), o.Output("rstd", rows, o.Statistics));
        var y = o.Output("y", count);
        var backward = new LayerNormBackwardArgs
        {
            Sum = x, Mean = mean, Rstd = rstd, Gamma = gamma, Beta = beta, DY = dy, DX = o.Output("dx", count),
            DGamma = dGamma ? o.Named("dgamma", o.Random(columns), columns) : default,
            DBeta = dBeta ? o.Output("dbeta", columns) : default, Rows = rows, Columns = columns, AccumulateGamma = true,
        };
        return new(
            ["mean", "rstd", "y"],
            b => b.LayerNorm(new LayerNormArgs
            {
                X = x, Gamma = gamma, Beta = beta, Y = y, Mean = mean, Rstd = rstd, Rows = rows, Columns = columns, Eps = 0.25,
            }),
            b => b.LayerNormBackward(backward));
    }

    private static Calls Fused(RawOperands o, int rows, int columns, Activation activation)
    {
        var count = rows * columns;
        var (x, residual, dy) = (o.Random(count), o.Random(count), o.Random(count));
        var (gamma, beta) = (o.Random(columns), o.Random(columns));
        var (mean, rstd) = (o.Output("mean", rows, o.Statistics), o.Output("rstd", rows, o.Statistics));
        var (sum, y) = (o.Output("sum", count), o.Output("y", count));
        var step = o.Bytes<StepValues>([new StepValues { Seed = 0x1234_5678_9ABC, Step = 7, MicroBatch = 2 }], DType.UInt8);
        var dropout = new DropoutSource(0.25, 11, step, default);
        var backward = new LayerNormBackwardArgs
        {
            Sum = sum, Mean = mean, Rstd = rstd, Gamma = gamma, Beta = beta, DY = dy, DX = o.Output("dx", count),
            DResidual = o.Output("dresidual", count), DGamma = o.Output("dgamma", columns), DBeta = o.Output("dbeta", columns),
            Rows = rows, Columns = columns, Dropout = dropout, Activation = activation,
        };
        return new(
            ["mean", "rstd", "sum", "y"],
            b => b.LayerNorm(new LayerNormArgs
            {
                X = x, Residual = residual, Gamma = gamma, Beta = beta, Y = y, Sum = sum, Mean = mean, Rstd = rstd, Rows = rows,
                Columns = columns, Eps = 0.25, Dropout = dropout, Activation = activation,
            }),
            b => b.LayerNormBackward(backward));
    }
}
