using System.Runtime.CompilerServices;

namespace Data2Vec.Kernels;

/// <summary>
/// The extents of a row-major tensor, at most <see cref="MaxRank"/> of them, stored inline so that argument structs
/// carry shapes without allocating. Rank 0 is a scalar of one element; an extent may be 0.
/// </summary>
public readonly struct Shape : IEquatable<Shape>
{
    /// <summary>The largest number of dimensions.</summary>
    public const int MaxRank = 8;

    private readonly Extents extents;

    /// <summary>A shape with these extents, outermost first.</summary>
    /// <exception cref="ArgumentException">More than <see cref="MaxRank"/> extents, or a negative one.</exception>
    public Shape(params ReadOnlySpan<int> dimensions)
    {
        if (dimensions.Length > MaxRank)
            throw new ArgumentException($"A shape has at most {MaxRank} dimensions; got {dimensions.Length}.");
        Rank = dimensions.Length;
        for (var i = 0; i < dimensions.Length; i++)
        {
            if (dimensions[i] < 0)
                throw new ArgumentException($"Dimension {i} of a shape must not be negative; got {dimensions[i]}.");
            extents[i] = dimensions[i];
        }
    }

    /// <summary>Number of dimensions; 0 for a scalar.</summary>
    public int Rank { get; }

    /// <summary>The extent of a dimension; a negative index counts from the last one (-1).</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such dimension.</exception>
    public int this[int dimension]
    {
        get
        {
            var i = dimension < 0 ? dimension + Rank : dimension;
            if ((uint)i >= (uint)Rank)
                throw new ArgumentOutOfRangeException(nameof(dimension), $"{this} has no dimension {dimension}.");
            return extents[i];
        }
    }

    /// <summary>Number of elements: the product of the extents, 1 for a scalar.</summary>
    public long Count
    {
        get
        {
            long n = 1;
            for (var i = 0; i < Rank; i++) n = checked(n * extents[i]);
            return n;
        }
    }

    /// <summary>Row-major strides in elements.</summary>
    public Strides Strides
    {
        get
        {
            var s = default(Strides);
            long step = 1;
            for (var i = Rank - 1; i >= 0; i--)
            {
                s[i] = step;
                step *= extents[i];
            }
            return s;
        }
    }

    /// <summary>This shape with one extent replaced.</summary>
    public Shape With(int dimension, int extent)
    {
        Span<int> d = stackalloc int[MaxRank];
        CopyTo(d);
        d[dimension < 0 ? dimension + Rank : dimension] = extent;
        return new Shape(d[..Rank]);
    }

    /// <summary>The dimensions from <paramref name="start"/>, <paramref name="length"/> of them.</summary>
    public Shape Slice(int start, int length)
    {
        Span<int> d = stackalloc int[MaxRank];
        CopyTo(d);
        return new Shape(d.Slice(start, length));
    }

    /// <summary>This shape followed by further extents.</summary>
    public Shape Append(params ReadOnlySpan<int> more)
    {
        Span<int> d = stackalloc int[MaxRank + more.Length];
        CopyTo(d);
        more.CopyTo(d[Rank..]);
        return new Shape(d[..(Rank + more.Length)]);
    }

    /// <summary>Writes the extents to the start of <paramref name="target"/>.</summary>
    public void CopyTo(Span<int> target)
    {
        for (var i = 0; i < Rank; i++) target[i] = extents[i];
    }

    /// <summary>The extents as a new array.</summary>
    public int[] ToArray()
    {
        var a = new int[Rank];
        CopyTo(a);
        return a;
    }

    /// <inheritdoc/>
    public bool Equals(Shape other)
    {
        if (Rank != other.Rank) return false;
        for (var i = 0; i < Rank; i++)
            if (extents[i] != other.extents[i]) return false;
        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var h = new HashCode();
        for (var i = 0; i < Rank; i++) h.Add(extents[i]);
        return h.ToHashCode();
    }

    /// <summary>Same rank and extents.</summary>
    public static bool operator ==(Shape a, Shape b) => a.Equals(b);

    /// <summary>Another rank or extent.</summary>
    public static bool operator !=(Shape a, Shape b) => !a.Equals(b);

    /// <summary>"(8, 512, 768)"; "()" for a scalar.</summary>
    public override string ToString() => "(" + string.Join(", ", ToArray()) + ")";

    [InlineArray(MaxRank)]
    private struct Extents
    {
        private int first;
    }
}

/// <summary>Steps along each dimension, in elements; 0 repeats (broadcast), negative walks back.</summary>
[InlineArray(Shape.MaxRank)]
public struct Strides
{
    private long first;
}
