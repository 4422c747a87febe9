using System.Text.RegularExpressions;
using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Emulator;
using Data2Vec.Kernels.Ilgpu;
using NUnit.Framework;

namespace Data2Vec.Tests.Emulator;

/// <summary>Kernels as compilers make them.</summary>
public sealed partial class RealKernelTests
{
    [TestCase(1.0f)]
    [TestCase(0.0f)]
    public void Smooth_L1_of_NVRTC_gives_what_its_formula_says(float beta)
    {
        // Loss and gradient of listed rows by a block of 256 threads each, with -lineinfo; sums go through shared
        // memory.
        var ptx = File.ReadAllText(Path.Combine(Repository.Root, "Data2Vec.Tests", "Emulator", "smooth_l1.ptx"));
        using var device = new EmulatedDevice();
        const int xRows = 5, count = 3, columns = 300;
        var random = new Random(1);
        float[] x = Random(xRows * columns), target = Random(count * columns);
        int[] rows = [4, 0, 2];
        var (loss, dx) = (device.Empty<float>(count), device.Put(new float[xRows * columns]));
        device.Launch(ptx, "smooth_l1_fwd_bwd", new Dim3(count), new Dim3(256), 0,
            device.Put(x), device.Put(rows), device.Put(target), loss, dx, columns, beta, 0.5f);
        var slopes = new float[xRows * columns];
        var losses = new double[count];
        for (var r = 0; r < count; r++)
        {
            for (var c = 0; c < columns; c++)
            {
                var d = x[rows[r] * columns + c] - target[r * columns + c];
                var inside = Math.Abs(d) < beta;
                losses[r] += beta == 0 ? d * d : inside ? 0.5 * d * d / beta : Math.Abs(d) - 0.5 * beta;
                slopes[rows[r] * columns + c] = 0.5f * (beta == 0 ? 2 * d : inside ? d / beta : MathF.Sign(d));
            }
        }
        Assert.That(device.Get<float>(dx, xRows * columns), Is.EqualTo(slopes));
        var actual = device.Get<float>(loss, count);
        for (var r = 0; r < count; r++)
            Assert.That(actual[r], Is.EqualTo((float)(0.5 * losses[r])).Within(columns).Ulps);

        float[] Random(int n) => [.. Enumerable.Range(0, n).Select(_ => (float)(random.NextDouble() * 4 - 2))];
    }

    [Test]
    public void A_barrier_taken_out_of_a_compiled_kernel_is_missed_at_the_line_that_reads()
    {
        var ptx = File.ReadAllText(Path.Combine(Repository.Root, "Data2Vec.Tests", "Emulator", "smooth_l1.ptx"));
        var barrier = ptx.IndexOf("bar.sync", StringComparison.Ordinal);
        var error = Assert.Throws<EmulatorException>(() => Run(ptx[..barrier] + "nop; //" + ptx[(barrier + 8)..], 300));
        Assert.That(error!.Finding.Kind, Is.EqualTo(FindingKind.Uninitialised).Or.EqualTo(FindingKind.SharedRace));
        Assert.That(error.Finding.Location!.ToString(), Is.EqualTo("reduce.cuh:14, called from smooth_l1.cu:31"));
        Assert.That(error.Message, Does.Contain("smooth_l1_fwd_bwd (reduce.cuh:14, called from smooth_l1.cu:31)")
            .And.Contain("block (0, 0, 0), thread (1, 0, 0)").And.Contain(
                "partial, which thread (0, 0, 0) writes too"));
    }

    [Test]
    public void A_column_too_many_in_a_compiled_kernel_is_found_at_the_line_that_reads_it()
    {
        var ptx = File.ReadAllText(Path.Combine(Repository.Root, "Data2Vec.Tests", "Emulator", "smooth_l1.ptx"));
        var error = Assert.Throws<EmulatorException>(() => Run(ptx, 301));
        Assert.That(error!.Finding.Kind, Is.EqualTo(FindingKind.OutOfBounds));
        Assert.That(error.Finding.Location!.ToString(), Is.EqualTo("smooth_l1.cu:24"));
        Assert.That(error.Finding.Thread.X, Is.EqualTo(300 - 256));
    }

    /// <summary>The last row of tensors of 300 columns.</summary>
    private static void Run(string ptx, int columns)
    {
        using var device = new EmulatedDevice();
        device.Launch(ptx, "smooth_l1_fwd_bwd", new Dim3(1), new Dim3(256), 0, device.Put(new float[300]),
            device.Put(0),
            device.Put(new float[300]), device.Empty<float>(1), device.Put(new float[300]), columns, 1f, 1f);
    }

    [TestCaseSource(nameof(Sources))]
    public void Every_kernel_of_NVRTC_is_decoded(string name)
    {
        var ptx = CudaKernelList.Sources.First(s => s.Name == name).Ptx();
        using var driver = new EmulatedDriver();
        var module = driver.LoadModule(ptx, name);
        foreach (var entry in Entries().Matches(ptx).Select(m => m.Groups[1].Value))
            Assert.That(() => driver.GetFunction(module, entry), Throws.Nothing, entry);
    }

    [Test]
    public void Every_kernel_of_ILGPU_is_decoded()
    {
        using var compiler = new PtxCompiler();
        using var driver = new EmulatedDriver();
        foreach (var source in KernelList.All)
        {
            var ptx = compiler.Compile(source);
            // What ILGPU 1.5.3 makes of a float that is "condition ? 1 : 0": the bits of the integer.
            Assert.That(ptx, Does.Not.Contain("0f00000001"), source.Name);
            var entry = Entries().Match(ptx).Groups[1].Value;
            Assert.That(() => driver.GetFunction(driver.LoadModule(ptx, source.Name), entry), Throws.Nothing,
                source.Name);
        }
    }

    private static IEnumerable<string> Sources => CudaKernelList.Sources.Select(s => s.Name);

    [GeneratedRegex(@"\.entry (\w+)")]
    private static partial Regex Entries();
}
