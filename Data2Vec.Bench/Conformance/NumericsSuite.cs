using System.Runtime.InteropServices;
using System.Text.Json;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Conformance;

/// <summary>Conversions of 16-bit floats and Philox, bit for bit; any NaN pattern equals any other.</summary>
internal static class NumericsSuite
{
    public static void Run(string folder, JsonElement manifest, SuiteReport report)
    {
        using var tensors = new RecordedTensors(folder);
        foreach (var item in manifest.GetProperty("cases").EnumerateArray())
        {
            var name = item.GetProperty("case").GetString()!;
            var file = item.GetProperty("file").GetString()!;
            if (file.EndsWith(".json", StringComparison.Ordinal))
                report.Run("philox", name, () => Philox4x32(Path.Combine(folder, file)));
            else
                report.Run("conversions", name, () => [Conversion(tensors[file], item)]);
        }
    }

    private static Difference Conversion(SafetensorsFile file, JsonElement item)
    {
        var input = item.GetProperty("inputs")[0].GetString()!;
        var output = item.GetProperty("outputs")[0].GetString()!;
        return output switch
        {
            "bfloat16_to_float32" =>
                Bits(output, Widened(file.Read<ushort>(input), Widen), file.Read<uint>(output), 0x7F80_0000),
            "float16_to_float32" =>
                Bits(output, Widened(file.Read<ushort>(input), Float16.Widen), file.Read<uint>(output), 0x7F80_0000),
            "float32_to_bfloat16" =>
                Bits(output, Narrowed(file.Read<uint>(input), Narrow), Wide(file.Read<ushort>(output)), 0x7F80),
            "float32_to_float16" =>
                Bits(output, Narrowed(file.Read<uint>(input), Float16.Narrow), Wide(file.Read<ushort>(output)), 0x7C00),
            _ => throw new NotExpressibleException($"the conversion {output} is unknown"),
        };
    }

    private static IEnumerable<Difference> Philox4x32(string path)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(path));
        if (json.RootElement.GetProperty("rounds").GetInt32() != 10)
            throw new NotExpressibleException("the engine has Philox with 10 rounds only");
        foreach (var vector in json.RootElement.GetProperty("vectors").EnumerateArray())
        {
            var (c, k) = (Words(vector, "counter"), Words(vector, "key"));
            var block = Philox.Rounds(c[0], c[1], c[2], c[3], k[0], k[1]);
            double[] got = [block[0], block[1], block[2], block[3]];
            yield return Comparison.Compare($"counter {string.Join(' ', c)}", got,
                Array.ConvertAll(Words(vector, "output"), w => (double)w), Tolerance.Exact);
        }
    }

    private static uint[] Words(JsonElement vector, string name) =>
        [.. vector.GetProperty(name).EnumerateArray().Select(w => w.GetUInt32())];

    private delegate void Widening(ReadOnlySpan<ushort> source, Span<float> destination);

    private delegate void Narrowing(ReadOnlySpan<float> source, Span<ushort> destination);

    private static void Widen(ReadOnlySpan<ushort> source, Span<float> destination) =>
        BFloat16.Widen(MemoryMarshal.Cast<ushort, BFloat16>(source), destination);

    private static void Narrow(ReadOnlySpan<float> source, Span<ushort> destination) =>
        BFloat16.Narrow(source, MemoryMarshal.Cast<ushort, BFloat16>(destination));

    private static uint[] Widened(ushort[] patterns, Widening widen)
    {
        var wide = new float[patterns.Length];
        widen(patterns, wide);
        return Array.ConvertAll(wide, BitConverter.SingleToUInt32Bits);
    }

    private static uint[] Narrowed(uint[] patterns, Narrowing narrow)
    {
        var narrowed = new ushort[patterns.Length];
        narrow(MemoryMarshal.Cast<uint, float>(patterns), narrowed);
        return Wide(narrowed);
    }

    private static uint[] Wide(ushort[] patterns) => Array.ConvertAll(patterns, p => (uint)p);

    private static Difference Bits(string name, uint[] got, uint[] expected, uint infinity)
    {
        if (got.Length != expected.Length)
        {
            return new Difference(name, double.PositiveInfinity, 0,
                $"{got.Length} numbers, expected {expected.Length}");
        }
        var magnitude = infinity == 0x7F80_0000 ? 0x7FFF_FFFFu : 0x7FFFu;
        for (var i = 0; i < got.Length; i++)
        {
            var same = (expected[i] & magnitude) > infinity ? (got[i] & magnitude) > infinity : got[i] == expected[i];
            if (!same)
                return new Difference(name, 1, 0, $"element {i} has the bits {got[i]:x8}, expected {expected[i]:x8}");
        }
        return new Difference(name, 0, 0);
    }
}
