using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Cpu;

/// <summary>Scores that are not numbers are never hidden by the vectors that look for the largest.</summary>
public sealed class AttentionScoreTests
{
    private const int Keys = 37;

    [Test]
    public void A_score_that_is_not_a_number_spoils_its_row_and_no_other(
        [Values(0, 5, 16, 32, 36)] int key, [Values] bool besideNothing)
    {
        using var device = Device.Parse("cpu", 1);
        using var scope = device.Scope();
        // The bias of query 1 has one NaN, beside ordinary numbers or beside keys that take no part.
        var bias = new float[2 * Keys];
        if (besideNothing) bias.AsSpan(Keys).Fill(float.NegativeInfinity);
        bias[Keys + key] = float.NaN;
        var shape = new Shape(1, Keys, 1, 4);
        float[] values = [.. Enumerable.Range(0, 4 * Keys).Select(i => MathF.Sin(i))];
        var k = Tensor.From<float>(device, values, shape);
        var q = Tensor.From<float>(device, values.AsSpan(0, 8), new Shape(1, 2, 1, 4));
        var options = new AttentionOptions(null, Tensor.From<float>(device, bias, new Shape(1, 2, Keys)));
        var y = Ops.Attention(q, k, k, options).ToDoubles();
        Assert.That(y[..4], Is.All.Not.NaN);
        Assert.That(y[4..], Is.All.NaN);
    }
}
