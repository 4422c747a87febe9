using Data2Vec.Bench.Running;
using Data2Vec.Kernels;
using Data2Vec.Kernels.Emulator;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>
/// Convolutions that normalise their rows, on the emulator: the bits of the two kernels that they replace, without asking a
/// bank of shared memory twice.
/// </summary>
public sealed class CudaConv1dNormTests
{
    private static readonly Conv1dShape[] Shapes =
    [
        new(2, 151, 16, 128, 3, 2, 0, 1, 1),
        new(1, 90, 24, 104, 4, 3, 5, 2, 1),
        new(2, 90, 8, 256, 2, 2, 0, 1, 1),
        new(1, 137, 40, 512, 3, 2, 0, 1, 1),
        new(1, 67, 8, 384, 3, 1, 1, 1, 1),
    ];

    private static readonly Conv1dShape[] Signals =
        [new(2, 531, 1, 512, 10, 5, 0, 1, 1), new(1, 75, 1, 128, 16, 1, 9, 2, 1), new(3, 9, 1, 256, 3, 4, 1, 1, 1)];

    private EmulatedCuda large = null!, small = null!;

    [OneTimeSetUp]
    public void Open()
    {
        large = new EmulatedCuda();
        small = new EmulatedCuda(EmulatedDriver.SmallShared);
        // The two kernels must add in the order of the one.
        large.Device.Plan = small.Device.Plan = Plans.Cut(false, 1);
    }

    [OneTimeTearDown]
    public void Close()
    {
        large.Dispose();
        small.Dispose();
    }

    [Test]
    public void Rows_are_those_of_a_convolution_and_a_norm(
        [ValueSource(nameof(Shapes))] Conv1dShape shape, [Values] bool keepsSum, [Values] bool full)
    {
        AssertSame(large, shape, keepsSum, full, $"conv1d_norm_{(shape.Out <= 128 ? 128 : shape.Out <= 256 ? 256 : 512)}");
    }

    [Test]
    public void A_device_with_less_memory_for_a_block_has_two_stages([Values] bool keepsSum) =>
        AssertSame(small, Shapes[3], keepsSum, true, "conv1d_norm_512_two_stages");

    [Test]
    public void A_signal_is_normalised_where_it_is_convolved(
        [ValueSource(nameof(Signals))] Conv1dShape shape, [Values] bool keepsSum, [Values] bool full) =>
        AssertSame(large, shape, keepsSum, full, "conv1d_norm_signal");

    [Test]
    public void What_no_kernel_takes_is_done_in_two_steps()
    {
        var (kernels, _) = large.Watch(() => Run(large.Device, new(1, 40, 8, 520, 3, 2, 0, 1, 1), true, true, false));
        Assert.That(kernels, Does.Contain("conv1d_fwd_64").And.Contain("layer_norm_fwd_gelu_w768"));
        (kernels, _) = large.Watch(() => Run(large.Device, new(1, 40, 16, 32, 3, 2, 0, 1, 2), true, true, false));
        Assert.That(kernels, Does.Contain("conv1d_fwd_64").And.Contain("layer_norm_fwd_gelu_w256"));
    }

    private static void AssertSame(EmulatedCuda cuda, Conv1dShape shape, bool keepsSum, bool full, string kernel)
    {
        Dictionary<string, double[]> actual = [];
        var (kernels, conflicts) = cuda.Watch(() => actual = Run(cuda.Device, shape, keepsSum, full, false));
        Assert.That(kernels, Is.EqualTo(new[] { kernel }));
        Assert.That(conflicts, Is.Zero, "conflicts of banks");
        var expected = Run(cuda.Device, shape, true, full, true);
        foreach (var (name, values) in actual) Assert.That(values, Is.EqualTo(expected[name]), name);
        Assert.That(actual["y"].Distinct().Count(), Is.GreaterThan(50));
    }

    private static Dictionary<string, double[]> Run(
        CudaBackend device, Conv1dShape s, bool keepsSum, bool full, bool inTwoSteps)
    {
        var operands = new RawOperands(device, DType.BFloat16);
        int ofY = (int)s.OutputCount, rows = ofY / s.Out;
        var (x, w) = (operands.Random((int)s.InputCount), operands.Random((int)s.WeightCount));
        var (bias, gamma, beta) = (operands.Random(s.Out), operands.Random(s.Out), operands.Random(s.Out));
        var a = new Conv1dLayerNormArgs
        {
            X = x, W = w, Bias = full ? bias : default, Gamma = full ? gamma : default, Beta = full ? beta : default,
            Sum = keepsSum ? operands.Output("sum", ofY) : default, Y = operands.Output("y", ofY),
            Mean = keepsSum ? operands.Output("mean", rows, DType.Float32) : default,
            Rstd = keepsSum ? operands.Output("rstd", rows, DType.Float32) : default,
            Shape = s, Eps = 1e-5, Activation = Activation.Gelu,
        };
        if (inTwoSteps) Conv1dThenLayerNorm.Run(device, a);
        else device.Conv1dLayerNorm(a);
        return operands.Read(keepsSum ? ["sum", "y", "mean", "rstd"] : ["y"]);
    }
}
