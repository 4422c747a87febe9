using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>
/// What the catalogue of small cases cannot say about attention by tensor cores: every head size, more than one tile of
/// queries and keys, each way to the gradient of a bias, and that the banks of shared memory are never asked twice.
/// </summary>
public sealed class CudaAttentionTests
{
    private const int Batch = 3, Heads = 2, Queries = 150, Keys = 137;

    private EmulatedCuda cuda = null!;
    private ReferenceBackend reference = null!;

    public enum Options
    {
        None,
        Bias,
        BiasAndSlopes,
        GivenMask,
    }

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

    private static IEnumerable<TestCaseData> Cases =>
        from headSize in new[] { 32, 64, 80, 128 }
        from resident in headSize <= 64 ? new[] { false, true } : [false]
        from options in Enum.GetValues<Options>()
        select new TestCaseData(headSize, options, resident);

    [TestCaseSource(nameof(Cases))]
    public void Outputs_and_gradients_are_those_of_double_precision(int headSize, Options options, bool resident)
    {
        cuda.Device.FewestResidentHeads = resident ? 0 : int.MaxValue;
        Dictionary<string, double[]> actual = [];
        var (kernels, conflicts) = cuda.Watch(
            () => actual = Run(cuda.Device, DType.BFloat16, headSize, options, Keys, null));
        var expected = Run(reference, DType.Float64, headSize, options, Keys, actual);
        AssertClose(actual, expected);
        Assert.That(kernels.Any(k => k.Contains("resident")), Is.EqualTo(resident));
        Assert.That(kernels.Any(k => k.Contains("query_bias")), Is.EqualTo(options == Options.Bias && headSize <= 64));
        // Rows of 80 elements are ten units: a copy of eight that goes on in the next row meets one bank twice.
        if (headSize != 80) Assert.That(conflicts, Is.Zero, "conflicts of banks");
    }

    [Test]
    public void A_bias_over_more_keys_than_a_block_can_add_up_has_its_gradient()
    {
        var actual = Run(cuda.Device, DType.BFloat16, 32, Options.Bias, 262, null);
        AssertClose(actual, Run(reference, DType.Float64, 32, Options.Bias, 262, actual));
    }

    [Test]
    public void Without_any_key_outputs_and_gradients_are_zeros()
    {
        var actual = Run(cuda.Device, DType.BFloat16, 64, Options.None, 0, null);
        Assert.That(actual["o"].Concat(actual["dq"]), Is.All.Zero);
        Assert.That(actual["lse"], Is.All.EqualTo(double.NegativeInfinity));
    }

    /// <summary>
    /// p and ds are rounded to bfloat16 before the second product, results once more: 2^-9 each of terms that cancel in
    /// part.
    /// </summary>
    private static void AssertClose(Dictionary<string, double[]> actual, Dictionary<string, double[]> expected)
    {
        foreach (var (name, values) in expected)
        {
            var largest = values.Where(double.IsFinite).Select(Math.Abs).Max();
            for (var i = 0; i < values.Length; i++)
            {
                if (double.IsInfinity(values[i])) Assert.That(actual[name][i], Is.EqualTo(values[i]), $"{name}[{i}]");
                else Assert.That(actual[name][i], Is.EqualTo(values[i]).Within(largest * Math.ScaleB(1, -7)),
                    $"{name}[{i}]");
            }
        }
    }

    /// <summary>Forward and backward; backward from what the other backend's forward has left, if given.</summary>
    private static Dictionary<string, double[]> Run(
        IBackend backend, DType type, int headSize, Options options, int keys, Dictionary<string, double[]>? kept)
    {
        var x = new RawOperands(backend, type);
        // Packed as a projection leaves them: q beside k beside v would need as many keys as queries.
        int width = Heads * headSize, row = width + 8, queries = keys > 256 ? 40 : Queries;
        int ofQ = Batch * queries * row, ofK = Batch * keys * row, ofBias = Heads * queries * keys;
        var (q, k, v, dO) = (x.Random(ofQ), x.Random(ofK), x.Random(ofK), x.Random(ofQ));
        var hasBias = options is Options.Bias or Options.BiasAndSlopes;
        var bias = hasBias ? x.Random(ofBias) : default;
        var slopes = options == Options.BiasAndSlopes ? x.Given([0.25, 0.0625]) : default;
        // The last sample has no key, the one before only some.
        var mask = x.Bytes([.. Enumerable.Range(0, Batch * keys).Select(i => (byte)(i < keys + 70 ? 1 : 0))],
            DType.Bool);
        var random = new Random(5);
        var keep = x.Bytes([.. Enumerable.Range(0, Batch * ofBias).Select(_ => (byte)(random.Next(4) > 0 ? 1 : 0))],
            DType.Bool);
        var step = x.Bytes([new StepValues { Seed = 12345678901, Step = 7, MicroBatch = 2 }], DType.UInt8);
        var dropout = options switch
        {
            Options.None => default,
            Options.GivenMask => new DropoutSource(0.25, 3, default, keep),
            _ => new DropoutSource(0.1, 3, step, default),
        };
        var (o, lse) = (x.Output("o", ofQ), x.Output("lse", Batch * Heads * queries, x.Statistics));
        x.Zero(o, ofQ);
        backend.Attention(new AttentionArgs
        {
            Q = q, K = k, V = v, O = o, LogSumExp = lse, Bias = bias, Slopes = slopes, KeyMask = mask, Batch = Batch,
            Heads = Heads, Queries = queries, Keys = keys, HeadSize = headSize, QRow = row, KRow = row, VRow = row,
            ORow = row, Scale = 0.125, Dropout = dropout,
        });
        var results = x.Read(["o", "lse"]);
        if (kept is not null) x.Write(["o", "lse"], kept);
        var (dq, dk, dv) = (x.Output("dq", ofQ), x.Output("dk", ofK), x.Output("dv", ofK));
        x.Zero(dq, ofQ);
        x.Zero(dk, ofK);
        x.Zero(dv, ofK);
        var dBias = hasBias ? x.Named("dbias", x.Random(ofBias), ofBias) : default;
        var dSlopes = options == Options.BiasAndSlopes ? x.Output("dslopes", Heads) : default;
        backend.AttentionBackward(new AttentionBackwardArgs
        {
            Q = q, K = k, V = v, O = o, LogSumExp = lse, Bias = bias, Slopes = slopes, KeyMask = mask, DO = dO,
            DQ = dq, DK = dk,
            DV = dv, DBias = dBias, DSlopes = dSlopes, Batch = Batch, Heads = Heads, Queries = queries, Keys = keys,
            HeadSize = headSize, QRow = row, KRow = row, VRow = row, ORow = row, Scale = 0.125, Dropout = dropout,
            AccumulateBias = true,
        });
        foreach (var (name, values) in x.Read(["dq", "dk", "dv", "dbias", "dslopes"])) results[name] = values;
        return results;
    }
}
