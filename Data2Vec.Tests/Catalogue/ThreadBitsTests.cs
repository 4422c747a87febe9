using Data2Vec.Bench.Cases;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;
using Cases = Data2Vec.Bench.Cases.Catalogue;

namespace Data2Vec.Tests.Catalogue;

/// <summary>Work is cut by shape: one thread gives the bits of three, forward and backward, for every tiny case.</summary>
public sealed class ThreadBitsTests
{
    private Device one = null!;
    private Device three = null!;

    [OneTimeSetUp]
    public void Open() => (one, three) = (Device.Parse("cpu", 1), Device.Parse("cpu", 3));

    [OneTimeTearDown]
    public void Close()
    {
        one.Dispose();
        three.Dispose();
    }

    [TestCaseSource(nameof(Operations))]
    public void The_number_of_threads_changes_no_bit(string operation)
    {
        var compared = 0;
        foreach (var c in Cases.Cases.Where(c => c.Op == operation && c.Size == CaseSize.Tiny))
        {
            var values = c.Draw();
            var (expected, outputs) = (Outputs(c, one, values), Outputs(c, three, values));
            Assert.That(outputs.Select(o => o.Name), Is.EqualTo(expected.Select(o => o.Name)), c.Id);
            foreach (var (before, now) in expected.Zip(outputs))
            {
                var bits = Array.ConvertAll(before.Values, BitConverter.DoubleToInt64Bits);
                Assert.That(Array.ConvertAll(now.Values, BitConverter.DoubleToInt64Bits), Is.EqualTo(bits),
                    $"{c.Id}: {now.Name}");
                compared += bits.Length;
            }
        }
        Assert.That(compared, Is.GreaterThan(0));
    }

    private static IEnumerable<string> Operations => Cases.Cases.Select(c => c.Op).Distinct();

    private static IReadOnlyList<Output> Outputs(OpCase c, Device device, float[][] values)
    {
        using var session = new CaseSession(c, device, DType.Float32, values);
        return c.IsDifferentiable ? session.ForwardAndBackward(c.Run!) : session.Forward();
    }
}
