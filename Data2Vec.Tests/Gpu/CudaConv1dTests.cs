using Data2Vec.Bench.Running;
using Data2Vec.Kernels;
using Data2Vec.Kernels.Cuda;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>
/// What the catalogue of small cases cannot say about convolutions on the emulator: channels in whole units of 16
/// bytes, large tiles, cut sums, and that the banks of shared memory are never asked twice.
/// </summary>
public sealed class CudaConv1dTests
{
    private static readonly Conv1dShape[] Shapes =
    [
        // As of the layers of a feature encoder: more than one large tile of frames and of channels.
        new(2, 151, 16, 136, 3, 2, 0, 1, 1),
        // As of positions: groups, long kernel, padding.
        new(2, 70, 96, 96, 9, 1, 4, 1, 4),
        new(1, 90, 16, 32, 4, 3, 5, 2, 2),
    ];

    private static readonly Conv1dShape[] Signals =
        [new(2, 531, 1, 128, 10, 5, 0, 1, 1), new(1, 75, 1, 640, 16, 1, 9, 2, 1), new(3, 9, 1, 256, 3, 4, 1, 1, 1)];

    private EmulatedCuda cuda = null!;
    private ReferenceBackend reference = null!;

    [OneTimeSetUp]
    public void Open()
    {
        cuda = new EmulatedCuda();
        reference = new ReferenceBackend();
    }

    [OneTimeTearDown]
    public void Close()
    {
        cuda.Dispose();
        reference.Dispose();
    }

    [Test]
    public void Results_and_gradients_are_those_of_double_precision(
        [ValueSource(nameof(Shapes))] Conv1dShape shape, [Values("float32", "bfloat16")] string type,
        [Values] bool large,         [Values(1, 3)] int parts)
    {
        Dictionary<string, double[]> actual = [];
        cuda.Device.Plan = Plans.Cut(large, parts);
        var isBrain = type == "bfloat16";
        var (kernels, conflicts) = cuda.Watch(
            () => actual = Run(cuda.Device, isBrain ? DType.BFloat16 : DType.Float32, shape, null));
        cuda.Device.Plan = ProductPlan.For;
        Assert.That(kernels.Any(k => k.Contains("_any")), Is.False, "element by element");
        Assert.That(conflicts, Is.Zero, "conflicts of banks");
        AssertClose(shape, isBrain, actual);
    }

    [Test]
    public void A_signal_to_many_channels_has_a_kernel_of_its_own([ValueSource(nameof(Signals))] Conv1dShape shape)
    {
        Dictionary<string, double[]> actual = [];
        var (kernels, _) = cuda.Watch(() => actual = Run(cuda.Device, DType.BFloat16, shape, null));
        Assert.That(kernels, Does.Contain("conv1d_fwd_signal").And.Contain("conv1d_bwd_weight_odd"));
        AssertClose(shape, true, actual);
    }

    private void AssertClose(Conv1dShape shape, bool isBrain, Dictionary<string, double[]> actual)
    {
        foreach (var (name, values) in Run(reference, DType.Float64, shape, actual))
        {
            // Rounded once to the type (slopes before their product too), sums in float32.
            var largest = values.Max(Math.Abs);
            var terms = Math.Max(shape.Kernel * shape.GroupIn, shape.Batch * shape.OutTime);
            var tolerance = largest * (isBrain ? Math.ScaleB(1, -7) : terms * Math.ScaleB(1, -24));
            for (var i = 0; i < values.Length; i++)
                Assert.That(actual[name][i], Is.EqualTo(values[i]).Within(tolerance), $"{name}[{i}]");
        }
    }

    /// <summary>
    /// Forward and backward; backward from the sums that the other backend's forward has left, if given.
    /// </summary>
    private static Dictionary<string, double[]> Run(
        IBackend backend, DType type, Conv1dShape s, Dictionary<string, double[]>? kept)
    {
        var operands = new RawOperands(backend, type);
        int ofX = (int)s.InputCount, ofW = (int)s.WeightCount, ofY = (int)s.OutputCount;
        var (x, w) = (operands.Random(ofX), operands.Random(ofW));
        var (bias, dy) = (operands.Random(s.Out), operands.Random(ofY));
        var (y, sums) = (operands.Output("y", ofY), operands.Output("sums", ofY));
        backend.Conv1d(new Conv1dArgs
        {
            X = x, W = w, Bias = bias, Y = y, PreActivation = sums, Shape = s, Activation = Activation.Gelu,
        });
        var results = operands.Read(["y", "sums"]);
        if (kept is not null) operands.Write(["sums"], kept);
        var dw = operands.Named("dw", operands.Random(ofW), ofW);
        backend.Conv1dBackward(new Conv1dBackwardArgs
        {
            X = x, W = w, PreActivation = sums, DY = dy, Scratch = dy, DX = operands.Output("dx", ofX), DW = dw,
            DBias = operands.Output("dbias", s.Out), Shape = s, Activation = Activation.Gelu, AccumulateW = true,
        });
        foreach (var (name, values) in operands.Read(["dx", "dw", "dbias"])) results[name] = values;
        return results;
    }
}
