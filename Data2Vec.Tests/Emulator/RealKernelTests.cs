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
        // Loss and gradient of listed rows by a block of 256 threads each, with -lineinfo; sums go through shared memory.
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
        for (var r = 0; r < count; r++) Assert.That(actual[r], Is.EqualTo((float)(0.5 * losses[r])).Within(columns).Ulps);

        float[] Random(int n) => [.. Enumerable.Range(0, n).Select(_ => (float)(random.NextDouble() * 4 - 2))];
    }

    [Test]
    public void Every_kernel_of_NVRTC_is_decoded(
        [ValueSource(nameof(Sources))] string source, [Values("-DELEMENT_BF16=0", "-DELEMENT_BF16=1")] string element)
    {
        var ptx = EmulatedDevice.Compile(source, element);
        using var driver = new EmulatedDriver();
        var module = driver.LoadModule(ptx, source);
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
            var entry = Entries().Match(ptx).Groups[1].Value;
            Assert.That(() => driver.GetFunction(driver.LoadModule(ptx, source.Name), entry), Throws.Nothing, source.Name);
        }
    }

    private static IEnumerable<string> Sources => KernelSources.Programs();

    [GeneratedRegex(@"\.entry (\w+)")]
    private static partial Regex Entries();
}
