using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Cpu;

/// <summary>A kernel call, its checks included, makes no garbage once its workspace has grown.</summary>
public sealed class GarbageTests
{
    [TestCase(1, 3, 2, 0)]
    [TestCase(4, 5, 1, 2)]
    public void A_convolution_and_its_gradients_make_none(int groups, int kernel, int stride, int padding)
    {
        using var backend = CpuBackend.Create(2);
        var shape = new Conv1dShape(2, 203, 64, 64, kernel, stride, padding, 1, groups);
        using var memory = new Memory(backend);
        var forward = new Conv1dArgs
        {
            X = memory.Floats(shape.InputCount), W = memory.Floats(shape.WeightCount), Bias = memory.Floats(shape.Out),
            PreActivation = memory.Floats(shape.OutputCount), Y = memory.Floats(shape.OutputCount),
            Shape = shape, Activation = Activation.Gelu,
        };
        var backward = new Conv1dBackwardArgs
        {
            X = forward.X, W = forward.W, PreActivation = forward.PreActivation, DY = forward.Y,
            Scratch = memory.Floats(shape.OutputCount), DX = memory.Floats(shape.InputCount),
            DW = memory.Floats(shape.WeightCount), DBias = memory.Floats(shape.Out), Shape = shape,
            Activation = Activation.Gelu, AccumulateW = true,
        };
        AssertNoGarbage(() =>
        {
            forward.Check();
            backend.Conv1d(forward);
            backward.Check();
            backend.Conv1dBackward(backward);
        });
    }

    [Test]
    public void A_LayerNorm_with_activation_makes_none()
    {
        using var backend = CpuBackend.Create(2);
        using var memory = new Memory(backend);
        const int rows = 301, columns = 70;
        var forward = new LayerNormArgs
        {
            X = memory.Floats(rows * columns), Gamma = memory.Floats(columns), Beta = memory.Floats(columns),
            Y = memory.Floats(rows * columns), Mean = memory.Floats(rows), Rstd = memory.Floats(rows),
            Rows = rows, Columns = columns, Eps = 1e-5, Activation = Activation.Gelu,
        };
        var backward = new LayerNormBackwardArgs
        {
            Sum = forward.X, Mean = forward.Mean, Rstd = forward.Rstd, Gamma = forward.Gamma, Beta = forward.Beta,
            DY = forward.Y, DX = memory.Floats(rows * columns), DGamma = memory.Floats(columns),
            DBeta = memory.Floats(columns), Rows = rows, Columns = columns, Activation = Activation.Gelu,
        };
        AssertNoGarbage(() =>
        {
            forward.Check();
            backend.LayerNorm(forward);
            backward.Check();
            backend.LayerNormBackward(backward);
        });
    }

    private static void AssertNoGarbage(Action call)
    {
        for (var i = 0; i < 3; i++) call();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10; i++) call();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    private sealed class Memory(IBackend backend) : IDisposable
    {
        private readonly List<DeviceBuffer> buffers = [];

        public BufferView Floats(long count)
        {
            var buffer = backend.Allocate(count * sizeof(float));
            buffers.Add(buffer);
            var view = new BufferView(buffer, 0, DType.Float32);
            backend.Fill(new FillArgs { Y = view, Count = count, Value = 0.5 });
            return view;
        }

        public void Dispose()
        {
            foreach (var buffer in buffers) backend.Free(buffer);
        }
    }
}
