using Data2Vec.Kernels.Cuda;

namespace Data2Vec.Tests.Emulator;

/// <summary>
/// Runs one instruction on many operands: thread i takes the i-th of each source and leaves the i-th result.
/// </summary>
internal static class InstructionRig
{
    /// <summary>Results, zero above their bits.</summary>
    /// <param name="text">The instruction, with {d}, {a}, {b}, {c}, {e} for registers; {d} is %p1 if the result is a
    /// predicate.</param>
    /// <param name="resultBits">16, 32 or 64; 1 for a predicate.</param>
    /// <param name="sources">Bits of a register (16, 32, 64; 1 for a predicate that holds unless the value is 0), and
    /// values.</param>
    public static ulong[] Run(string text, int resultBits, params (int Bits, ulong[] Values)[] sources)
    {
        var count = sources[0].Values.Length;
        var names = new Dictionary<string, string> { ["{d}"] = resultBits == 1 ? "%p1" : Register(resultBits, 0) };
        var body = """
            mov.u32 %r60, %tid.x; mov.u32 %r61, %ctaid.x; mad.lo.u32 %r60, %r61, 64, %r60; mul.wide.u32 %d60, %r60, 8;

            """;
        for (var s = 0; s < sources.Length; s++)
        {
            body += $"ld.param.u64 %d61, [p{s}]; add.u64 %d61, %d61, %d60;\n";
            if (sources[s].Bits == 1)
            {
                body += $"ld.global.b64 %d62, [%d61]; setp.ne.u64 %p{s + 2}, %d62, 0;\n";
                names["{" + "abce"[s] + "}"] = $"%p{s + 2}";
            }
            else
            {
                body += $"ld.global.b{sources[s].Bits} {Register(sources[s].Bits, s + 1)}, [%d61];\n";
                names["{" + "abce"[s] + "}"] = Register(sources[s].Bits, s + 1);
            }
        }
        body += names.Aggregate(text, (t, n) => t.Replace(n.Key, n.Value, StringComparison.Ordinal)) + "\n";
        body += $"ld.param.u64 %d61, [p{sources.Length}]; add.u64 %d61, %d61, %d60;\n";
        body += resultBits switch
        {
            1 => "selp.b64 %d63, 1, 0, %p1; st.global.b64 [%d61], %d63;",
            64 => "st.global.b64 [%d61], %d0;",
            32 => "cvt.u64.u32 %d63, %r0; st.global.b64 [%d61], %d63;",
            _ => "cvt.u64.u16 %d63, %h0; st.global.b64 [%d61], %d63;",
        };
        using var device = new EmulatedDevice();
        var padded = (count + 63) / 64 * 64;
        var result = device.Empty<ulong>(padded);
        object[] arguments = [.. sources.Select(s => (object)device.Put(Padded(s.Values))), result];
        device.Launch(EmulatedDevice.Kernel(sources.Length + 1, body), "test", new Dim3(padded / 64), new Dim3(64), 0,
            arguments);
        return device.Get<ulong>(result, count);

        ulong[] Padded(ulong[] values) => [.. values, .. Enumerable.Repeat(values[^1], padded - count)];
    }

    private static string Register(int bits, int number) => (bits == 64 ? "%d" : bits == 32 ? "%r" : "%h") + number;

    /// <summary>All pairs of values.</summary>
    public static (ulong[] A, ulong[] B) Pairs(ulong[] values, ulong[]? others = null)
    {
        others ??= values;
        return ([.. values.SelectMany(v => Enumerable.Repeat(v, others.Length))],
            [.. Enumerable.Repeat(others, values.Length).SelectMany(v => v)]);
    }

    /// <summary>Corners of a width, and random numbers.</summary>
    public static ulong[] Integers(int bits, int random = 24)
    {
        var generator = new Random(bits);
        var all = ulong.MaxValue >> (64 - bits);
        ulong half = 1UL << (bits - 1);
        return [0, 1, 2, 7, 31, all, all - 1, half, half - 1, half + 1, .. Enumerable.Range(0, random)
            .Select(_ => (ulong)generator.NextInt64() >> generator.Next(bits) & all)];
    }

    /// <summary>Zeros, subnormal and large numbers, infinities, no numbers, and random bits of float32.</summary>
    public static ulong[] Singles(int random = 24)
    {
        var generator = new Random(32);
        float[] corners =
        [
            0, -0.0f, 1, -1, 1.5f, 2, 0.5f, -2.5f, 3.5f, float.Epsilon, -float.Epsilon, 1.1754944e-38f, 1.1754942e-38f,
            float.MaxValue, float.MinValue, float.PositiveInfinity, float.NegativeInfinity, float.NaN, 8388609,
                16777217,
            2147483647, 4294967295f, -2147483649f, 9.2e18f, 1e20f, 0.1f, 1 / 3f,
        ];
        return [.. corners.Select(c => (ulong)BitConverter.SingleToUInt32Bits(c)), .. Enumerable.Range(0, random)
            .Select(n => n % 2 == 0 ? (ulong)(uint)generator.Next(int.MinValue, int.MaxValue)
                : BitConverter.SingleToUInt32Bits(
                    (float)((generator.NextDouble() - 0.5) * Math.Pow(10, generator.Next(-3, 9)))))];
    }

    public static ulong[] Doubles(int random = 24)
    {
        var generator = new Random(64);
        double[] corners =
        [
            0, -0.0, 1, -1, 1.5, -2.5, double.Epsilon, 2.2250738585072014e-308, double.MaxValue,
                double.PositiveInfinity,
            double.NegativeInfinity, double.NaN, 4503599627370497.5, 9.3e18, -9.3e18, 1e-40, 3.4028235677973366e38,
            1 + Math.ScaleB(1, -24), 1 + 3 * Math.ScaleB(1, -24), 1 + Math.ScaleB(1, -24) + Math.ScaleB(1, -50),
        ];
        return [.. corners.Select(BitConverter.DoubleToUInt64Bits), .. Enumerable.Range(0, random)
            .Select(_ => BitConverter.DoubleToUInt64Bits(
                (generator.NextDouble() - 0.5) * Math.Pow(10, generator.Next(-40, 40))))];
    }

    public static float Single(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits);

    public static double Double(ulong bits) => BitConverter.UInt64BitsToDouble(bits);
}
