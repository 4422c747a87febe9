using System.Diagnostics;
using System.Runtime.Intrinsics.X86;
using Data2Vec.Bench.Cases;
using Data2Vec.Bench.Running;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;
using Cases = Data2Vec.Bench.Cases.Catalogue;

namespace Data2Vec.Tests.Catalogue;

/// <summary>The whole tiny catalogue on the cpu with instruction sets switched off, and on other numbers of threads.</summary>
public sealed class InstructionSetTests
{
    // The names that .NET 10 reads; EnableAVX512F of older versions does nothing there, so the printed set is checked.
    [TestCase("DOTNET_EnableAVX512", "AVX2")]
    [TestCase("DOTNET_EnableAVX2", "Vector128")]
    public void Parity_holds_without_an_instruction_set(string variable, string expected)
    {
        if (!Avx2.IsSupported) Assert.Ignore("This processor has no AVX2, so there is nothing to switch off.");
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardOutput = true,
            ArgumentList =
            {
                Path.Combine(AppContext.BaseDirectory, "Data2Vec.Bench.dll"), "verify", "--size", "tiny", "--device", "cpu",
            },
            Environment = { [variable] = "0" },
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.That(output.Split('\n')[0], Does.Contain(expected));
        Assert.That(process.ExitCode, Is.Zero, string.Join('\n', output.Split('\n').Where(l => !l.StartsWith("ok"))));
        // The whole catalogue, with nothing left out.
        var cases = Cases.Select(null, tinyOnly: true).Count + Cases.SelectErrors(null).Count;
        var operations = Cases.Select(null, tinyOnly: true).Select(c => c.Op).Concat(Cases.Errors.Select(e => e.Op)).Distinct().Count();
        Assert.That(output.TrimEnd().Split('\n')[^1], Is.EqualTo($"ops {operations} cases {cases} failed 0 skipped 0"));
    }

    [Test]
    public void The_bits_do_not_depend_on_the_number_of_threads()
    {
        using var one = BenchDevice.Open("cpu", 1);
        using var two = BenchDevice.Open("cpu", 2);
        using var five = BenchDevice.Open("cpu", 5);
        using (Assert.EnterMultipleScope())
        {
            foreach (var c in Cases.Cases.Where(c => c.Size == CaseSize.Tiny))
            {
                var expected = Bits(c, one);
                Assert.That(Bits(c, two), Is.EqualTo(expected), $"{c.Id} on 2 threads");
                Assert.That(Bits(c, five), Is.EqualTo(expected), $"{c.Id} on 5 threads");
            }
        }
    }

    private static long[] Bits(OpCase c, Device device)
    {
        using var session = new CaseSession(c, device, DType.Float32, c.Draw());
        var outputs = c.IsDifferentiable ? session.ForwardAndBackward(c.Run!) : session.Forward();
        return [.. outputs.SelectMany(o => o.Values).Select(BitConverter.DoubleToInt64Bits)];
    }
}
