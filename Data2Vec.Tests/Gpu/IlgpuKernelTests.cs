using Data2Vec.Kernels;
using Data2Vec.Kernels.Ilgpu;
using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>
/// The contract carries over to ILGPU: kernels with the arguments of three operations compile to PTX without a GPU and, on
/// ILGPU's own CPU accelerator with 32-lane warps, compute what the formulas say.
/// </summary>
public sealed class IlgpuKernelTests
{
    private readonly Random random = new(1);

    [TestCase(typeof(SmoothL1Kernels), nameof(SmoothL1Kernels.ForwardAndBackward))]
    public void A_kernel_compiles_to_PTX(Type type, string method)
    {
        using var context = Context.Create(b => b.Math(MathMode.Default));
        using var backend = new PTXBackend(
            context, new CudaCapabilityContext(CudaArchitecture.SM_80), CudaArchitecture.SM_80, CudaInstructionSet.ISA_70, null);
        var entry = EntryPointDescription.FromExplicitlyGroupedKernel(type.GetMethod(method)!);
        var kernel = (PTXCompiledKernel)backend.Compile(entry, default);
        Assert.That(kernel.PTXAssembly, Does.Contain(".target sm_80").And.Contain(".entry").And.Contain("st.f32"));
    }

    [Test]
    public void SmoothL1_equals_its_formula()
    {
        const int rows = 4, columns = 33;
        var (x, target) = (Values(rows * columns), Values(2 * columns));
        int[] listed = [3, 1];
        using var device = new CpuAccelerator();
        var a = device.Accelerator;
        using var vx = a.Allocate1D(x);
        using var vr = a.Allocate1D(listed);
        using var vt = a.Allocate1D(target);
        using var loss = a.Allocate1D<float>(2);
        using var dx = a.Allocate1D<float>(x.Length);
        dx.MemSetToZero();
        var launch = a.LoadStreamKernel<ArrayView<float>, ArrayView<int>, ArrayView<float>, ArrayView<float>, ArrayView<float>,
            int, float, float>(SmoothL1Kernels.ForwardAndBackward);
        launch(new KernelConfig(2, RowReduction.GroupSize), vx.View, vr.View, vt.View, loss.View, dx.View, columns, 0.5f, 2f);
        a.Synchronize();
        var (l, g) = (loss.GetAsArray1D(), dx.GetAsArray1D());
        for (var i = 0; i < 2; i++)
        {
            double sum = 0;
            for (var c = 0; c < columns; c++)
            {
                double d = x[listed[i] * columns + c] - target[i * columns + c];
                sum += Math.Abs(d) < 0.5 ? d * d : Math.Abs(d) - 0.25;
                var slope = Math.Abs(d) < 0.5 ? d / 0.5 : Math.Sign(d);
                Assert.That(g[listed[i] * columns + c], Is.EqualTo(2 * slope).Within(1e-5));
            }
            Assert.That(l[i], Is.EqualTo(2 * sum).Within(1e-4));
        }
        Assert.That(g.AsSpan(0, columns).ToArray(), Is.All.Zero, "a row that is not listed takes no gradient");
    }

    private float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 4 - 2)];

    /// <summary>ILGPU's CPU accelerator with warps of 32 lanes, as a GPU has.</summary>
    private sealed class CpuAccelerator : IDisposable
    {
        private readonly Context context = Context.Create(b => b.CPU(new CPUDevice(32, 8, 1)));

        public CpuAccelerator() => Accelerator = context.GetCPUDevice(0).CreateAccelerator(context);

        public Accelerator Accelerator { get; }

        public void Dispose()
        {
            Accelerator.Dispose();
            context.Dispose();
        }
    }
}
