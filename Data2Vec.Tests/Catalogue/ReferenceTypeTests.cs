using Data2Vec.Bench.Cases;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;
using Cases = Data2Vec.Bench.Cases.Catalogue;

namespace Data2Vec.Tests.Catalogue;

/// <summary>
/// The reference takes any type, computes in double and rounds once, when it stores: a kernel in bfloat16 gives exactly the
/// rounded result of the same kernel in float64 from the same numbers.
/// </summary>
public sealed class ReferenceTypeTests
{
    private static readonly Dictionary<string, string> Elsewhere = new()
    {
        [nameof(IBackend.Cast)] = "its types are what a case is about",
        [nameof(IBackend.Fill)] = "it has no operand, and rounds a given number",
        [nameof(IBackend.Conv1dLayerNorm)] = "it is two operations, and rounds what is between them too",
        [nameof(IBackend.ScatterRows)] = "it follows a copy, and adds into what is stored",
        [nameof(IBackend.Scatter)] = "it follows a copy, and adds into what is stored",
        [nameof(IBackend.GradientNorm)] = "it reads and writes the flat buffers of a store",
        [nameof(IBackend.Adam)] = "it reads and writes the flat buffers of a store",
        [nameof(IBackend.Ema)] = "it reads and writes the flat buffers of a store",
        [nameof(IBackend.AdamWithEma)] = "it reads and writes the flat buffers of a store",
    };

    private Device device = null!;

    private List<string> Calls => ((RecordingBackend)device.Backend).Calls;

    [OneTimeSetUp]
    public void Open() => device = new Device("recording", new RecordingBackend(new ReferenceBackend()));

    [OneTimeTearDown]
    public void Close() => device.Dispose();

    [TestCaseSource(nameof(OneKernel))]
    public void A_kernel_rounds_once(string operation)
    {
        var compared = 0;
        foreach (var c in Cases.Cases.Where(c => c.Op == operation && c.Size == CaseSize.Tiny && c.Run is not null))
        {
            var values = c.Draw().Select((v, i) => c.Inputs[i].Type is null ? Array.ConvertAll(v, x => (float)Rounded(x)) : v).ToArray();
            var (wide, calls, _) = Result(c, DType.Float64, values);
            // Compositions store what is between their kernels.
            if (calls != 1) continue;
            var (narrow, _, type) = Result(c, DType.BFloat16, values);
            // Some results of bfloat16 operands are float32.
            Assert.That(narrow, Is.EqualTo(Array.ConvertAll(wide, x => type == DType.Float32 ? (float)x : Rounded(x))), c.Id);
            compared++;
        }
        Assert.That(compared, Is.GreaterThan(0));
    }

    private static IEnumerable<string> OneKernel => CoverageTests.Operations
        .Where(o => !o.EndsWith("Backward") && !Elsewhere.ContainsKey(o));

    private (double[] Values, int Calls, DType Type) Result(OpCase c, DType type, float[][] values)
    {
        using var scope = device.Scope();
        Tensor[] tensors = [.. c.Inputs.Select((input, i) => CaseSession.Upload(device, input, type, values[i]))];
        using var operands = new Operands(device, type, tensors, values);
        Calls.Clear();
        var y = c.Run!(operands);
        return (y.ToDoubles(), y.DType.IsFloat() ? Calls.Count : 0, y.DType);
    }

    /// <summary>To 8 significant bits, ties to even, by arithmetic instead of bits; above the range infinity.</summary>
    private static double Rounded(double value)
    {
        if (value == 0 || !double.IsFinite(value)) return value;
        var unit = Math.ScaleB(1, Math.Max(Math.ILogB(value), -126) - 7);
        var rounded = Math.Round(value / unit, MidpointRounding.ToEven) * unit;
        return Math.Abs(rounded) >= Math.ScaleB(1, 128) ? Math.CopySign(double.PositiveInfinity, value) : rounded;
    }
}
