using Data2Vec.Kernels;

namespace Data2Vec.Engine.Serialization;

/// <summary>One tensor of a safetensors file, as its header describes it.</summary>
public sealed class SafetensorsEntry
{
    private readonly long[] dimensions;

    internal SafetensorsEntry(string name, SafetensorsType type, long[] dimensions, long begin, long end)
    {
        Name = name;
        Type = type;
        this.dimensions = dimensions;
        Begin = begin;
        End = end;
    }

    /// <summary>The name, unique in its file.</summary>
    public string Name { get; }

    /// <summary>Element type.</summary>
    public SafetensorsType Type { get; }

    /// <summary>The extents, outermost first; none for a scalar.</summary>
    public ReadOnlySpan<long> Dimensions => dimensions;

    /// <summary>Number of elements: 1 for a scalar, 0 where an extent is 0.</summary>
    public long ElementCount => (End - Begin) / Type.Size();

    /// <summary>Bytes of the data.</summary>
    public long ByteCount => End - Begin;

    /// <summary>First byte, counted from the end of the header.</summary>
    internal long Begin { get; }

    /// <summary>One past the last byte, counted from the end of the header.</summary>
    internal long End { get; }

    /// <summary>The extents as a shape of the engine.</summary>
    /// <exception cref="SafetensorsException">Too many dimensions, or an extent of 2^31 or more.</exception>
    public Shape ToShape()
    {
        Span<int> extents = stackalloc int[Shape.MaxRank];
        if (dimensions.Length > Shape.MaxRank || dimensions.Any(d => d > int.MaxValue))
            throw new SafetensorsException(
                $"Tensor {SafetensorsException.Quote(Name)} has shape {ShapeText(dimensions)}; expected at most " +
                $"{Shape.MaxRank} dimensions, each below 2^31.");
        for (var i = 0; i < dimensions.Length; i++) extents[i] = (int)dimensions[i];
        return new Shape(extents[..dimensions.Length]);
    }

    /// <summary>"weight F32 (768, 512)".</summary>
    public override string ToString() => $"{Name} {Type.Name()} {ShapeText(dimensions)}";

    internal static string ShapeText(ReadOnlySpan<long> dimensions)
    {
        var parts = new string[dimensions.Length];
        for (var i = 0; i < parts.Length; i++) parts[i] = $"{dimensions[i]}";
        return $"({string.Join(", ", parts)})";
    }
}
