using Data2Vec.Kernels.Cpu;
using NUnit.Framework;

namespace Data2Vec.Tests.Cpu;

/// <summary>The vector operations whose meaning is not obvious, lane by lane against scalars.</summary>
[TestFixture(typeof(Lanes512))]
[TestFixture(typeof(Lanes256))]
[TestFixture(typeof(Lanes128))]
internal sealed unsafe class LanesTests<T>
    where T : struct, ILanes<T>
{
    private static readonly float[] Specials =
    [
        0, -0f, 1, -1, 0.5f, 1.5f, 2.5f, -2.5f, 1e30f, -1e30f, float.NaN, float.PositiveInfinity, float.NegativeInfinity,
    ];

    [OneTimeSetUp]
    public void Needs_the_instructions() => LaneWidths.Require<T>();

    [Test]
    public void The_first_lanes_are_read_and_written_and_nothing_behind_them()
    {
        var source = Enumerable.Range(1, 16).Select(i => (float)i).ToArray();
        using (Assert.EnterMultipleScope())
        {
            for (var n = 0; n <= T.Width; n++)
            {
                var target = new float[16];
                Array.Fill(target, -1);
                fixed (float* s = source, t = target)
                {
                    T.StoreFirst(t, T.Load(s), n);
                    Assert.That(target.Take(n), Is.EqualTo(source.Take(n)));
                    Assert.That(target.Skip(n), Is.All.EqualTo(-1));
                    T.Store(t, T.LoadFirst(s, n));
                }
                Assert.That(target.Take(n), Is.EqualTo(source.Take(n)));
                Assert.That(target.Skip(n).Take(T.Width - n), Is.All.Zero);
            }
        }
    }

    [Test]
    public void The_sum_adds_the_upper_half_to_the_lower_until_one_is_left()
    {
        var random = new Random(3);
        var x = Enumerable.Range(0, T.Width).Select(_ => random.NextSingle() * 1e4f - 3e3f).ToArray();
        var expected = x.ToArray();
        for (var half = T.Width / 2; half >= 1; half /= 2)
            for (var i = 0; i < half; i++) expected[i] += expected[i + half];
        fixed (float* p = x)
        {
            Assert.That(T.Sum(T.Load(p)), Is.EqualTo(expected[0]));
            Assert.That(T.Largest(T.Load(p)), Is.EqualTo(x.Max()));
        }
    }

    [Test]
    public void Minimum_and_maximum_give_the_second_operand_when_one_is_nan()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(One(T.Max(T.Broadcast(1), T.Broadcast(float.NaN))), Is.NaN);
            Assert.That(One(T.Max(T.Broadcast(float.NaN), T.Broadcast(1))), Is.EqualTo(1));
            Assert.That(One(T.Min(T.Broadcast(1), T.Broadcast(float.NaN))), Is.NaN);
            Assert.That(One(T.Min(T.Broadcast(float.NaN), T.Broadcast(1))), Is.EqualTo(1));
        }
    }

    [Test]
    public void Bits_of_sign_rounding_and_comparison_are_those_of_scalars()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach (var a in Specials)
            {
                Assert.That(Bits(T.Round(T.Broadcast(a))), Is.EqualTo(Bits(MathF.Round(a))), $"round {a}");
                Assert.That(Bits(T.Abs(T.Broadcast(a))), Is.EqualTo(Bits(MathF.Abs(a))), $"abs {a}");
                foreach (var b in Specials)
                {
                    var (x, y) = (T.Broadcast(a), T.Broadcast(b));
                    var (yes, no) = (T.Broadcast(1), T.Broadcast(0));
                    Assert.That(Bits(T.CopySign(x, y)), Is.EqualTo(Bits(MathF.CopySign(a, b))), $"copy sign {a} {b}");
                    Assert.That(One(T.Select(T.Less(x, y), yes, no)), Is.EqualTo(a < b ? 1 : 0), $"{a} < {b}");
                    Assert.That(One(T.Select(T.Equal(x, y), yes, no)), Is.EqualTo(a == b ? 1 : 0), $"{a} = {b}");
                }
            }
        }
    }

    [Test]
    public void Scaling_by_powers_of_two_rounds_once_at_both_ends()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach (var n in new[] { -160, -150, -149, -140, -127, -126, -1, 0, 1, 127, 128, 129 })
            {
                var expected = (float)(1.2345678f * Math.Pow(2, n));
                Assert.That(One(T.Scale(T.Broadcast(1.2345678f), T.Broadcast(n))), Is.EqualTo(expected), $"2^{n}");
            }
        }
    }

    [Test]
    public void Exponent_and_mantissa_take_a_number_apart()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach (var x in new[] { 1f, 1.999f, 2f, 0.75f, 1.17549435e-38f, float.MaxValue, 12345.678f })
            {
                var (e, m) = (One(T.Exponent(T.Broadcast(x))), One(T.Mantissa(T.Broadcast(x))));
                Assert.That(e, Is.EqualTo(MathF.ILogB(x)), $"exponent of {x}");
                Assert.That(m * Math.Pow(2, e), Is.EqualTo((double)x), $"mantissa of {x}");
            }
        }
    }

    private static int Bits(T v) => Bits(One(v));

    // All NaN count as one: their sign and payload are nobody's promise.
    private static int Bits(float v) => float.IsNaN(v) ? -1 : BitConverter.SingleToInt32Bits(v);

    private static float One(T v)
    {
        var lanes = stackalloc float[16];
        T.Store(lanes, v);
        return lanes[T.Width - 1];
    }
}
