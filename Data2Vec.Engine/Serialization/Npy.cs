using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Data2Vec.Kernels;

namespace Data2Vec.Engine.Serialization;

/// <summary>
/// NumPy's .npy files, version 1.0: float32 and int64 arrays, little-endian, row-major ("C order").
/// Source: the format description in numpy.lib.format.
/// </summary>
public static partial class Npy
{
    private const int Alignment = 64;
    private const int PrefixLength = 10;
    private const int PartElements = 1 << 24;

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0];

    /// <summary>Writes a float32 array.</summary>
    /// <exception cref="ArgumentException">The number of values does not fit the shape.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(string path, Shape shape, ReadOnlySpan<float> values) =>
        SaveFile(path, "<f4", shape, values);

    /// <summary>Writes an int64 array.</summary>
    /// <exception cref="ArgumentException">The number of values does not fit the shape.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(string path, Shape shape, ReadOnlySpan<long> values) =>
        SaveFile(path, "<i8", shape, values);

    /// <summary>Writes a float32 array to a stream.</summary>
    /// <exception cref="ArgumentException">The number of values does not fit the shape.</exception>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public static void Write(Stream stream, Shape shape, ReadOnlySpan<float> values) =>
        WriteArray(stream, "<f4", shape, values);

    /// <summary>Reads a float32 array.</summary>
    /// <exception cref="InvalidDataException">The file is no little-endian, row-major float32 array.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static (Shape Shape, float[] Values) LoadSingles(string path) => Load<float>(path, "<f4");

    /// <summary>Reads an int64 array.</summary>
    /// <exception cref="InvalidDataException">The file is no little-endian, row-major int64 array.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static (Shape Shape, long[] Values) LoadIntegers(string path) => Load<long>(path, "<i8");

    private static void SaveFile<T>(string path, string type, Shape shape, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        CheckCount(shape, values.Length);
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write);
        WriteArray(stream, type, shape, values);
    }

    private static void WriteArray<T>(Stream stream, string type, Shape shape, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        CheckCount(shape, values.Length);
        var extents = string.Concat(Enumerable.Range(0, shape.Rank)
            .Select(i => (i > 0 ? " " : "") + shape[i].ToString(CultureInfo.InvariantCulture) + ","));
        // A Python tuple: one extent keeps its comma, several lose the last one.
        if (shape.Rank > 1) extents = extents[..^1];
        var header = $"{{'descr': '{type}', 'fortran_order': False, 'shape': ({extents}), }}";
        // Spaces and a line feed bring the data to a multiple of 64 bytes.
        var unpadded = PrefixLength + header.Length + 1;
        header += new string(' ', (Alignment - unpadded % Alignment) % Alignment) + "\n";
        stream.Write(Magic);
        stream.Write([(byte)header.Length, (byte)(header.Length >> 8)]);
        stream.Write(Encoding.ASCII.GetBytes(header));
        for (var i = 0; i < values.Length; i += PartElements)
            stream.Write(MemoryMarshal.AsBytes(values.Slice(i, Math.Min(PartElements, values.Length - i))));
    }

    private static (Shape Shape, T[] Values) Load<T>(string path, string type)
        where T : unmanaged
    {
        using var stream = File.OpenRead(path);
        var prefix = new byte[PrefixLength];
        if (stream.ReadAtLeast(prefix, PrefixLength, throwOnEndOfStream: false) < PrefixLength ||
            !prefix.AsSpan().StartsWith(Magic))
            throw Refuse(path, "it must begin with the mark of .npy version 1.0");
        var header = new byte[prefix[8] | (prefix[9] << 8)];
        if (stream.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length)
            throw Refuse(path, "its header is cut off");
        var match = Header().Match(Encoding.ASCII.GetString(header));
        if (!match.Success || match.Groups["type"].Value != type)
            throw Refuse(path, $"its header must describe a row-major array of {type}");
        var shape = ParseShape(path, match.Groups["shape"].Value);
        var bytes = Int128.One * Marshal.SizeOf<T>();
        for (var i = 0; i < shape.Rank; i++) bytes *= shape[i];
        if (bytes != stream.Length - stream.Position)
            throw Refuse(path, $"shape {shape} needs {bytes} bytes, and {stream.Length - stream.Position} are there");
        var values = new T[shape.Count];
        for (var i = 0; i < values.Length; i += PartElements)
            stream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan(i, Math.Min(PartElements, values.Length - i))));
        return (shape, values);
    }

    private static Shape ParseShape(string path, string text)
    {
        var parts = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length > Shape.MaxRank) throw Refuse(path, $"it has more than {Shape.MaxRank} dimensions");
        var extents = new int[parts.Length];
        for (var i = 0; i < parts.Length; i++)
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out extents[i]))
                throw Refuse(path, $"the extent {SafetensorsException.Quote(parts[i])} must be an integer below 2^31");
        return new Shape(extents);
    }

    private static void CheckCount(Shape shape, int count)
    {
        if (count != shape.Count)
            throw new ArgumentException($"Npy: shape {shape} needs {shape.Count} values; got {count}.");
    }

    private static InvalidDataException Refuse(string path, string why) => new($"{path} cannot be read: {why}.");

    [GeneratedRegex(
        @"^\{'descr': '(?<type>[^']*)', 'fortran_order': False, 'shape': \((?<shape>[0-9, ]*)\),? ?\} *\n$")]
    private static partial Regex Header();
}
