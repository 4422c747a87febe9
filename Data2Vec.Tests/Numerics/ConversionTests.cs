using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Numerics;

/// <summary>The 16-bit floats, bit by bit against the recorded patterns of the suite `numerics`.</summary>
[TestFixtureSource(nameof(Folders))]
public sealed class ConversionTests(string folder)
{
    private static IEnumerable<string> Folders => Fixtures.Folders("numerics");

    private readonly byte[] file = File.ReadAllBytes(Path.Combine(folder, "conversions.safetensors"));

    [Test]
    public void Every_bfloat16_widens_to_the_recorded_bits()
    {
        var patterns = Read<ushort>("every16");
        var expected = Read<uint>("bfloat16_to_float32");
        Assert.That(patterns, Has.Length.EqualTo(65536));
        var wide = new float[patterns.Length];
        BFloat16.Widen(MemoryMarshal.Cast<ushort, BFloat16>(patterns), wide);
        AssertSame(wide.Select(BitConverter.SingleToUInt32Bits), expected, IsNaN32, patterns);
    }

    [Test]
    public void Every_float16_widens_to_the_recorded_bits()
    {
        var patterns = Read<ushort>("every16");
        var wide = new float[patterns.Length];
        Float16.Widen(patterns, wide);
        AssertSame(wide.Select(BitConverter.SingleToUInt32Bits), Read<uint>("float16_to_float32"), IsNaN32, patterns);
    }

    [Test]
    public void A_float32_is_rounded_to_the_recorded_bfloat16()
    {
        var patterns = Read<uint>("float32");
        var narrow = new BFloat16[patterns.Length];
        BFloat16.Narrow(MemoryMarshal.Cast<uint, float>(patterns), narrow);
        AssertSame(narrow.Select(n => (uint)n.Bits), Read<ushort>("float32_to_bfloat16").Select(e => (uint)e),
            bits => (bits & 0x7FFF) > 0x7F80, patterns);
    }

    [Test]
    public void A_float32_is_rounded_to_the_recorded_float16()
    {
        var patterns = Read<uint>("float32");
        var narrow = new ushort[patterns.Length];
        Float16.Narrow(MemoryMarshal.Cast<uint, float>(patterns), narrow);
        AssertSame(narrow.Select(n => (uint)n), Read<ushort>("float32_to_float16").Select(e => (uint)e),
            bits => (bits & 0x7FFF) > 0x7C00, patterns);
    }

    private static bool IsNaN32(uint bits) => (bits & 0x7FFF_FFFF) > 0x7F80_0000;

    /// <summary>Compares bits; any NaN equals any other.</summary>
    private static void AssertSame<T>(
        IEnumerable<uint> got, IEnumerable<uint> expected, Func<uint, bool> isNaN, T[] inputs)
    {
        var wrong = got.Zip(expected, inputs)
            .Where(t => isNaN(t.Second) ? !isNaN(t.First) : t.First != t.Second)
            .Select(t => $"{t.Third:x}: expected {t.Second:x8}, got {t.First:x8}").ToList();
        Assert.That(inputs, Is.Not.Empty);
        Assert.That(wrong, Is.Empty);
    }

    // Reads the bytes here and not with the engine's reader: these conversions lie below it.
    private T[] Read<T>(string name) where T : unmanaged
    {
        var header = (int)BinaryPrimitives.ReadUInt64LittleEndian(file);
        using var json = JsonDocument.Parse(file.AsMemory(8, header));
        var offsets = json.RootElement.GetProperty(name).GetProperty("data_offsets");
        var (begin, end) = (offsets[0].GetInt32(), offsets[1].GetInt32());
        return MemoryMarshal.Cast<byte, T>(file.AsSpan(8 + header + begin, end - begin)).ToArray();
    }
}
